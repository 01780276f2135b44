// @ts-check
/* Watches over the start, so that the page never stays white: when a script is lost, late, or too new for the
 * browser, it loads the page again once by itself, then says so in words that index.html holds. A document never
 * fetches a failed module again, so loading it again is the only repair. Written for old browsers: no module, no new
 * syntax. main.js ends the watch by setting data-started. */
(function () {
    var root = document.documentElement;
    var GUARD = 'hongbao loaded again';
    var SLOW_MS = 15000;
    var AFTER_LOAD_MS = 6000;
    var over = false;

    function started() {
        return root.hasAttribute('data-started');
    }

    function mayReload() {
        try {
            var last = Number(window.sessionStorage.getItem(GUARD));
            if (Date.now() - last < 60000) {
                return false;
            }
            window.sessionStorage.setItem(GUARD, String(Date.now()));
            return true;
        } catch (error) {
            return false; /* without a memory it would never end */
        }
    }

    function show(id) {
        var slow = document.getElementById('boot-slow');
        var node = document.getElementById(id);
        if (!node) {
            document.addEventListener('DOMContentLoaded', function () { show(id); });
            return;
        }
        if (slow) {
            slow.hidden = true;
        }
        node.hidden = false;
    }

    function fail() {
        if (over || started()) {
            return;
        }
        over = true;
        if (navigator.onLine !== false && mayReload()) {
            window.location.reload();
        } else {
            show('boot-failed');
        }
    }

    /* A lost picture or style is no reason: the page works without. Nor is the error of a browser's extension. */
    function failed(event) {
        var tag = event.target && event.target.tagName;
        var from = tag ? event.target.src : event.filename;
        if ((!tag || tag === 'SCRIPT') && (!from || from.indexOf(window.location.origin) === 0)) {
            fail();
        }
    }

    if (!('noModule' in document.createElement('script'))) {
        over = true;
        show('boot-old');
        return;
    }
    window.addEventListener('error', failed, true);
    window.addEventListener('unhandledrejection', fail);
    /* A script may have failed before this one ran. */
    window.addEventListener('load', function () { setTimeout(fail, AFTER_LOAD_MS); });
    setTimeout(fail, SLOW_MS);
    document.addEventListener('click', function (event) {
        /** @type {any} */
        var link = event.target;
        if (link && link.getAttribute && link.getAttribute('href') === '') {
            event.preventDefault();
            window.location.reload(); /* keeps the fragment, which may hold a token */
        }
    });
}());
