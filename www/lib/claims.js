// @ts-check
/* The claims of an envelope as a list to look through: ordered, filtered, and as a table for other programs. No DOM. */
import {CLAIMS_PAGE} from './api.js';
import {persist} from './retry.js';

/**
 * The claims to show, in order: by time the newest first, by amount the largest first, of equals the earlier. The
 * luckiest one of a closed envelope comes first either way. query: part of a name, in whatever case.
 * @param {import('../types').Claim[]} claims
 * @param {{order: string, query: string, first: number | null}} view first: seq of the one that comes first, or null
 */
export function arrangeClaims(claims, {order, query, first}) {
    const wanted = query.trim().toLowerCase();
    const found = wanted ? claims.filter(({name}) => name.toLowerCase().includes(wanted)) : [...claims];
    found.sort(order === 'amount' ? (a, b) => b.amount - a.amount || a.seq - b.seq : (a, b) => b.seq - a.seq);
    const at = found.findIndex(({seq}) => seq === first);
    return at > 0 ? [found[at], ...found.slice(0, at), ...found.slice(at + 1)] : found;
}

/* A cell that a spreadsheet takes for text: never for a formula. */
function cell(value) {
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value ?? '');
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

/**
 * Comma-separated values (RFC 4180) with a byte order mark, by which spreadsheets know UTF-8.
 * @param {any[][]} rows the first is the heads
 */
export function csvOf(rows) {
    return '\uFEFF' + rows.map((row) => row.map(cell).join(',') + '\r\n').join('');
}

/**
 * The envelope with all its claims, page after page.
 * @param {import('../types').Api} api
 * @param {string} id
 * @param {import('../types').Patience} patience
 */
export async function wholeEnvelope(api, id, {signal, pause}) {
    /** @type {import('../types').Claim[]} */
    const claims = [];
    for (let after = /** @type {string | null} */ (null); ;) {
        const page = {after, limit: CLAIMS_PAGE};
        const {body} = await persist(() => api.envelope(id, page, {signal}), {tries: 4, signal, pause});
        claims.push(...body.claims);
        if (body.next === null) {
            return {envelope: body, claims};
        }
        after = body.next;
    }
}
