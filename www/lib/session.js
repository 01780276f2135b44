// @ts-check
/* The signed-in user: how a session begins and ends. No DOM; the question to a guest is passed in. */
import {claimsOf} from './browser_storage.js';

/**
 * Manage the session kept in `store`.
 * changed(): called after another user, or none, is signed in. confirmSignOut(): resolves to whether a guest, who
 * would lose everything, signs out all the same.
 * @param {{store: import('../types').Storage, changed: () => void, confirmSignOut: () => Promise<boolean>}} given
 * @returns {import('../types').Session}
 */
export function createSession({store, changed, confirmSignOut}) {
    /** @type {string | null} */
    let trouble = null;
    /** @type {string | null} */
    let intent = null;

    function signOut() {
        store.signOut();
        changed();
    }

    const then = (change) => (token) => {
        change(token);
        changed();
    };
    return {
        signInGuest(token, wanted = null) {
            intent = wanted;
            store.signInGuest(token);
            changed();
        },
        signInTab: then(store.signInTab),
        resumeGuest: then(store.resumeGuest),
        async askSignOut() {
            const guest = claimsOf(store.token())?.sub.startsWith('guest:');
            if (!guest || await confirmSignOut()) {
                signOut();
            }
        },
        end(code) {
            trouble = code === 'token_expired' ? code : 'unauthorized';
            signOut();
        },
        takeIntent() {
            const id = intent;
            intent = null;
            return id;
        },
        takeTrouble() {
            const code = trouble;
            trouble = null;
            return code;
        },
    };
}
