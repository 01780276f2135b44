/* What this browser remembers: who is signed in, the language, and a send whose outcome is not known
 * yet. Names carry the page's folder, so that two installations on one host stay apart. Browsers may
 * forbid storage; then the memory lasts as long as the page. */

/* local, session: Storage objects or null; scope: the page's folder. */
export function createStore({local, session, scope}) {
    const lasting = guarded(local, scope);
    const tab = guarded(session, scope);
    return {
        /* The bearer token, or null. */
        token: () => lasting.get('token'),
        signIn: (token) => lasting.set('token', token),
        signOut: () => lasting.remove('token'),
        language: () => lasting.get('language'),
        setLanguage: (code) => lasting.set('language', code),
        /* {key, body, user}: kept from before the request until its answer is definite, so that a
         * reload repeats the identical request instead of sending twice. Only its own user sees it:
         * under another one the same key would be a second send. */
        unfinishedSend() {
            const send = parse(tab.get('send'));
            return send && send.user === userOf(lasting.get('token')) ? send : null;
        },
        keepSend({key, body}) {
            tab.set('send', JSON.stringify({key, body, user: userOf(lasting.get('token'))}));
        },
        forgetSend: () => tab.remove('send'),
    };
}

function guarded(storage, scope) {
    const memory = new Map();
    const name = (key) => 'hongbao ' + scope + ' ' + key;
    const attempt = (use, otherwise) => {
        try {
            return storage ? use() : otherwise();
        } catch {
            return otherwise();
        }
    };
    return {
        get: (key) => memory.get(key) ?? attempt(() => storage.getItem(name(key)), () => null),
        set(key, value) {
            attempt(() => storage.setItem(name(key), value), () => memory.set(key, value));
        },
        remove(key) {
            memory.delete(key);
            attempt(() => storage.removeItem(name(key)), () => undefined);
        },
    };
}

function parse(text) {
    try {
        return text === null ? null : JSON.parse(text);
    } catch {
        return null;
    }
}

/* Who a token is about: its user id, or the text itself where it is no JWT. */
function userOf(token) {
    return token && (claimsOf(token)?.sub ?? token);
}

/* Takes `#token=...` out of a fragment: the token, or null. */
export function tokenOfHash(hash) {
    return new URLSearchParams(hash.replace(/^#/, '')).get('token') || null;
}

/* {sub, name} that a token claims, only to show it; the server alone verifies. null: no JWT. */
export function claimsOf(token) {
    try {
        const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
        const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
        const {sub, name} = JSON.parse(new TextDecoder().decode(bytes));
        return typeof sub === 'string' ? {sub, name: typeof name === 'string' ? name : sub} : null;
    } catch {
        return null;
    }
}
