// @ts-check
/* The page's languages. A new one is a file in words/ and a line in LANGUAGES. All are part of the first bundle: they are small, a request costs more, and
 * the language can be changed offline. */
import en from '../words/en.js';
import zh from '../words/zh.js';
import {moneyParts} from './money.js';

/** @type {Record<string, {locale: string, words: Record<string, any>}>} */
const LANGUAGES = {
    zh: {locale: 'zh-CN', words: zh},
    en: {locale: 'en', words: en},
};

const isKnown = (code) => Object.prototype.hasOwnProperty.call(LANGUAGES, code);

/* The language to show: the chosen one, else the first of the browser's that there is, else English. */
export function pickLanguage(chosen, preferred) {
    const wanted = [chosen, ...preferred.map((code) => code.toLowerCase().split('-')[0])];
    return wanted.find((code) => code && isKnown(code)) ?? 'en';
}

/* code: as pickLanguage gives it. */
export function i18nOf(code) {
    return createI18n({code, ...LANGUAGES[code]});
}

function createI18n({code, locale, words}) {
    const has = (key) => Object.prototype.hasOwnProperty.call(words, key);
    const {plural, numbers, moment, clock} = formats(locale);

    /* The sentence under `key` with {name} filled in from values; numbers as the reader writes them.
     * A sentence that depends on a number is {one, other}, by values.n. An unknown key gives itself. */
    function t(key, values = {}) {
        const found = has(key) ? words[key] : key;
        const text = typeof found === 'string' ? found : found[plural().select(values.n)] ?? found.other;
        return text.replace(/\{(\w+)\}/g, (mark, name) => show(values[name]));
    }

    function show(value) {
        return typeof value === 'number' ? numbers().format(value) : String(value ?? '');
    }

    /* A length of time, in its largest unit that leaves at least two of it. */
    function span(ms) {
        /** @type {[string, number][]} */
        const units = [['day', 86400000], ['hour', 3600000], ['minute', 60000]];
        /** @type {[string, number]} */
        const [unit, size] = units.find(([, length]) => ms >= 2 * length) ?? ['second', 1000];
        const digits = unit === 'second' && ms < 10000 ? 1 : 0;
        return new Intl.NumberFormat(locale,
            {style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits}).format(ms / size);
    }

    const sameDay = (a, b) => a.toDateString() === b.toDateString();
    return {
        code,
        locale,
        t,
        span,
        has,
        /* Fen as text, and as Intl's parts for those who set the number apart from its unit. */
        money: (fen, currency, signed) =>
            moneyParts(fen, {locale, currency, signed}).map((part) => part.value).join(''),
        moneyParts: (fen, currency) => moneyParts(fen, {locale, currency}),
        number: (n) => numbers().format(n),
        /* A time of the API, in the reader's zone: of today only the clock's. */
        time(text, now = new Date()) {
            const at = new Date(text);
            return (sameDay(at, now) ? clock() : moment()).format(at);
        },
        date: (text) => moment().format(new Date(text)),
        /* The next language in turn. */
        other: Object.keys(LANGUAGES).find((c) => c !== code) ?? code,
    };
}

/* Intl's formats, each made when it is first used: making one takes a phone tens of milliseconds. */
function formats(locale) {
    const once = (make) => {
        let made = null;
        return () => (made ??= make());
    };
    return {
        plural: once(() => new Intl.PluralRules(locale)),
        numbers: once(() => new Intl.NumberFormat(locale)),
        moment: once(() => new Intl.DateTimeFormat(locale, {dateStyle: 'medium', timeStyle: 'short'})),
        clock: once(() => new Intl.DateTimeFormat(locale, {timeStyle: 'medium', hourCycle: 'h23'})),
    };
}
