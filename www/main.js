// @ts-check
/* The start. Finds out who is here and in which language, and asks for what the first view will wait for, while the
 * rest of the page is still being fetched. */
import {askAhead} from './lib/api.js';
import {loadI18n, pickLanguage} from './lib/i18n.js';
import {createStore, tokenOfHash} from './lib/browser_storage.js';

/* A Storage, or null where the browser forbids it: even naming it may throw. */
function storage(name) {
    try {
        return window[name];
    } catch {
        return null;
    }
}

/* Resolves when all of index.html is there; this runs before. */
function whole() {
    return document.readyState === 'loading'
        ? new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, {once: true})) : null;
}

async function start() {
    const folder = new URL('.', document.baseURI);
    const base = new URL('v1/', folder);
    const store = createStore(
        {local: storage('localStorage'), session: storage('sessionStorage'), scope: folder.pathname});
    const params = new URLSearchParams(window.location.search);
    const token = store.token() ?? tokenOfHash(window.location.hash);
    const ahead = params.has('e') && !params.has('v') && !params.has('share')
        ? askAhead({base, id: params.get('e') ?? '', token}) : null;
    const [{startApp}, i18n] = await Promise.all([
        import('./app.js'),
        loadI18n(pickLanguage(store.language(), navigator.languages ?? [navigator.language])),
        whole(),
    ]);
    startApp({base, store, i18n, ahead});
}

start();
