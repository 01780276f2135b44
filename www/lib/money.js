// @ts-check
/* Money on the page: text in yuan for people, integer fen for the program and the API. No value is
 * ever a fraction: text is cut at its point and both sides are read as whole numbers. */

/* The largest amount the service knows, in fen. */
export const AMOUNT_MAX_FEN = 1000000000000;

/* Fen from what somebody typed ("8", "8.8", "¥8.88", "1,000", full-width digits too), or null if it is
 * not an amount of at most two decimals within 0..AMOUNT_MAX_FEN. */
export function parseYuan(text) {
    const plain = text.normalize('NFKC').trim().replace(/^[¥￥]\s*/, '').replace(/。/g, '.');
    const match = /^(\d{1,11}|\d{1,3}(?:,\d{3}){1,3})(?:\.(\d{0,2}))?$/.exec(plain);
    if (!match) {
        return null;
    }
    const fen = Number(match[1].replaceAll(',', '') + (match[2] ?? '').padEnd(2, '0'));
    return fen <= AMOUNT_MAX_FEN ? fen : null;
}

/* A whole number of shares, or null. */
export function parseCount(text) {
    const plain = text.normalize('NFKC').trim();
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
    /** @type {any} Its parts are taken of a text, which Intl reads exactly and its types do not know. */
    const format = new Intl.NumberFormat(locale, {
        minimumFractionDigits: 2,
        maximumFractionDigits: 2,
        signDisplay: signed ? 'exceptZero' : 'auto',
        ...(code && {style: 'currency', currency, currencyDisplay: 'narrowSymbol'}),
    });
    const parts = format.formatToParts(formatFen(fen));
    return code ? parts : [...parts, {type: 'literal', value: ' '}, {type: 'currency', value: currency}];
}
