// @ts-check
/* Follows one envelope: asks for it again and again with If-None-Match and hands out what changed.
 * Claims only ever grow at the end, so pages that are full are never asked for again: the last page is
 * polled, and when it gets a successor the poll moves on. */
import {CLAIMS_PAGE} from './api.js';
import {delayMs, mayRepeat, sleep} from './retry.js';

const AUTOMATIC_ROWS = 500;
const FIRST_MS = 1000;
const LONGEST_MS = 10000;
const UNTIL_ASKED = 2147483647;

/* Milliseconds to rest after n answers in a row that told nothing new: 1 s at first, half as much again
 * each time, 10 s at most; spread by a tenth either way, so that a crowd does not ask in step. */
export function intervalMs(n, random = Math.random) {
    const base = Math.min(LONGEST_MS, FIRST_MS * 1.5 ** n);
    return Math.min(LONGEST_MS, Math.round(base * (0.9 + random() / 5)));
}

/**
 * ask(page, {etag, signal}) resolves as api.envelope does. onChange(envelope, claims, more) gets the
 * envelope, all claims loaded so far and whether there are more than are followed by themselves.
 * Ends when the signal aborts or, for a closed envelope, when its last claim was loaded; onError(error)
 * gets an error that will not go away, and ends it too; onTrouble(error) one that may. visible(signal)
 * resolves at once if somebody can see the page, else as soon as they can: after the first answer nothing
 * is asked before.
 * Returns {poke, loadMore}: ask now; follow one page more.
 * @param {{ask: (page: import('../types').Page, options: import('../types').CallOptions) => Promise<any>,
 *     onChange: (envelope: any, claims: import('../types').Claim[], more: boolean) => void,
 *     onError: (error: any) => void, onTrouble?: (error: any) => void, signal: AbortSignal,
 *     visible?: (signal: AbortSignal) => Promise<void>, pause?: import('../types').Pause}} given
 */
export function watchEnvelope(
    {ask, onChange, onError, onTrouble, signal, visible = async () => undefined, pause = sleep}) {
    /** @type {{full: import('../types').Claim[], tail: import('../types').Claim[], after: string | null,
     *     etag: string | null | undefined, limit: number, same: number, answered: boolean}} */
    const seen = {full: [], tail: [], after: null, etag: null, limit: AUTOMATIC_ROWS, same: 0, answered: false};
    const rest = sleeper(pause, signal);

    /* One question. Resolves to the milliseconds to rest after it, or null if nothing can change. */
    async function round() {
        const page = {after: seen.after, limit: CLAIMS_PAGE};
        const answer = await ask(page, {etag: seen.etag, signal});
        if (answer.status === 304) {
            return intervalMs(seen.same++);
        }
        const envelope = answer.body;
        const wanted = seen.full.length + envelope.claims.length < seen.limit;
        seen.same = 0;
        seen.tail = envelope.claims;
        seen.etag = answer.etag;
        const advance = envelope.next !== null && wanted;
        onChange(envelope, seen.full.concat(seen.tail), envelope.next !== null && !wanted);
        if (advance) {
            seen.full = seen.full.concat(seen.tail);
            Object.assign(seen, {tail: [], after: envelope.next, etag: null});
            return 0;
        }
        return envelope.state === 'open' ? intervalMs(0) : envelope.next === null ? null : UNTIL_ASKED;
    }

    async function run() {
        for (let failures = 0; !signal.aborted;) {
            try {
                if (seen.answered) {
                    await visible(signal);
                }
                const pauseMs = await round();
                seen.answered = true;
                failures = 0;
                if (pauseMs === null) {
                    return;
                }
                await rest.sleep(pauseMs);
            } catch (error) {
                if (signal.aborted) {
                    return;
                }
                if (!mayRepeat(error)) {
                    onError(error);
                    return;
                }
                onTrouble?.(error);
                await rest.sleep(delayMs(error.retryAfter, ++failures));
            }
        }
    }
    run();
    return {
        poke() {
            seen.same = 0;
            rest.wake();
        },
        loadMore() {
            seen.limit += CLAIMS_PAGE;
            seen.etag = null;
            rest.wake();
        },
    };
}

/* {sleep(ms), wake()}: sleeps until the time has passed, the signal aborts, or wake() is called. */
function sleeper(pause, signal) {
    /** @type {() => void} */
    let stop = () => undefined;
    return {
        async sleep(ms) {
            const early = new AbortController();
            stop = () => early.abort();
            signal.addEventListener('abort', stop, {once: true});
            await pause(ms, early.signal).catch(() => undefined);
            signal.removeEventListener('abort', stop);
        },
        wake: () => stop(),
    };
}
