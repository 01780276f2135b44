// @ts-check
/* Which view an address shows. Addresses are queries on the page's own folder (?e=ID, ?v=sent), so the
 * page works under any prefix and needs no rule in the web server. */

const TITLE_MAX = 70; // characters

/* routes: [{match(params) -> bool, view, open}]; the first match wins; `open` views show without a
 * signed-in user. view(app, params, signal) gives, or resolves to, {title, node, data}; the signal
 * aborts when it is left; data becomes data-* of the place. */
/**
 * @param {{app: () => import('../types').App, routes: import('../types').Route[], signIn: import('../types').View,
 *     place: HTMLElement, window: Window, onView: (params: URLSearchParams) => void}} given app() is the app, once it is
 *     there; onView is called before each view is drawn
 */
export function createRouter({app, routes, signIn, place, window, onView}) {
    let leave = new AbortController();
    let arrived = false;

    async function render() {
        leave.abort();
        leave = new AbortController();
        const {signal} = leave;
        const params = new URLSearchParams(window.location.search);
        const route = routes.find((r) => r.match(params, window.history.state)) ?? routes[routes.length - 1];
        const view = route.open || app().store.token() ? route.view : signIn;
        onView(params);
        const shown = await view(app(), params, signal);
        if (!signal.aborted) {
            put(shown);
        }
    }

    /* After the first view, the focus goes to the new one and its title is read out: otherwise a screen reader would
     * start over in silence. */
    function put({title, node, data}) {
        Object.keys(place.dataset).forEach((key) => delete place.dataset[key]);
        Object.assign(place.dataset, data);
        place.textContent = '';
        place.append(node);
        const wanted = /** @type {HTMLElement | null} */ (node.querySelector('.trouble-title, [data-first-focus]'));
        if (arrived || node.querySelector('.trouble-title')) {
            (wanted ?? place).focus({preventScroll: true});
        }
        setTitle(title);
        arrived = true;
    }

    /* Tabs, histories and bookmarks show no more of a title; a greeting can be longer. */
    function setTitle(title) {
        const letters = [...title];
        window.document.title = letters.length > TITLE_MAX ? letters.slice(0, TITLE_MAX - 1).join('') + '…' : title;
        if (arrived) {
            app().announce(title);
        }
    }

    /* Shows what no address says, {title, node, data}, in the place of a view that is shown or on its way. */
    function interrupt(params, shown) {
        leave.abort();
        onView(params);
        put(shown);
    }

    /* Goes to a query of this page ("?e=..", "" for the start) and shows it. state: what the address does not say, such
     * as a sheet over an envelope: people pass the address on. */
    async function go(query, state = null) {
        window.history.pushState(state, '', query || window.location.pathname);
        await render();
        window.scrollTo(0, 0);
    }

    /* Plain clicks on links within the page are followed without loading it anew. */
    function follow(event) {
        const link = /** @type {HTMLAnchorElement | null} */ (event.target.closest?.('a[href]'));
        const other = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey;
        if (!link || other || event.defaultPrevented || link.target || link.hasAttribute('download')) {
            return;
        }
        const url = new URL(link.href);
        const here = window.location;
        if (url.origin === here.origin && url.pathname === here.pathname && !url.hash) {
            event.preventDefault();
            go(url.search);
        }
    }

    window.addEventListener('popstate', render);
    window.document.addEventListener('click', follow);
    return {show: render, interrupt, go, setTitle};
}
