// @ts-check
/* What is asked again, when, and for how long. Only identical requests are repeated: a send has its
 * Idempotency-Key, an open gives the same answer to the same person, a grab and a GET change nothing
 * that a repeat could double. */

const AGAIN = new Set(['unavailable', 'rate_limited', 'idempotency_in_progress', 'timeout', 'network']);

/* True if the identical request may succeed later. */
export function mayRepeat(error) {
    return AGAIN.has(error.code);
}

/* Milliseconds until try n+1 (n = 1 for the first failure): what the server asked for, else doubling
 * from half a second to 8 s; up to a third more, so that a crowd does not come back in step. */
export function delayMs(retryAfterS, n, random = Math.random) {
    const base = retryAfterS > 0 ? retryAfterS * 1000 : Math.min(8000, 500 * 2 ** (n - 1));
    return Math.round(base * (1 + random() / 3));
}

/**
 * Throws the signal's reason if it was aborted. Browsers have a method for it only since Chrome 100.
 * @param {AbortSignal} [signal]
 */
export function throwIfAborted(signal) {
    if (signal?.aborted) {
        throw signal.reason ?? new DOMException('aborted', 'AbortError');
    }
}

/** Resolves after ms; rejects with the signal's reason when it aborts first. @type {import('../types').Pause} */
export function sleep(ms, signal) {
    return new Promise((resolve, reject) => {
        throwIfAborted(signal);
        const timer = setTimeout(() => {
            signal?.removeEventListener('abort', stop);
            resolve(undefined);
        }, ms);
        function stop() {
            clearTimeout(timer);
            reject(signal?.reason ?? new DOMException('aborted', 'AbortError'));
        }
        signal?.addEventListener('abort', stop, {once: true});
    });
}

/* While the browser says that it is offline, trying again is of no use; but it may be wrong. */
const OFFLINE_MS = 60000;

/**
 * A sleep that ends early when `target` (a window) comes online again, and that goes on while it is offline: so a
 * request lost to a tunnel is repeated at its end, and no tries are used up inside.
 * @param {any} target
 * @returns {import('../types').Pause}
 */
export function sleepUntilOnline(target) {
    return async (ms, signal) => {
        const early = new AbortController();
        const stop = () => early.abort();
        target.addEventListener('online', stop, {once: true});
        signal?.addEventListener('abort', stop, {once: true});
        try {
            throwIfAborted(signal);
            const offline = target.navigator?.onLine === false;
            await sleep(offline ? Math.max(ms, OFFLINE_MS) : ms, early.signal).catch(() => undefined);
            throwIfAborted(signal);
        } finally {
            target.removeEventListener('online', stop);
            signal?.removeEventListener('abort', stop);
        }
    };
}

/**
 * Run attempt() until it resolves, fails for good, or has been tried `tries` times; resolves or
 * rejects as the last attempt did. onWait(error) is called before each pause.
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {import('../types').Patience} [patience]
 * @returns {Promise<T>}
 */
export async function persist(attempt, {tries = 8, signal, onWait, pause = sleep} = {}) {
    for (let n = 1; ; n++) {
        try {
            return await attempt();
        } catch (error) {
            throwIfAborted(signal);
            if (!mayRepeat(error) || n >= tries) {
                throw error;
            }
            onWait?.(error);
            await pause(delayMs(error.retryAfter, n), signal);
        }
    }
}
