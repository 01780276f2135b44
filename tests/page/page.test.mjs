/* The rest of the page that needs no browser: languages, what is remembered, following an envelope. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {createApi, takeAhead} from '../../www/lib/api.js';
import {i18nOf, pickLanguage} from '../../www/lib/i18n.js';
import {claimsOf, tokenOfHash} from '../../www/lib/browser_storage.js';
import {intervalMs, watchEnvelope} from '../../www/lib/envelope_watch.js';
import englishWords from '../../www/words/en.js';
import chineseWords from '../../www/words/zh.js';
import traditionalWords from '../../www/words/zh_hant.js';

/* The gaps of a sentence; of one that depends on a number, of its usual form. */
const marks = (text) => ((text.other ?? text).match(/\{\w+\}/g) ?? []).sort();
const jwt = (claims) => 'h.' + Buffer.from(JSON.stringify(claims)).toString('base64url') + '.s';

test('chosen lengths of time are in the largest unit that leaves no rest', () => {
    assert.equal(i18nOf('en').duration(86400), '1 day');
    assert.equal(i18nOf('en').duration(129600), '36 hours');
    assert.equal(i18nOf('zh').duration(3600), '1小时');
});

test('every language has the same sentences with the same gaps', () => {
    for (const words of [chineseWords, traditionalWords]) {
        assert.deepEqual(Object.keys(words).sort(), Object.keys(englishWords).sort());
        for (const key of Object.keys(englishWords)) {
            assert.deepEqual(marks(words[key]), marks(englishWords[key]), key);
        }
    }
});

test('the language is the chosen one, else the first known, else English', async () => {
    assert.equal(pickLanguage('zh', ['en']), 'zh');
    assert.equal(pickLanguage('constructor', ['fr', 'zh-TW']), 'zh-Hant')
    assert.equal(pickLanguage(null, ['zh-SG']), 'zh');
    assert.equal(pickLanguage(null, ['zh-Hans-HK']), 'zh');
    assert.equal(pickLanguage(null, ['fr']), 'en');
    assert.equal(i18nOf('en').t('signin.stay', {old: '{new}'}), 'Stay {new}');
});

test('a token comes out of the fragment and shows whom it is about', () => {
    assert.equal(tokenOfHash(''), null);
    assert.equal(tokenOfHash('#token='), null);
    assert.equal(tokenOfHash('#token=a.b-c_d'), 'a.b-c_d');
    assert.equal(claimsOf('nonsense'), null);
    assert.deepEqual(claimsOf(jwt({sub: 'ann', name: '安'})), {sub: 'ann', name: '安'});
});

/* A watch over scripted answers. Its clock stands still but for what it sleeps. */
function watching(answers, {visible, wanted = true} = {}) {
    const leave = new AbortController();
    const it = {asked: [], slept: [], changes: [], last: [], errors: [], clock: 0, leave};
    it.watch = watchEnvelope({
        signal: leave.signal,
        visible,
        now: () => it.clock,
        pause: async (ms) => {
            it.slept.push(ms);
            it.clock += ms;
        },
        ask: async (page, {etag}) => {
            it.asked.push({...page, etag});
            const answer = answers(it.asked.length, {...page, etag});
            if (answer === null) {
                leave.abort();
            }
            if (answer instanceof Error) {
                throw answer;
            }
            return answer ?? {status: 304};
        },
        onChange: (envelope, claims) => {
            it.changes.push([envelope.state, claims.map((c) => c.seq)]);
            it.last = claims;
        },
        onError: (error) => it.errors.push(error.code),
    });
    if (wanted) {
        it.watch.wantClaims();
    }
    return it;
}

const soon = async (turns = 20) => {
    for (let n = 0; n < turns; n++) {
        await new Promise((resolve) => { setImmediate(resolve); });
    }
};
const page = (state, seqs, next = null) => ({status: 200, etag: '"e"', body: {state, claims: seqs.map((seq) => ({seq})), next}});

test('following a closed envelope loads every page, and then asks at most 12 times a minute', async () => {
    const it = watching((n, {after, etag}) => (n > 60 ? null : etag ? undefined :
        after === null ? page('sold_out', [1, 2], 'p2') : page('sold_out', [3])));
    await soon(300);
    const full = it.asked.filter(({limit, etag}) => limit > 1 && !etag).map(({after}) => after);
    assert.deepEqual(full, [null, 'p2']);
    assert.deepEqual(it.changes.at(-1), ['sold_out', [1, 2, 3]]);
    assert.ok(it.asked.length > 50 && it.slept.slice(2).every((ms) => ms >= 5000));
});

