/* Which view an address shows. Addresses are queries on the page's own folder (?e=ID, ?v=sent), so the
 * page works under any prefix and needs no rule in the web server. */

/* routes: [{match(params) -> bool, view, open}]; the first match wins; `open` views show without a
 * signed-in user. view(app, params, signal) -> {title, node}; the signal aborts when it is left. */
export function createRouter({app, routes, signIn, place, window}) {
    let leave = new AbortController();

    function render() {
        leave.abort();
        leave = new AbortController();
        const params = new URLSearchParams(window.location.search);
        const route = routes.find((r) => r.match(params));
        const view = route.open || app.store.token() ? route.view : signIn;
        const {title, node} = view(app, params, leave.signal);
        window.document.title = title;
        place.replaceChildren(node);
        app.onView?.(params);
    }

    /* Goes to a query of this page ("?e=..", "" for the start) and shows it. */
    function go(query) {
        window.history.pushState(null, '', query || window.location.pathname);
        render();
        window.scrollTo(0, 0);
        place.focus({preventScroll: true});
    }

    /* Plain clicks on links within the page are followed without loading it anew. */
    function follow(event) {
        const link = event.target.closest?.('a[href]');
        const other = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey;
        if (!link || other || event.defaultPrevented || link.target || link.hasAttribute('download')) {
            return;
        }
        const url = new URL(link.href);
        if (url.origin === window.location.origin && url.pathname === window.location.pathname) {
            event.preventDefault();
            go(url.search);
        }
    }

    window.addEventListener('popstate', render);
    window.document.addEventListener('click', follow);
    return {render, go};
}
