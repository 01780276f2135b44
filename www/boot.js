// @ts-check
/* Asks for what the first view will wait for, while the modules that show it are on their way; they take over the
 * answers (takeAhead in lib/api.js). And watches over the start, so that the page never stays white: when a script is lost, late, or too new for the
 * browser, it loads the page again once by itself, then says so in words that index.html holds. A document never
 * fetches a failed module again, so loading it again is the only repair. Written for old browsers: no module, no new
 * syntax. main.js ends the watch by setting data-started. */
(function () {
    var root = document.documentElement;
    var GUARD = 'hongbao loaded again';
    var SLOW_MS = 8000;
    var HANGS_MS = 15000;
    var AFTER_LOAD_MS = 6000;
    var script = document.currentScript;
    /** @type {any} */
    var page = window;
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

    /* What this browser remembers, under the names of lib/browser_storage.js; null: nothing. */
    function stored(area, name) {
        try {
            return page[area].getItem('hongbao ' + window.location.pathname.replace(/[^/]*$/, '') + ' ' + name);
        } catch (error) {
            return null;
        }
    }

    /* The token that main.js will find, or null. */
    function tokenInForce() {
        var tab = stored('sessionStorage', 'token');
        var linked = /^#(?:.*&)?token=([^&]+)/.exec(window.location.hash);
        return (tab === null ? stored('localStorage', 'token') : tab) || (linked && linked[1]) || null;
    }

    function ask(path, token) {
        /** @type {any} */
        var options = {cache: 'no-store', credentials: 'omit', headers: token ? {Authorization: 'Bearer ' + token} : {}};
        var answer = window.fetch('v1/' + path, options).then(function (response) {
            return response.text().then(function (text) {
                return {status: response.status, ok: response.ok, headers: response.headers, text: text};
            });
        });
        answer.then(null, function () { return null; }); /* whoever takes it over asks again */
        page.hongbaoAhead.push({path: path, token: token, answer: answer});
    }

    /* Only what every such view asks for, and never again once main.js has begun. */
    function askAhead() {
        var query = window.location.search;
        var id = /[?&]e=([0-9a-f-]{36})(?=&|$)/.exec(query);
        var token = tokenInForce();
        if (page.hongbaoAhead || !window.fetch) {
            return;
        }
        page.hongbaoAhead = [];
        if (id && !/[?&](v|share)(=|&|$)/.test(query)) {
            ask('envelopes/' + id[1] + (token ? '?limit=1' : ''), token);
        }
        if (!stored('localStorage', 'site')) { /* else lib/site.js knows when to ask again */
            ask('site', null);
        }
        if (token) {
            ask('me', token);
            preload(script);
        }
    }

    /* The modules of a signed-in person's views, which main.js would ask for only when it runs. */
    function preload(from) {
        var names = (from && from.getAttribute('data-signed-in') || '').split(' ');
        for (var i = 0; i < names.length && names[i]; i++) {
            var link = document.createElement('link');
            link.rel = 'modulepreload';
            link.href = names[i];
            document.head.appendChild(link);
        }
    }

    if (!('noModule' in document.createElement('script'))) {
        over = true;
        show('boot-old');
        return;
    }
    askAhead();
    window.addEventListener('error', failed, true);
    window.addEventListener('unhandledrejection', fail);
    /* A script may have failed before this one ran. */
    window.addEventListener('load', function () { setTimeout(fail, AFTER_LOAD_MS); });
    setTimeout(function () {
        if (!over && !started()) {
            show('boot-slow');
        }
    }, SLOW_MS);
    setTimeout(fail, HANGS_MS);
    document.addEventListener('click', function (event) {
        /** @type {any} */
        var link = event.target;
        if (link && link.getAttribute && link.getAttribute('href') === '') {
            event.preventDefault();
            window.location.reload(); /* keeps the fragment, which may hold a token */
        }
    });
}());
