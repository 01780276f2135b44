// @ts-check
/* What this browser remembers, each under a name that carries the page's folder, so that two
 * installations on one host stay apart. Browsers may forbid storage; then the memory lasts as long as
 * the page.
 *   for good      a guest's token, the language, sound, the money's name, sends without an answer,
 *                 seed hashes as first seen
 *   for this tab  a token that a link brought, what was typed into the form */

const SENDS_MAX = 20;
const PROMISES_MAX = 100;

/* local, session: Storage objects or null; scope: the page's folder; now(): milliseconds. */
export function createStore({local, session, scope, now = Date.now}) {
    const lasting = guarded(local, scope);
    const tab = guarded(session, scope);
    return {
        ...identity(lasting, tab),
        ...sends(lasting, () => userOf(tokenOf(lasting, tab)), now),
        ...promises(lasting, now),
        language: () => lasting.get('language'),
        setLanguage: (code) => lasting.set('language', code),
        sound: () => lasting.get('sound') === 'on',
        setSound: (on) => lasting.set('sound', on ? 'on' : 'off'),
        /* What the money is called, as last heard. */
        currency: () => lasting.get('currency') ?? 'CNY',
        setCurrency: (label) => lasting.set('currency', label),
        /* What the site allowed at the last visit, or null. */
        site: () => parse(lasting.get('site')),
        keepSite(site) {
            lasting.set('site', JSON.stringify(site));
            lasting.set('site asked', String(now()));
        },
        /* Milliseconds since then. */
        siteAge: () => now() - Number(lasting.get('site asked')),
        /* The name a guest has typed and not yet signed in with. */
        guestName: () => tab.get('name') ?? '',
        keepGuestName: (name) => tab.set('name', name),
        /* What the send form holds, with the key of its one send; null: nothing. */
        draft: () => parse(tab.get('draft')),
        keepDraft: (draft) => tab.set('draft', JSON.stringify(draft)),
        forgetDraft: () => tab.remove('draft'),
    };
}

/* A token from a link is this tab's alone and goes before a guest's, which stays. '' in the tab: it
 * was signed out here, and nobody else takes the place unasked. */
function tokenOf(lasting, tab) {
    return (tab.get('token') ?? lasting.get('token')) || null;
}

function identity(lasting, tab) {
    return {
        /* The bearer token in force, or null. */
        token: () => tokenOf(lasting, tab),
        signInGuest(token) {
            lasting.set('token', token);
            tab.remove('token');
        },
        signInTab: (token) => tab.set('token', token),
        /* The guest that a link's token has put aside, {sub, name} or null; resume() is the way back. */
        asideGuest: () => (tab.get('token') === null ? null : claimsOf(lasting.get('token'))),
        resumeGuest: () => tab.remove('token'),
        /* Whoever is signed in is forgotten, a guest for good. */
        signOut() {
            if (tab.get('token')) {
                tab.set('token', '');
            } else {
                lasting.remove('token');
            }
        },
    };
}

/* Sends kept from before the request until its answer is definite, so that a reload repeats the
 * identical request instead of sending twice. Only the own user sees them: under another one the same
 * key would be a second send. */
function sends(lasting, user, now) {
    const all = () => parse(lasting.get('sends')) ?? [];
    const keep = (list) => lasting.set('sends', JSON.stringify(list.slice(-SENDS_MAX)));
    return {
        /* {key, body, user, at} or null. */
        unfinishedSend: () => all().find((send) => send.user === user()) ?? null,
        keepSend({key, body}) {
            const others = all().filter((send) => send.key !== key);
            keep([...others, {key, body, user: user(), at: now()}]);
        },
        forgetSend: (key) => keep(all().filter((send) => send.key !== key)),
    };
}

/* Hashes of seeds as this browser saw them first: what the sender's side promised, out of its reach. */
function promises(lasting, now) {
    const all = () => parse(lasting.get('promises')) ?? [];
    return {
        /* {id, hash, at} or null. */
        promise: (id) => all().find((p) => p.id === id) ?? null,
        keepPromise(id, hash) {
            const list = all();
            if (!list.some((p) => p.id === id)) {
                lasting.set('promises',
                    JSON.stringify([...list, {id, hash, at: now()}].slice(-PROMISES_MAX)));
            }
        },
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
