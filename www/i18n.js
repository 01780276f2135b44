/* The page's languages. A new one is a strings_*.js file and a line in LANGUAGES. */
import en from './strings_en.js';
import zh from './strings_zh.js';

export const LANGUAGES = {zh: {strings: zh, locale: 'zh-CN'}, en: {strings: en, locale: 'en'}};

/* The language to show: the chosen one, else the first of the browser's that there is, else English. */
export function pickLanguage(chosen, preferred) {
    const wanted = [chosen, ...preferred.map((code) => code.toLowerCase().split('-')[0])];
    return wanted.find((code) => code && Object.hasOwn(LANGUAGES, code)) ?? 'en';
}

/* code: a key of LANGUAGES. t('key', {name: ...}) gives the text; an unknown key gives itself. */
export function createI18n(code) {
    const {strings, locale} = LANGUAGES[code];
    const times = new Intl.DateTimeFormat(locale, {dateStyle: 'medium', timeStyle: 'short'});
    const t = (key, values = {}) =>
        (strings[key] ?? key).replace(/\{(\w+)\}/g, (mark, name) => String(values[name] ?? ''));
    return {
        code,
        locale,
        t,
        /* An ApiError in words. */
        problem(error) {
            const key = 'error.' + error.code;
            const known = Object.hasOwn(strings, key) ? key : 'error.other';
            return t(known, {member: error.member, detail: error.detail || error.code}).trim();
        },
        /* A time of the API, in the reader's zone. */
        time: (text) => times.format(new Date(text)),
        /* The next language in turn. */
        other: Object.keys(LANGUAGES).find((c) => c !== code),
    };
}
