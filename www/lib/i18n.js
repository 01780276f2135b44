// @ts-check
/* The page's languages. A new one is a file in words/ and a line in LANGUAGES. All are part of the first bundle: they are small, a request costs more, and
 * the language can be changed offline. */
import en from '../words/en.js';
import zh from '../words/zh.js';
import zhHant from '../words/zh_hant.js';
import {moneyParts} from './money.js';

/** @type {Record<string, {locale: string, words: Record<string, any>}>} */
const LANGUAGES = {
    en: {locale: 'en', words: en},
    zh: {locale: 'zh-CN', words: zh},
    'zh-Hant': {locale: 'zh-TW', words: zhHant},
};

/** @type {[string, number][]} */
const UNITS = [['day', 86400000], ['hour', 3600000], ['minute', 60000]];

const isKnown = (code) => Object.prototype.hasOwnProperty.call(LANGUAGES, code);

/* The language that a code of the browser's asks for: zh-Hant where traditional characters are written. */
function languageOf(code) {
    const [language, ...rest] = code.toLowerCase().split('-');
    const traditional = language === 'zh' && rest.some((part) => ['hant', 'tw', 'hk', 'mo'].includes(part));
    return traditional && !rest.includes('hans') ? 'zh-Hant' : language;
}

/* The language to show: the chosen one, else the first of the browser's that there is, else English. */
export function pickLanguage(chosen, preferred) {
    return [chosen, ...preferred.map(languageOf)].find((code) => code && isKnown(code)) ?? 'en';
}

/* code: as pickLanguage gives it. preferred: the browser's languages; the first of this language says how its region
 * writes dates and numbers. */
export function i18nOf(code, preferred = /** @type {readonly string[]} */ ([])) {
    const {locale, words} = LANGUAGES[code];
    const region = preferred.find((wanted) => wanted.includes('-') && languageOf(wanted) === code);
    return createI18n({code, locale: region ?? locale, words});
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

    /* As t(), in pieces: values that are nodes stay nodes. */
    function pieces(key, values) {
        const names = Object.keys(values);
        const mark = (n) => '\u0000' + n + '\u0000';
        const text = t(key, Object.fromEntries(names.map((name, n) => [name, mark(n)])));
        return text.split('\u0000').map((piece, n) => (n % 2 ? values[names[Number(piece)]] : piece));
    }

    function show(value) {
        return typeof value === 'number' ? numbers().format(value) : String(value ?? '');
    }

    /** @param {number} n @param {string} unit @param {any} options */
    function inUnit(n, unit, options) {
        try {
            return new Intl.NumberFormat(locale, {style: 'unit', unit, ...options}).format(n);
        } catch { /* Safari 14.0 has no units */
            return `${numbers().format(n)} ${unit}`;
        }
    }

    /* A length of time that was measured, in its largest unit that leaves at least two of it. */
    function span(ms) {
        const [unit, size] = UNITS.find(([, length]) => ms >= 2 * length) ?? ['second', 1000];
        const digits = unit === 'second' && ms < 10000 ? 1 : 0;
        return inUnit(ms / size, unit, {unitDisplay: 'short', maximumFractionDigits: digits});
    }

    /* A length of time that was chosen, in seconds, in its largest unit that leaves no rest. */
    function duration(seconds) {
        const [unit, size] = UNITS.find(([, length]) => seconds * 1000 % length === 0) ?? ['second', 1000];
        return inUnit(seconds * 1000 / size, unit, {unitDisplay: 'long'});
    }

    const sameDay = (a, b) => a.toDateString() === b.toDateString();
    return {
        code,
        locale,
        t,
        pieces,
        span,
        duration,
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
        other: Object.keys(LANGUAGES)[(Object.keys(LANGUAGES).indexOf(code) + 1) % Object.keys(LANGUAGES).length],
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
        moment: once(() => new Intl.DateTimeFormat(locale, {dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23'})),
        clock: once(() => new Intl.DateTimeFormat(locale, {timeStyle: 'medium', hourCycle: 'h23'})),
    };
}
