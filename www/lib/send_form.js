// @ts-check
/* What the send form means, without the form: fields are the texts as typed. */
import {parseCount, parseYuan, timesFen} from './money.js';

export const EXPIRES_S = [3600, 86400, 259200];

/* {mode, amount, shares, greeting, expires, to, ids} as an untouched form has them. */
export function emptyFields() {
    return {mode: 'lucky', amount: '', shares: '', greeting: '', expires: '86400', to: 'link', ids: ''};
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

/* What is wrong: {field, fault} of the first, or null. fault is a key of the strings table. */
export function faultOf(fields) {
    const count = parseCount(fields.shares);
    const total = totalOf(fields);
    if (!parseYuan(fields.amount)) {
        return {field: 'amount', fault: 'fault.amount'};
    }
    if (count === null) {
        return {field: 'shares', fault: 'fault.shares'};
    }
    if (total === null) {
        return {field: 'amount', fault: 'fault.amount'};
    }
    if (total < count) {
        return {field: 'amount', fault: 'fault.least'};
    }
    if (fields.to !== 'link' && idsOf(fields.ids).length === 0) {
        return {field: 'ids', fault: 'fault.ids'};
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
    };
}

/* The field of the form that a member of the body came from. */
export function fieldOf(member) {
    return {total: 'amount', shares: 'shares', greeting: 'greeting', expires_in: 'expires'}[member]
        ?? (member?.startsWith('to') ? 'ids' : null);
}