/* Three pages, on which thanks are given: as with the service, the ETag of each page is that of the whole envelope. */
function thanking(state) {
    const pages = {null: [[1, 2], 'p2'], p2: [[3, 4], 'p3'], p3: [[5], null]};
    const given = {version: 1, thanks: {}, state};
    given.answer = ({after, etag}) => (etag === `"${given.version}-${after}"` ? undefined : {
        status: 200, etag: `"${given.version}-${after}"`,
        body: {state, claims: pages[after][0].map((seq) => ({seq, thanks: given.thanks[seq] ?? null})), next: pages[after][1]},
    });
    given.thank = (seq, word) => {
        given.thanks[seq] = word;
        given.version++;
    };
    return given;
}

for (const state of ['open', 'sold_out']) {
    test('thanks on every page are seen, and cost nothing before they are given: ' + state, async () => {
        const given = thanking(state);
        const moments = {40: [1, 'hug'], 60: [4, 'wow'], 61: [5, 'luck'], 80: [1, 'cheers']};
        const idle = [];
        const it = watching((n, asked) => {
            if (moments[n]) {
                given.thank(...moments[n]);
            }
            idle[n] = given.answer(asked) === undefined && asked.after === 'p3';
            return n > 110 ? null : given.answer(asked);
        });
        await soon(600);
        assert.deepEqual(it.last.map(({thanks}) => thanks), ['cheers', null, null, 'wow', 'luck']);
        assert.deepEqual(it.last.map(({seq}) => seq), [1, 2, 3, 4, 5]);
        for (const [from, to] of [[20, 40], [50, 60], [70, 80], [90, 110]]) {
            assert.ok(idle.slice(from, to).every(Boolean), `only the last page is asked for, ${from} to ${to}`);
        }
    });
}

test('before the list is wanted, no claim is loaded', async () => {
    const it = watching((n) => (n < 4 ? page('open', [1], 'more') : null), {wanted: false});
    await soon();
    assert.ok(it.asked.every(({after, limit}) => after === null && limit === 1));
    assert.ok(it.changes.every(([, seqs]) => seqs.length === 0));
});

test('numbers, lengths of time and plurals follow the language', async () => {
    const [en, zh] = ['en', 'zh'].map((code) => i18nOf(code));
    assert.equal(en.t('records.received.sum', {n: 1}), '1 envelope received');
    assert.equal(en.t('records.received.sum', {n: 1200}), '1,200 envelopes received');
    assert.equal(zh.t('records.received.sum', {n: 1}), '收到 1 个红包');
    assert.equal(en.span(12000), '12 sec');
    assert.equal(zh.span(12000), '12秒');
    assert.equal(en.span(800), '0.8 sec');
    assert.equal(en.span(7200000), '2 hr');
    assert.equal(en.money(888, 'CNY'), '¥8.88');
    assert.equal(en.t('no such key'), 'no such key');
});

