// @ts-check
/* What the send form means, without the form: fields are the texts as typed. */
import {parseCount, parseYuan, readYuan, timesFen} from './money.js';

/* Amounts that are said to bring luck, in fen. */
export const LUCKY_FEN = [666, 888, 1888, 6666, 8888, 16800];

/* {mode, amount, shares, greeting, expires, to, ids} as an untouched form has them. */
export function emptyFields(expires = 86400) {
    return {mode: 'lucky', amount: '', shares: '', greeting: '', expires: String(expires), to: 'link', ids: '', theme: ''};
}

/* What it will cost, in fen, or null while that cannot be said. In equal mode people give the amount
 * per share, in lucky mode the total. */
export function totalOf({mode, amount, shares}) {
    const fen = parseYuan(amount);
    const count = parseCount(shares);
    if (mode === 'lucky') {
        return fen;
    }
    return fen === null || count === null ? null : timesFen(fen, count);
}

/**
 * What is wrong: {field, fault, limit} of the first, or null. fault is a key of the strings table; limit the number
 * that was passed, if any. limits: of the site, as far as it tells them.
 * @param {Record<string, string>} fields
 * @param {{[name: string]: number}} [limits]
 * @returns {{field: string, fault: string, limit?: number} | null}
 */
export function faultOf(fields, limits = {}) {
    const {fen, fault} = readYuan(fields.amount);
    const count = parseCount(fields.shares);
    const total = totalOf(/** @type {any} */ (fields));
    if (!fen) {
        return {field: 'amount', fault: 'fault.' + (fault === 'decimals' ? fault : 'amount')};
    }
    if (count === null) {
        return {field: 'shares', fault: 'fault.shares'};
    }
    if (limits.shares_max && count > limits.shares_max) {
        return {field: 'shares', fault: 'fault.shares.max', limit: limits.shares_max};
    }
    if (total === null) {
        return {field: 'amount', fault: 'fault.amount'};
    }
    if (total < count) {
        return {field: 'amount', fault: 'fault.least'};
    }
    if (limits.share_cap && total > limits.share_cap * count) {
        return {field: 'amount', fault: 'fault.cap', limit: limits.share_cap};
    }
    if (limits.greeting_max && [...fields.greeting.trim()].length > limits.greeting_max) {
        return {field: 'greeting', fault: 'fault.greeting.max', limit: limits.greeting_max};
    }
    if (fields.to !== 'link' && idsOf(fields.ids).length === 0) {
        return {field: 'ids', fault: 'fault.ids'};
    }
    if (fields.to === 'users' && count > idsOf(fields.ids).length) {
        return {field: 'shares', fault: 'fault.shares.people', limit: idsOf(fields.ids).length};
    }
    return null;
}

/* User ids as people separate them. */
export function idsOf(text) {
    return text.normalize('NFKC').split(/[\s,;、]+/).filter(Boolean);
}

/* The body of POST /v1/envelopes from fields without a fault. greeting: what stands for an empty one. */
export function bodyOf(fields, greeting) {
    const ids = idsOf(fields.ids);
    const to = {link: null, users: {users: ids}, group: {group: ids[0]}}[fields.to];
    return {
        mode: fields.mode,
        total: totalOf(fields),
        shares: parseCount(fields.shares),
        greeting: fields.greeting.trim() || greeting,
        expires_in: Number(fields.expires),
        ...(to && {to}),
        ...(fields.theme && {theme: fields.theme}),
    };
}

/* The field of the form that a member of the body came from. */
export function fieldOf(member) {
    return {total: 'amount', shares: 'shares', greeting: 'greeting', expires_in: 'expires'}[member]
        ?? (member?.startsWith('to') ? 'ids' : null);
}
