// @ts-check
/* Follows one envelope: requests it again and again with If-None-Match and hands out what changed. At first only the
 * envelope itself, with at most one claim; the list from the moment in which it is wanted, page after page. Claims only
 * ever grow at the end, so the last page is polled, and when it gets a successor the poll moves on. Thanks come to every
 * page, also after the close: they change the ETag of all, so a change of the last page makes the full ones stale, and
 * with each poll one stale page is requested again by its ETag. While nothing changes, none is. */
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

/** @typedef {{after: string | null, etag: string | null | undefined, claims: import('../types').Claim[],
 *     stale: boolean}} FullPage */

/**
 * ask(page, {etag, signal}) resolves as api.envelope does. onChange(envelope, claims) gets the envelope and the claims
 * loaded so far. Ends when the signal aborts; onError(error) gets an error that is final, and ends it too;
 * onTrouble(error) one that may pass.
 * visible(signal) resolves when the page is visible: after the first answer nothing is requested before.
 * Returns {poke, wantClaims}: ask now; load and follow the claims, too.
 * @param {{ask: (page: import('../types').Page, options: import('../types').CallOptions) => Promise<any>,
 *     onChange: (envelope: any, claims: import('../types').Claim[]) => void,
 *     onError: (error: any) => void, onTrouble?: (error: any) => void, signal: AbortSignal,
 *     visible?: (signal: AbortSignal) => Promise<void>, pause?: import('../types').Pause, now?: () => number}} given
 */
export function watchEnvelope(
    {ask, onChange, onError, onTrouble, signal, visible = async () => undefined, pause = sleep, now = Date.now}) {
    /** @type {{envelope: any, after: string | null, etag: string | null | undefined, wanted: boolean, changedAt: number,
     *     answered: boolean}} */
    const seen = {envelope: null, after: null, etag: null, wanted: false, changedAt: now(), answered: false};
    const rest = sleeper(pause, signal);
    const full = fullPages(ask, signal);
    const tell = () => onChange(seen.envelope, seen.wanted ? full.claims().concat(seen.envelope.claims) : []);

    /* One request of the last page. Resolves to the milliseconds to rest after it. */
    async function round() {
        const {wanted} = seen;
        const page = {after: seen.after, limit: wanted ? CLAIMS_PAGE : 1};
        const answer = await ask(page, {etag: seen.etag, signal});
        if (wanted !== seen.wanted) {
            return 0;
        }
        if (answer.status === 304) {
            return restMs(seen.envelope, full.stale(), now() - seen.changedAt);
        }
        Object.assign(seen, {changedAt: now(), etag: answer.etag, envelope: answer.body});
        full.spoil();
        tell();
        const {claims, next} = answer.body;
        if (wanted && next !== null) {
            full.add({after: seen.after, etag: answer.etag, claims, stale: false});
            Object.assign(seen, {after: next, etag: null, envelope: {...answer.body, claims: []}});
            return 0;
        }
        return wanted || answer.body.state === 'open' ? restMs(answer.body, full.stale(), 0) : QUIET_REST_MS;
    }

    async function run() {
        for (let failures = 0; !signal.aborted;) {
            try {
                if (seen.answered) {
                    await visible(signal);
                }
                const pauseMs = await round();
                seen.answered = true;
                if (pauseMs > 0 && await full.refresh()) {
                    tell();
                }
                failures = 0;
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

/* A closed envelope gets thanks and nothing else: these may come later than claims, unless there are stale pages. */
function restMs(envelope, stale, unchangedMs) {
    return intervalMs(envelope.state === 'open' || stale ? unchangedMs : Math.max(unchangedMs, LIVELY_MS));
}

/* The pages that have a successor. */
function fullPages(ask, signal) {
    /** @type {FullPage[]} */
    const pages = [];
    return {
        claims: () => pages.flatMap(({claims}) => claims),
        stale: () => pages.some(({stale}) => stale),
        /** @param {FullPage} page */
        add: (page) => pages.push(page),
        spoil: () => pages.forEach((page) => Object.assign(page, {stale: true})),

        /* Request a stale page again, if there is one. Resolves to true if it has changed. */
        async refresh() {
            const page = pages.find(({stale}) => stale);
            if (!page) {
                return false;
            }
            const answer = await ask({after: page.after, limit: CLAIMS_PAGE}, {etag: page.etag, signal});
            page.stale = false;
            if (answer.status === 304) {
                return false;
            }
            Object.assign(page, {etag: answer.etag, claims: answer.body.claims});
            return true;
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
