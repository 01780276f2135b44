/* Puts the page together: the parts are made here, once, and handed to the views as `app`. */
import {createAccount} from './lib/account.js';
import {createApi} from './lib/api.js';
import {loadI18n} from './lib/i18n.js';
import {formatFen} from './lib/money.js';
import {sleepUntilOnline} from './lib/retry.js';
import {createRouter} from './lib/router.js';
import {claimsOf, tokenOfHash} from './lib/browser_storage.js';
import {confirmSheet, drawBar, offlineBanner} from './views/top_bar.js';
import {previewView, signInView, switchView} from './views/signin.js';
import {troubleFace} from './views/error_panel.js';

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

/* A view that is fetched when somebody wants it. pick(module): the view in it; load(): imports of its module and of
 * those that it is made of, so that all are on their way at once instead of each when another asks for it. */
function later(pick, load) {
    return async (app, params, signal) => {
        const [modules] = await Promise.all([Promise.all(load()).catch(() => null), furnish()]);
        return modules ? pick(modules[0])(app, params, signal) : {
            title: app.i18n.t('app'),
            data: {view: 'missing', state: 'trouble'},
            node: troubleFace(app, 'offline', {again: () => window.location.reload()}),
        };
    };
}

const envelope = later((m) => m.envelopeView, () => [
    import('./views/envelope.js'), import('./views/claim_list.js'), import('./views/celebration.js'), import('./lib/chart.js'),
    import('./lib/grab_open.js'), import('./lib/envelope_visit.js'), import('./lib/envelope_watch.js')]);
const eitherEnvelope = (app, ...rest) => (app.store.token() ? envelope : previewView)(app, ...rest);
const share = later((m) => m.shareView, () => [
    import('./views/share.js'), import('./views/qr.js'), import('./vendor/qrcode-generator-2.0.4/qrcode.js')]);
const send = later((m) => m.sendView, () => [import('./views/send.js'), import('./lib/send_form.js')]);
const rush = later((m) => m.rushView, () => [
    import('./views/rush.js'), import('./lib/rush_race.js'), import('./lib/chart.js'), import('./lib/grab_open.js')]);
const records = (kind) => later((m) => m.historyView(kind), () => [import('./views/history.js')]);
const ROUTES = [
    {match: (p) => p.get('v') === 'rush', view: rush, open: true},
    {match: (p) => p.has('e') && p.has('share'), view: share},
    {match: (p) => p.has('e'), view: eitherEnvelope, open: true},
    {match: (p) => p.get('v') === 'sent', view: records('sent')},
    {match: (p) => p.get('v') === 'received', view: records('received')},
    {match: (p) => p.get('v') === 'ledger', view: records('ledger')},
    {match: () => true, view: send},
];

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
 *   setLanguage(code), setSound(on)   a language that cannot be fetched changes nothing
 *   takeTrouble()    the code of the trouble that ended the session, once, or null */
function createApp({bar, page, offline, announcer}, {base, store, i18n, ahead}) {
    const app = {store, visible, pause: sleepUntilOnline(window)};
    const session = createSession(app);
    app.api = createApi({base, token: store.token, onUnauthorized: session.end, ahead});
    app.apiFor = (token) => createApi({base, token: () => token});
    app.account = createAccount({
        api: app.api,
        signedIn: () => store.token() !== null,
        onMe: (me) => store.setCurrency(me.currency),
        pause: app.pause,
    });
    const router = createRouter({app, routes: ROUTES, signIn: signInView, place: page, window});
    Object.assign(app, router, session.actions, createVoice(app, i18n, page, announcer));
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
function createVoice(app, i18n, page, announcer) {
    const {store} = app;
    const speak = (language) => {
        app.i18n = language;
        document.documentElement.lang = app.i18n.locale;
    };
    speak(i18n);
    return {
        setState: (name) => {
            page.dataset.state = name;
        },
        announce: (text) => {
            announcer.textContent = text;
        },
        money: (fen, signed) => app.i18n.money(fen, store.currency(), signed),
        yuan: formatFen,
        async setLanguage(code) {
            const language = await loadI18n(code).catch(() => null);
            if (language) {
                store.setLanguage(code);
                speak(language);
                app.show();
            }
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

/* base: URL of the API; store; i18n: the language to begin with; ahead: as createApi takes it. */
export function startApp(given) {
    const [page, bar, offline, announcer] =
        ['page', 'bar', 'offline', 'announce'].map((id) => document.getElementById(id));
    const app = createApp({bar, page, offline, announcer}, given);
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
