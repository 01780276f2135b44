/* Puts the page together: the parts are made here, once, and handed to the views as `app`. */
import {createAccount} from './lib/account.js';
import {createApi} from './lib/api.js';
import {createI18n, pickLanguage} from './lib/i18n.js';
import {formatFen} from './lib/money.js';
import {sleepUntilOnline} from './lib/retry.js';
import {createRouter} from './lib/router.js';
import {claimsOf, createStore, tokenOfHash} from './lib/store.js';
import {previewView} from './views/preview.js';
import {confirmSheet, drawBar, offlineBanner} from './views/shell.js';
import {signInView, switchView} from './views/signin.js';
import {troubleFace} from './views/trouble.js';

/* Fetches the style of all but the first view, once. Without it the page is plain, but works. */
function furnish() {
    const href = 'style/parts.css';
    return document.querySelector(`link[href="${href}"]`) ?? new Promise((resolve) => {
        const link = Object.assign(document.createElement('link'), {rel: 'stylesheet', href});
        link.onload = resolve;
        link.onerror = () => {
            link.remove();
            resolve();
        };
        document.head.append(link);
    });
}

/* A view that is fetched when somebody wants it. pick(module): the view in it. */
function later(load, pick) {
    return async (app, params, signal) => {
        const [module] = await Promise.all([load().catch(() => null), furnish()]);
        return module ? pick(module)(app, params, signal) : {
            title: app.i18n.t('app'),
            data: {view: 'missing', state: 'trouble'},
            node: troubleFace(app, 'offline', {again: () => window.location.reload()}),
        };
    };
}

const envelope = later(() => import('./views/envelope.js'), (m) => m.envelopeView);
const eitherEnvelope = (app, ...rest) => (app.store.token() ? envelope : previewView)(app, ...rest);
const records = (kind) => later(() => import('./views/records.js'), (m) => m.recordsView(kind));
const ROUTES = [
    {match: (p) => p.get('v') === 'rush', view: later(() => import('./views/rush.js'), (m) => m.rushView), open: true},
    {match: (p) => p.has('e') && p.has('share'), view: later(() => import('./views/share.js'), (m) => m.shareView)},
    {match: (p) => p.has('e'), view: eitherEnvelope, open: true},
    {match: (p) => p.get('v') === 'sent', view: records('sent')},
    {match: (p) => p.get('v') === 'received', view: records('received')},
    {match: (p) => p.get('v') === 'ledger', view: records('ledger')},
    {match: () => true, view: later(() => import('./views/send.js'), (m) => m.sendView)},
];

/* A Storage, or null where the browser forbids it: even naming it may throw. */
function storage(name) {
    try {
        return window[name];
    } catch {
        return null;
    }
}

/* Resolves once somebody can see the page: at once, or when they come back to it. */
function visible(signal) {
    return new Promise((resolve) => {
        const look = () => {
            if (!document.hidden || signal.aborted) {
                document.removeEventListener('visibilitychange', look);
                resolve();
            }
        };
        document.addEventListener('visibilitychange', look);
        signal.addEventListener('abort', look, {once: true});
        look();
    });
}

/* What views get: api, apiFor(token), store, account, i18n, pause (sleeps, until online), visible(signal), and
 *   go(query)        show another address of the page
 *   show()           draw the present address anew
 *   interrupt(params, view)   show something else instead
 *   setState(name)   says what the view is doing, to styles and tests
 *   announce(text)   says it to those who listen to the page
 *   money(fen, signed), yuan(fen)   an amount to read, and as one would type it
 *   signInGuest(token), signInTab(token), resumeGuest(), askSignOut()
 *   setLanguage(code), setSound(on)
 *   takeTrouble()    the code of the trouble that ended the session, once, or null */
