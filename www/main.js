// @ts-check
/* The start. Finds the token and the language, and draws the first view once there is what it needs. */
import {startApp} from './app.js';
import {takeAhead} from './lib/api.js';
import {i18nOf, pickLanguage} from './lib/i18n.js';
import {loadSite} from './lib/site.js';
import {createStore} from './lib/browser_storage.js';

const STYLE_MS = 3000;

/* A Storage, or null where the browser forbids it: even naming it may throw. */
function storage(name) {
    try {
        return window[name];
    } catch {
        return null;
    }
}

/* Resolves when all that the page fills is there: this script may run before. */
function placed() {
    return document.getElementById('announce') ? null
        : new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, {once: true}));
}

/* Resolves when the style is there, is lost, or has kept the page waiting long enough: the page works without it. */
function styled() {
    const link = document.querySelector('link[rel=stylesheet]');
    return !link || /** @type {HTMLLinkElement} */ (link).sheet ? null : new Promise((resolve) => {
        link.addEventListener('load', resolve, {once: true});
        link.addEventListener('error', resolve, {once: true});
        setTimeout(resolve, STYLE_MS);
    });
}

async function start() {
    const folder = new URL('.', document.baseURI);
    const base = new URL('v1/', folder);
    const store = createStore(
        {local: storage('localStorage'), session: storage('sessionStorage'), scope: folder.pathname});
    const preferred = navigator.languages ?? [navigator.language];
    const ahead = takeAhead(/** @type {any} */ (window));
    const i18n = i18nOf(pickLanguage(store.language(), preferred), preferred);
    const knownSite = loadSite({base, store, ahead});
    await placed();
    await styled();
    await startApp({base, store, i18n, ahead, site: await knownSite});
    document.documentElement.setAttribute('data-started', '');
}

/* The page opens offline once it has been visited: where there is TLS. What was fetched before the worker was there is
 * given to it by fetching it again, from the browser's own cache. */
async function keepForOffline() {
    const {serviceWorker} = navigator;
    if (!serviceWorker || window.location.protocol !== 'https:') {
        return;
    }
    document.head.append(Object.assign(document.createElement('link'), {rel: 'manifest', href: 'manifest.webmanifest'}));
    await serviceWorker.register('sw.js');
    await serviceWorker.ready;
    const files = performance.getEntriesByType('resource').map((entry) => entry.name);
    await Promise.all(files.filter((name) => name.includes('/assets/')).map((name) => fetch(name)));
}

start().then(() => {
    keepForOffline().catch(() => undefined); /* forbidden in private windows */
});
