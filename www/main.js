/* Puts the page together: the parts are made here, once, and handed to the views as `app`. */
import {createAccount} from './account.js';
import {createApi} from './api.js';
import {createI18n, pickLanguage} from './i18n.js';
import {createRouter} from './router.js';
import {claimsOf, createStore, tokenOfHash} from './store.js';
import {envelopeView} from './views_envelope.js';
import {recordsView} from './views_records.js';
import {sendView} from './views_send.js';
import {drawBar} from './views_shell.js';
import {signInView, switchView} from './views_signin.js';

const ROUTES = [
    {match: (p) => p.has('e'), view: envelopeView, open: true},
    {match: (p) => p.get('v') === 'sent', view: recordsView('sent')},
    {match: (p) => p.get('v') === 'received', view: recordsView('received')},
    {match: (p) => p.get('v') === 'ledger', view: recordsView('ledger')},
    {match: () => true, view: sendView},
];

/* A Storage, or null where the browser forbids it: even naming it may throw. */
function storage(name) {
    try {
        return window[name];
    } catch {
        return null;
    }
}

/* What views get: api, store, account, i18n and
 *   go(query)        show another address of the page
 *   show()           draw the present address anew
 *   signIn(token), signOut()
 *   setLanguage(code)
 *   takeNotice()     a sentence left for the next view, or '' */
function createApp(bar, page) {
    const folder = new URL('.', document.baseURI);
    const store = createStore(
        {local: storage('localStorage'), session: storage('sessionStorage'), scope: folder.pathname});
    let notice = '';
    let params = new URLSearchParams();
    const app = {store};

    const api = createApi({
        base: new URL('v1/', folder),
        token: store.token,
        onUnauthorized() {
            notice = app.i18n.t('signin.over');
            leave();
        },
    });
    const account = createAccount({api, signedIn: () => store.token() !== null});
    const router = createRouter({app, routes: ROUTES, signIn: signInView, place: page, window});
    const draw = () => drawBar(app, bar, params);

    function leave() {
        store.signOut();
        account.forget();
        router.render();
    }

    function speak(code) {
        app.i18n = createI18n(code);
        document.documentElement.lang = app.i18n.locale;
    }

    Object.assign(app, {
        api,
        account,
        go: router.go,
        show: router.render,
        signIn(token) {
            store.signIn(token);
            account.forget();
            router.render();
        },
        signOut: leave,
        setLanguage(code) {
            store.setLanguage(code);
            speak(code);
            router.render();
        },
        takeNotice() {
            const words = notice;
            notice = '';
            return words;
        },
        onView(now) {
            params = now;
            draw();
        },
    });
    speak(pickLanguage(store.language(), navigator.languages ?? [navigator.language]));
    account.listen(draw);
    return app;
}

/* Signs in with the token of the address, if there is one, and takes it out of the address. */
function start() {
    const page = document.getElementById('page');
    const app = createApp(document.getElementById('bar'), page);
    const token = tokenOfHash(window.location.hash);
    const present = app.store.token();
    if (token) {
        window.history.replaceState(null, '', window.location.pathname + window.location.search);
    }
    if (token && present && claimsOf(present)?.sub !== claimsOf(token)?.sub) {
        app.onView(new URLSearchParams());
        page.replaceChildren(switchView(app, token, (yes) => (yes ? app.signIn(token) : app.show())));
        return;
    }
    if (token) {
        app.signIn(token);
    } else {
        app.show();
    }
}

start();
