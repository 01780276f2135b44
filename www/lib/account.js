// @ts-check
/* The signed-in person's name and balance, as last heard, shared by all views. */
import {persist, sleep} from './retry.js';

/**
 * listen(f, signal): f() after every change, until the signal (if any) aborts. refresh() asks once; if
 * that fails, what was last heard stays. settle() asks until nothing is on its way to the balance any
 * more, for at most a few seconds. onMe(me) gets each answer first.
 * @param {{api: import('../types').Api, signedIn: () => boolean, onMe?: (me: import('../types').Me) => void,
 *     pause?: import('../types').Pause}} given
 */
export function createAccount({api, signedIn, onMe, pause = sleep}) {
    /** @type {Set<() => void>} */
    const listeners = new Set();
    const account = {me: /** @type {import('../types').Me | null} */ (null), listen, refresh, settle, forget};

    /** @param {() => void} f @param {AbortSignal} [signal] */
    function listen(f, signal) {
        listeners.add(f);
        signal?.addEventListener('abort', () => listeners.delete(f), {once: true});
    }

    function change(me) {
        account.me = me;
        listeners.forEach((f) => f());
    }

    function forget() {
        change(null);
    }

    async function refresh() {
        if (!signedIn()) {
            return;
        }
        const answer = await persist(() => api.me(), {tries: 4, pause}).catch(() => null);
        if (answer && signedIn()) {
            onMe?.(answer.body);
            change(answer.body);
        }
    }

    async function settle() {
        for (let n = 0; n < 8; n++) {
            await refresh();
            if (!account.me || account.me.pending === 0) {
                return;
            }
            await sleep(700);
        }
    }
    return account;
}
