// @ts-check
/* The service worker: the page opens offline, as last fetched. It keeps the page's own files and nothing else: what
 * concerns money, all of v1/, never passes through here. The page comes from the network where there is one; assets
 * are named by their contents, so a kept one is always right. */
const worker = /** @type {any} */ (self);
const SHELL = 'hongbao-shell-1';
const HOME = new URL('./', worker.registration.scope);
const isAsset = (url) => url.href.startsWith(new URL('assets/', HOME).href);

async function fromNetwork(request) {
    const shell = await caches.open(SHELL);
    try {
        const response = await fetch(request);
        if (response.ok) {
            await forgetOld(shell, await response.clone().text());
            await shell.put(HOME, response.clone());
        }
        return response;
    } catch (error) {
        const kept = await shell.match(HOME);
        if (kept) {
            return kept;
        }
        throw error;
    }
}

/* With another page, the assets of the one before are of no use. */
async function forgetOld(shell, page) {
    const before = await (await shell.match(HOME))?.text();
    if (before !== undefined && before !== page) {
        await Promise.all((await shell.keys()).map((key) => shell.delete(key)));
    }
}

async function fromCache(request) {
    const shell = await caches.open(SHELL);
    const kept = await shell.match(request);
    if (kept) {
        return kept;
    }
    const response = await fetch(request);
    if (response.ok) {
        await shell.put(request, response.clone());
    }
    return response;
}

worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('fetch', (event) => {
    const url = new URL(event.request.url);
    if (event.request.method !== 'GET' || url.origin !== HOME.origin) {
        return;
    }
    if (event.request.mode === 'navigate' && url.pathname === HOME.pathname) {
        event.respondWith(fromNetwork(event.request));
    } else if (isAsset(url)) {
        event.respondWith(fromCache(event.request));
    }
});