/* A key is named whole, or by its beginning with the rest added: 't("state." + x)'. */
test('every sentence that the page names exists, and every one is named', async () => {
    const {readdir, readFile} = await import('node:fs/promises');
    const folder = new URL('../../www/', import.meta.url);
    const names = (await readdir(folder, {recursive: true}))
        .filter((name) => /^(app|routes|lib\/\w+|views\/\w+)\.js$/.test(name));
    const source = (await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')))).join('\n');
    const quoted = new Set(source.match(/'[a-z][\w.]*'/g).map((text) => text.slice(1, -1)));
    const stems = source.match(/['`][a-z][\w.]*\.(?='|\$\{)/g).map((text) => text.slice(1));
    for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) {
        assert.ok(Object.hasOwn(englishWords, key) || stems.includes(key), key + ' is named');
    }
    for (const key of Object.keys(englishWords)) {
        const used = quoted.has(key) || stems.some((stem) => key.startsWith(stem));
        assert.ok(used, key + ' is used');
    }
});

test('asking is quick for a minute after a change, then calmer, never in step', () => {
    assert.ok(intervalMs(0, () => 1) < 2000 && intervalMs(59999, () => 1) < 2000);
    assert.ok(60000 / intervalMs(60000, () => 0) <= 12);
    assert.ok(intervalMs(600000, () => 0) > intervalMs(60000, () => 1));
    assert.ok(intervalMs(0, () => 0) < intervalMs(0, () => 0.9));
});

test('an idle watcher makes at most 12 requests a minute after the first minute', async () => {
    const it = watching((n) => (n <= 2 ? page('open', []) : n < 200 ? undefined : null));
    await soon();
    await soon();
    const later = it.slept.filter((ms, n) => it.slept.slice(0, n).reduce((a, b) => a + b, 0) > 65000);
    assert.ok(later.length > 10 && later.every((ms) => ms >= 5000));
});

test('after the first answer nothing is asked while the page cannot be seen', async () => {
    let show;
    const seen = new Promise((resolve) => { show = resolve; });
    const it = watching((n) => (n > 9 ? null : page(n > 2 ? 'expired' : 'open', [])), {visible: () => seen});
    await soon();
    assert.equal(it.asked.length, 1);
    show();
    await soon();
    assert.equal(it.changes.at(-1)[0], 'expired');
});

test('an error that will not go away ends the following', async () => {
    const it = watching(() => Object.assign(new Error(), {code: 'not_found'}));
    await soon();
    assert.deepEqual(it.errors, ['not_found']);
    assert.equal(it.asked.length, 1);
});

const WWW = new URL('../../www/', import.meta.url);
const sourceOf = async (name) => (await import('node:fs/promises')).readFile(new URL(name, WWW), 'utf8');

/* What boot.js leaves: one request, answered as told. */
const early = (path, token, answer) => takeAhead({hongbaoAhead: [{path, token, answer}]});
const opened = () => Promise.resolve({status: 200, ok: true, headers: new Headers({ETag: '"early"'}), text: '{"state":"open"}'});

const counting = (token, ahead) => {
    const asked = [];
    const fetch = async (url, {headers}) => {
        asked.push(url.pathname + url.search + ' ' + (headers.Authorization ?? ''));
        return new Response('{"state":"open"}', {headers: {ETag: '"own"'}});
    };
    return {asked, api: createApi({base: new URL('http://x/v1/'), fetch, token: () => token, ahead})};
};

test('an answer that was asked for ahead goes to the first who asks just that', async () => {
    const {api, asked} = counting('T', early('envelopes/a?limit=1', 'T', opened()));
    assert.equal((await api.envelope('a', {after: null, limit: 1})).etag, '"early"');
    assert.equal((await api.envelope('a', {after: null, limit: 1})).etag, '"own"');
    assert.deepEqual(asked, ['/v1/envelopes/a?limit=1 Bearer T']);
    const other = counting('other', early('envelopes/a?limit=1', 'T', opened()));
    assert.equal((await other.api.envelope('a', {limit: 1})).etag, '"own"', 'the answer for another user is not taken');
    const visitor = counting(null, early('envelopes/a', null, opened()));
    assert.equal((await visitor.api.preview('a')).etag, '"early"');
    assert.deepEqual(visitor.asked, []);
});

test('what failed ahead is asked for again', async () => {
    const {api, asked} = counting('T', early('me', 'T', Promise.reject(new TypeError('lost'))));
    assert.equal((await api.me()).status, 200);
    assert.deepEqual(asked, ['/v1/me Bearer T']);
});

test('boot.js sends nothing once the modules have begun', () => {
    const bare = {};
    assert.deepEqual(takeAhead(bare), []);
    assert.deepEqual(bare, {hongbaoAhead: []});
});

const answering = (...statuses) => {
    const ended = [], left = [...statuses];
    const fetch = async () => {
        const status = left.shift();
        return new Response(JSON.stringify(status === 200 ? {balance: 1} : {code: status}), {status});
    };
    const api = createApi({base: new URL('http://x/v1/'), fetch, token: () => 'T', onUnauthorized: (code) => ended.push(code)});
    return {api, ended, left};
};

test('a token is given up only after it was refused twice', async () => {
    const once = answering(401, 200);
    assert.equal((await once.api.me()).body.balance, 1);
    const twice = answering(401, 401), away = answering(401, 503);
    await assert.rejects(twice.api.me(), {status: 401});
    await assert.rejects(away.api.me(), {status: 503});
    assert.deepEqual([once, twice, away].map((it) => [it.ended.length, it.left.length]), [[0, 0], [1, 0], [0, 0]]);
});

test('a token that has expired is given up at once', async () => {
    const ended = [];
    const api = createApi({base: new URL('http://x/v1/'), token: () => 'T', onUnauthorized: (code) => ended.push(code),
        fetch: async () => new Response('{"code": "token_expired"}', {status: 401})});
    await assert.rejects(api.me(), {code: 'token_expired'});
    assert.deepEqual(ended, ['token_expired']);
});

test('every module of the page is checked for its types', async () => {
    const {readdir} = await import('node:fs/promises');
    const names = (await readdir(WWW, {recursive: true})).filter((name) => /^(?!vendor).*\.js$/.test(name));
    assert.ok(names.length > 25);
    for (const name of names) {
        assert.ok((await sourceOf(name)).startsWith('// @ts-check\n'), name);
    }
});
