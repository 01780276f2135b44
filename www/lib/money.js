// @ts-check
/* Money on the page: text in yuan for people, integer fen for the program and the API. No value is
 * ever a fraction: text is cut at its decimal mark and both sides are read as whole numbers. */

/* The largest amount the service knows, in fen. */
export const AMOUNT_MAX_FEN = 1000000000000;

/* Digits of other scripts that number keys may give: Arabic-Indic, and the same of Persian. */
const DIGITS = [0x0660, 0x06f0];
const GROUPED = /^\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*$/;

/* Text as typed, with ASCII digits and signs, without a currency's sign, word or code around it. */
function plainNumber(text) {
    const ascii = text.normalize('NFKC').replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => {
        const code = digit.charCodeAt(0);
        return String(code - DIGITS[code >= DIGITS[1] ? 1 : 0]);
    });
    return ascii.replace(/[。．٫]/g, '.').replace(/[،٬]/g, ',').replace(/[’`´]/g, "'").replace(/[\s\u00a0\u202f]+/g, ' ')
        .replace(/^[^\d.,+-]{0,4}|[^\d.,+-]{0,4}$/g, '').trim();
}

/**
 * Fen from what was typed, as it is written anywhere: "8.88", "8,88", "¥8", "8元", "1,000.50", "1.000,50", "1 000",
 * ".5", full-width and Arabic digits. Gives {fen}, or {fault}: amount (no amount at all), decimals (more than two), or
 * range. A point or comma followed by at most two digits at the end is the decimal mark; a comma before three digits
 * separates thousands.
 * @param {string} text
 * @returns {{fen: number | null, fault: string | null}}
 */
export function readYuan(text) {
    const plain = plainNumber(text);
    const [, whole = '', mark = '', cents = ''] = /^(.*?)(?:([.,])(\d{0,2}))?$/.exec(plain) ?? [];
    const fail = (fault) => ({fen: null, fault});
    if (/^\d*\.\d{3,}$/.test(plain) || /^\d+,\d{4,}$/.test(plain)) {
        return fail('decimals');
    }
    const group = GROUPED.exec(whole)?.[1];
    if (!(/^\d{0,13}$/.test(whole) || (group && group !== mark)) || (whole + cents) === '') {
        return fail('amount');
    }
    const fen = Number(whole.replace(/\D/g, '') + cents.padEnd(2, '0'));
    return fen <= AMOUNT_MAX_FEN ? {fen, fault: null} : fail('range');
}

/* Fen, or null if the text is no amount. */
export function parseYuan(text) {
    return readYuan(text).fen;
}

/* A whole number of shares, or null. */
export function parseCount(text) {
    const plain = plainNumber(text).replace(/^0+(?=\d)/, '');
    return /^[1-9]\d{0,6}$/.test(plain) ? Number(plain) : null;
}

/* fen * n, or null if it passes AMOUNT_MAX_FEN. */
export function timesFen(fen, n) {
    const product = fen * n;
    return Number.isSafeInteger(product) && product <= AMOUNT_MAX_FEN ? product : null;
}

/* "8.88" from 888; a minus sign in front where there is one. */
export function formatFen(fen) {
    const digits = String(fen).replace('-', '').padStart(3, '0');
    return (fen < 0 ? '-' : '') + digits.slice(0, -2) + '.' + digits.slice(-2);
}

/* Fen for a reader, as the parts of Intl.NumberFormat: [{type, value}]. currency: a code of three
 * letters, or what a community calls its points, which then follows the number. signed: plus shows. */
export function moneyParts(fen, {locale, currency, signed = false}) {
    const code = /^[A-Z]{3}$/.test(currency);
    const options = {
        minimumFractionDigits: 2,
        maximumFractionDigits: 2,
        signDisplay: signed ? 'exceptZero' : 'auto',
        ...(code && {style: 'currency', currency, currencyDisplay: 'narrowSymbol'}),
    };
    const parts = numberFormat(locale, options).formatToParts(formatFen(fen));
    return code ? parts : [...parts, {type: 'literal', value: ' '}, {type: 'currency', value: currency}];
}

/**
 * Its parts are taken of a text, which Intl reads exactly and its types do not know. Safari 14.0 lacks narrow symbols.
 * @returns {any}
 */
function numberFormat(locale, options) {
    try {
        return new Intl.NumberFormat(locale, options);
    } catch {
        return new Intl.NumberFormat(locale, {...options, currencyDisplay: 'symbol'});
    }
}
