/* Follows one envelope: asks for it again and again with If-None-Match and hands out what changed.
 * Claims only ever grow at the end, so pages that are full are never asked for again: the last page is
 * polled, and when it gets a successor the poll moves on. */
import {delayMs, mayRepeat, sleep} from './retry.js';

const PAGE = 100;
const INTERVAL_MS = 1500;
const AUTOMATIC_ROWS = 500;
const UNTIL_ASKED = 2147483647;

/* ask(page, {etag, signal}) resolves as api.envelope does. onChange(envelope, claims, more) gets the
 * envelope, all claims loaded so far and whether there are more than are followed by themselves.
 * Ends when the signal aborts or, for a closed envelope, when its last claim was loaded; onError(error)
 * gets an error that will not go away, and ends it too. Returns {poke, loadMore}: ask now; follow one
 * page more. */
export function watchEnvelope({ask, onChange, onError, signal, hidden = () => false}) {
    const seen = {full: [], tail: [], after: null, etag: null, limit: AUTOMATIC_ROWS};
    let wake = () => undefined;

    /* One question. Resolves to the milliseconds to rest after it, or null if nothing can change. */
    async function round() {
        const page = {after: seen.after, limit: PAGE};
        const answer = await ask(page, {etag: seen.etag, signal});
        if (answer.status === 304) {
            return INTERVAL_MS;
        }
        const envelope = answer.body;
        const wanted = seen.full.length + envelope.claims.length < seen.limit;
        seen.tail = envelope.claims;
        seen.etag = answer.etag;
        const advance = envelope.next !== null && wanted;
        onChange(envelope, seen.full.concat(seen.tail), envelope.next !== null && !wanted);
        if (advance) {
            seen.full = seen.full.concat(seen.tail);
            Object.assign(seen, {tail: [], after: envelope.next, etag: null});
            return 0;
        }
        return envelope.state === 'open' ? INTERVAL_MS : envelope.next === null ? null : UNTIL_ASKED;
    }

    /* Rests until the time has passed, or poke or loadMore was called. */
    async function rest(ms) {
        const early = new AbortController();
        const stop = () => early.abort();
        wake = stop;
        signal.addEventListener('abort', stop, {once: true});
        await sleep(ms, early.signal).catch(() => undefined);
        signal.removeEventListener('abort', stop);
    }

    async function run() {
        for (let failures = 0; !signal.aborted;) {
            try {
                const pause = hidden() ? INTERVAL_MS : await round();
                failures = 0;
                if (pause === null) {
                    return;
                }
                await rest(pause);
            } catch (error) {
                if (signal.aborted) {
                    return;
                }
                if (!mayRepeat(error)) {
                    onError(error);
                    return;
                }
                await rest(delayMs(error.retryAfter, ++failures));
            }
        }
    }
    run();
    return {
        poke: () => wake(),
        loadMore() {
            seen.limit += PAGE;
            seen.etag = null;
            wake();
        },
    };
}
