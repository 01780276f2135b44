// @ts-check
/* A rush: many guests after one envelope at once, each with one claim that is repeated as the service asks for. No DOM;
 * the API, the clock and the pauses are passed in. */
import {latencyClasses, quantile} from './chart.js';
import {grabUntilFinal} from './grab_open.js';
import {persist, sleep, throwIfAborted} from './retry.js';

export const GUESTS = 30;
export const SHARES = 10;
export const TOTAL_FEN = 888;

/* Signs `count` guests in, a few at a time; apiFor(token) makes a client. Resolves to
 * [{name, user, api}]; nameOf(n) is the n-th one's name, n from 1. */
export async function makeGuests({count, anonymous, apiFor, nameOf, signal, pause = sleep}) {
    const guests = [];
    const lane = async () => {
        while (guests.length < count) {
            const n = guests.push(null);
            const {body} = await persist(() => anonymous.guest(nameOf(n), {signal}), {signal, pause});
            guests[n - 1] = {name: body.name, user: body.user, api: apiFor(body.token)};
        }
    };
    await Promise.all(Array.from({length: 6}, lane));
    return guests;
}

/* Lets all guests claim a share of envelope `id` at the same moment. now(): milliseconds. onEvent(event)
 * is told of each guest's end as it comes. Resolves to
 *   {ends: [{guest, state: opened | sold_out | expired | failed, amount, seq, code}],
 *    answers: [{state, asked, ms}], busy, elapsed_ms}
 * answers: every single HTTP answer, those that said "busy" too. */
export async function race({guests, id, now, signal, onEvent, pause = sleep}) {
    const answers = [];
    const begin = now();
    const timed = (call) => async () => {
        const asked = now();
        try {
            const {body} = await call();
            answers.push({state: body.state, asked, ms: now() - asked});
            return body;
        } catch (error) {
            answers.push({state: error.code, asked, ms: now() - asked});
            throw error;
        }
    };

    async function run({name, api}) {
        const end = await grabUntilFinal({grab: timed(() => api.claim(id, {signal}))}, {signal, pause});
        return {guest: name, state: end.state, amount: end.amount ?? null, seq: end.seq ?? null};
    }

    const ends = await Promise.all(guests.map(async (guest) => {
        const end = await run(guest).catch((error) => {
            throwIfAborted(signal);
            return {guest: guest.name, state: 'failed', amount: null, seq: null, code: error.code};
        });
        onEvent?.(end);
        return end;
    }));
    const elapsed_ms = now() - begin;
    return {ends, answers, busy: answers.filter((a) => a.state === 'busy').length, elapsed_ms};
}

/* Answers a second over the time in which at least one was awaited: the pauses of those who were told to
 * come again do not count. */
function perSecond(answers) {
    let awaited = 0;
    let end = -Infinity;
    for (const {asked, ms} of [...answers].sort((a, b) => a.asked - b.asked)) {
        awaited += Math.max(0, asked + ms - Math.max(end, asked));
        end = Math.max(end, asked + ms);
    }
    return awaited > 0 ? answers.length * 1000 / awaited : 0;
}

/* What a race comes to: {won (by amount), away, failed, answers, perSecond, medianMs, p99Ms, classes}. */
export function rushFigures({ends, answers}) {
    const latencies = answers.map((a) => a.ms);
    const won = ends.filter((e) => e.state === 'opened');
    return {
        won: won.sort((a, b) => b.amount - a.amount || a.seq - b.seq),
        away: ends.filter((e) => e.state === 'sold_out' || e.state === 'expired').length,
        failed: ends.filter((e) => e.state === 'failed'),
        answers: answers.length,
        perSecond: perSecond(answers),
        medianMs: quantile(latencies, 0.5),
        p99Ms: quantile(latencies, 0.99),
        classes: latencyClasses(latencies),
    };
}
