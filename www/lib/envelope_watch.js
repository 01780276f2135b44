// @ts-check
/* Follows one envelope: requests it again and again with If-None-Match and hands out what changed. At first only the
 * envelope itself, with at most one claim; the list from the moment in which it is wanted, page after page. Claims only
 * ever grow at the end, so full pages are never requested again: the last page is polled, and when it gets a successor
 * the poll moves on. */
import {CLAIMS_PAGE} from './api.js';
import {delayMs, mayRepeat, sleep} from './retry.js';

const LIVELY_MS = 60000;
const LIVELY_REST_MS = 1700;
const REST_MS = 5000;
const QUIET_MS = 600000;
const QUIET_REST_MS = 10000;

/* Milliseconds to rest when nothing has changed for this long: under 2 s in the minute after a change or an arrival,
 * then 12 requests a minute, after ten minutes 6; spread by a tenth, so that a crowd does not ask in step. */
export function intervalMs(unchangedMs, random = Math.random) {
    const base = unchangedMs < LIVELY_MS ? LIVELY_REST_MS : unchangedMs < QUIET_MS ? REST_MS : QUIET_REST_MS;
    return Math.round(base * (1 + random() / 10));
}

/**
 * ask(page, {etag, signal}) resolves as api.envelope does. onChange(envelope, claims) gets the envelope and the claims
 * loaded so far. Ends when the signal aborts or, for a closed envelope whose list is wanted, when its last claim was
 * loaded; onError(error) gets an error that is final, and ends it too; onTrouble(error) one that may pass.
 * visible(signal) resolves when the page is visible: after the first answer nothing is requested before.
 * Returns {poke, wantClaims}: ask now; load and follow the claims, too.
 * @param {{ask: (page: import('../types').Page, options: import('../types').CallOptions) => Promise<any>,
 *     onChange: (envelope: any, claims: import('../types').Claim[]) => void,
 *     onError: (error: any) => void, onTrouble?: (error: any) => void, signal: AbortSignal,
 *     visible?: (signal: AbortSignal) => Promise<void>, pause?: import('../types').Pause, now?: () => number}} given
 */
export function watchEnvelope(
    {ask, onChange, onError, onTrouble, signal, visible = async () => undefined, pause = sleep, now = Date.now}) {
    /** @type {{full: import('../types').Claim[], after: string | null, etag: string | null | undefined,
     *     wanted: boolean, changedAt: number, answered: boolean}} */
    const seen = {full: [], after: null, etag: null, wanted: false, changedAt: now(), answered: false};
    const rest = sleeper(pause, signal);

    /* One request. Resolves to the milliseconds to rest after it, or null if nothing can change any more. */
    async function round() {
        const {wanted} = seen;
        const page = {after: seen.after, limit: wanted ? CLAIMS_PAGE : 1};
        const answer = await ask(page, {etag: seen.etag, signal});
        if (wanted !== seen.wanted) {
            return 0;
        }
        if (answer.status === 304) {
            return intervalMs(now() - seen.changedAt);
        }
        const envelope = answer.body;
        seen.changedAt = now();
        seen.etag = answer.etag;
        onChange(envelope, wanted ? seen.full.concat(envelope.claims) : []);
        if (wanted && envelope.next !== null) {
            seen.full = seen.full.concat(envelope.claims);
            Object.assign(seen, {after: envelope.next, etag: null});
            return 0;
        }
        return envelope.state === 'open' ? intervalMs(0) : wanted ? null : QUIET_REST_MS;
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
            seen.changedAt = now();
            rest.wake();
        },
        wantClaims() {
            if (!seen.wanted) {
                Object.assign(seen, {wanted: true, etag: null});
                rest.wake();
            }
        },
    };
}

/* {sleep(ms), wake()}: sleeps until the time has passed, the signal aborts, or wake() is called. A call of wake() while
 * nothing sleeps ends the next sleep. */
function sleeper(pause, signal) {
    /** @type {() => void} */
    let stop = () => undefined;
    let woken = false;
    return {
        async sleep(ms) {
            if (ms > 0 && !woken) {
                const early = new AbortController();
                stop = () => early.abort();
                signal.addEventListener('abort', stop, {once: true});
                await pause(ms, early.signal).catch(() => undefined);
                signal.removeEventListener('abort', stop);
            }
            woken = false;
        },
        wake() {
            woken = true;
            stop();
        },
    };
}