function createApp({bar, page, offline, announcer}) {
    const folder = new URL('.', document.baseURI);
    const base = new URL('v1/', folder);
    const store = createStore(
        {local: storage('localStorage'), session: storage('sessionStorage'), scope: folder.pathname});
    const app = {store, visible, pause: sleepUntilOnline(window)};
    const session = createSession(app);
    app.api = createApi({base, token: store.token, onUnauthorized: session.end});
    app.apiFor = (token) => createApi({base, token: () => token});
    app.account = createAccount({
        api: app.api,
        signedIn: () => store.token() !== null,
        onMe: (me) => store.setCurrency(me.currency),
        pause: app.pause,
    });
    const router = createRouter({app, routes: ROUTES, signIn: signInView, place: page, window});
    Object.assign(app, router, session.actions, createVoice(app, page, announcer));
    followShell(app, bar, offline);
    return app;
}

/* Who is signed in, and how that ends: {end(code), actions}. */
function createSession(app) {
    const {store} = app;
    let trouble = null;

    function changed() {
        app.account.forget();
        app.show();
    }

    function leave() {
        store.signOut();
        changed();
    }

    async function askSignOut() {
        const {t} = app.i18n;
        const guest = claimsOf(store.token())?.sub.startsWith('guest:');
        const words = {title: t('signout.title'), text: t('signout.guest'), yes: t('nav.out'), no: t('signout.stay')};
        if (!guest || await confirmSheet(app, words)) {
            leave();
        }
    }

    const then = (change) => (token) => {
        change(token);
        changed();
    };
    return {
        end(code) {
            trouble = code === 'token_expired' ? code : 'unauthorized';
            leave();
        },
        actions: {
            signInGuest: then(store.signInGuest),
            signInTab: then(store.signInTab),
            resumeGuest: then(store.resumeGuest),
            askSignOut,
            takeTrouble() {
                const code = trouble;
                trouble = null;
                return code;
            },
        },
    };
}

/* How the page speaks: the language, amounts, what is announced, the state that styles and tests see. */
function createVoice(app, page, announcer) {
    const {store} = app;
    const speak = (code) => {
        app.i18n = createI18n(code);
        document.documentElement.lang = app.i18n.locale;
    };
    speak(pickLanguage(store.language(), navigator.languages ?? [navigator.language]));
    return {
        setState: (name) => {
            page.dataset.state = name;
        },
        announce: (text) => {
            announcer.textContent = text;
        },
        money: (fen, signed) => app.i18n.money(fen, store.currency(), signed),
        yuan: formatFen,
        setLanguage(code) {
            store.setLanguage(code);
            speak(code);
            app.show();
        },
    };
}

/* Keeps the bar and the banner true: after each change of view, account, language, sound, connection. */
function followShell(app, bar, offline) {
    let params = new URLSearchParams();
    const draw = () => drawBar(app, bar, params);
    const drawOffline = offlineBanner(app, offline, window);
    app.account.listen(draw);
    app.onView = (now) => {
        params = now;
        draw();
        drawOffline();
        app.account.refresh();
    };
    app.setSound = (on) => {
        app.store.setSound(on);
        draw();
    };
}

/* The token of the address, taken out of it, or null. */
function takeToken() {
    const token = tokenOfHash(window.location.hash);
    if (token) {
        window.history.replaceState(null, '', window.location.pathname + window.location.search);
    }
    return token;
}

/* Signs in with a link's token, after asking if it takes the place of somebody else. */
function arrive(app, token) {
    const present = app.store.token();
    if (!present || claimsOf(present)?.sub === claimsOf(token)?.sub) {
        app.signInTab(token);
        return;
    }
    app.interrupt(new URLSearchParams('v=switch'), {
        title: app.i18n.t('app'),
        data: {view: 'switch', state: 'ready'},
        node: switchView(app, token, (yes) => (yes ? app.signInTab(token) : app.show())),
    });
}

function start() {
    const [page, bar, offline, announcer] =
        ['page', 'bar', 'offline', 'announce'].map((id) => document.getElementById(id));
    const app = createApp({bar, page, offline, announcer});
    /* A link tapped in a tab that shows this address already only changes its fragment. */
    const look = () => {
        const token = takeToken();
        if (token) {
            arrive(app, token);
        }
        return token !== null;
    };
    window.addEventListener('hashchange', look);
    if (!look()) {
        app.show();
    }
}

start();
