// @ts-check
/* Makes the `app` that every view gets, once, from its parts; and starts it at the present address. */
import {createAccount} from './lib/account.js';
import {createApi} from './lib/api.js';
import {claimsOf, tokenOfHash} from './lib/browser_storage.js';
import {i18nOf} from './lib/i18n.js';
import {formatFen} from './lib/money.js';
import {sleepUntilOnline} from './lib/retry.js';
import {createRouter} from './lib/router.js';
import {createSession} from './lib/session.js';
import {ROUTES} from './routes.js';
import {signInView, switchView} from './views/signin.js';
import {toast} from './views/toast.js';
import {confirmSheet, drawBar, offlineBanner} from './views/top_bar.js';

/**
 * Resolves when the page is visible: at once, or when it becomes so.
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function visible(signal) {
    return new Promise((resolve) => {
        const look = () => {
            if (!document.hidden || signal.aborted) {
                document.removeEventListener('visibilitychange', look);
                signal.removeEventListener('abort', look);
                resolve();
            }
        };
        document.addEventListener('visibilitychange', look);
        signal.addEventListener('abort', look);
        look();
    });
}

/**
 * The parts refer to each other only when they run, so all of them are members of one object made here.
 * @param {{page: HTMLElement, bar: HTMLElement, offline: HTMLElement, announcer: HTMLElement}} places
 * @param {{base: URL, store: import('./types').Storage, i18n: import('./types').I18n,
 *     ahead: import('./types').Ahead[], site: import('./types').Site | null}} given
 * @returns {import('./types').App}
 */
function createApp({page, bar, offline, announcer}, {base, store, i18n, ahead, site}) {
    const pause = sleepUntilOnline(window);
    const api = createApi({base, token: store.token, onUnauthorized: (code) => session.end(code), ahead});
    const account = createAccount({
        api, pause, signedIn: () => store.token() !== null, onMe: (me) => store.setCurrency(me.currency),
    });
    const session = createSession({
        store,
        changed() {
            account.forget();
            router.show();
        },
        confirmSignOut: () => confirmSignOut(app),
    });
    const surroundings = createSurroundings(() => app, {bar, offline});
    const router = createRouter({
        app: () => app, routes: ROUTES, signIn: signInView, place: page, window, onView: surroundings.follow});
    /** @type {import('./types').App} */
    const app = {
        api,
        apiFor: (token) => createApi({base, token: () => token}),
        store,
        account,
        i18n,
        pause,
        visible,
        site,
        go: router.go,
        show: router.show,
        interrupt: router.interrupt,
        session,
        setTitle: router.setTitle,
        toast: (text) => toast(app, text),
        setState: (name) => {
            page.dataset.state = name;
        },
        announce: (text) => {
            /* The same text again is read again only if it changes in between. */
            announcer.textContent = announcer.textContent === text ? text + '\u00a0' : text;
        },
        money: (fen, signed = false) => app.i18n.money(fen, store.currency(), signed),
        yuan: formatFen,
        setLanguage: (code) => setLanguage(app, code),
        setSound(on) {
            store.setSound(on);
            surroundings.draw();
        },
    };
    account.listen(surroundings.draw);
    document.documentElement.lang = i18n.locale;
    return app;
}

/* Keeps the bar and the banner true: after each change of view, account, sound and connection. */
function createSurroundings(app, {bar, offline}) {
    let params = new URLSearchParams();
    /** @type {(() => void) | null} */
    let drawOffline = null;
    const draw = () => drawBar(app(), bar, params);
    return {
        draw,
        follow(now) {
            params = now;
            drawBar(app(), bar, params, {keep: false});
            drawOffline ??= offlineBanner(app, offline, window);
            drawOffline();
            app().account.refresh();
        },
    };
}

/** @param {import('./types').App} app */
function confirmSignOut(app) {
    const {t} = app.i18n;
    return confirmSheet({title: t('signout.title'), text: t('signout.guest'), yes: t('nav.out'), no: t('signout.stay')});
}

/** @param {import('./types').App} app */
function setLanguage(app, code) {
    app.store.setLanguage(code);
    app.i18n = i18nOf(code, navigator.languages);
    document.documentElement.lang = app.i18n.locale;
    return app.show();
}

/* Takes the token out of the address: the token, or null. */
function takeToken() {
    const token = tokenOfHash(window.location.hash);
    if (token) {
        window.history.replaceState(null, '', window.location.pathname + window.location.search);
    }
    return token;
}

/**
 * Sign in with a link's token, after asking if it takes the place of another user.
 * @param {import('./types').App} app
 * @param {string} token
 */
function arrive(app, token) {
    const {session, store} = app;
    const present = store.token();
    if (!present || claimsOf(present)?.sub === claimsOf(token)?.sub) {
        session.signInTab(token);
        return;
    }
    app.interrupt(new URLSearchParams('v=switch'), {
        title: app.i18n.t('app'),
        data: {view: 'switch', state: 'ready'},
        node: switchView(app, token, (yes) => (yes ? session.signInTab(token) : app.show())),
    });
}

/* Resolves when the first view is shown. base: URL of the API; i18n: the language to begin with; ahead: as createApi
 * takes it. */
export async function startApp(given) {
    const [page, bar, offline, announcer] =
        ['page', 'bar', 'offline', 'announce'].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
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
    return look() ? undefined : app.show();
}
