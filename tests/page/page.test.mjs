/* The rest of the page that needs no browser: languages, what is remembered, following an envelope. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {askAhead, createApi} from '../../www/lib/api.js';
import {i18nOf, pickLanguage} from '../../www/lib/i18n.js';
import {claimsOf, tokenOfHash} from '../../www/lib/browser_storage.js';
import {intervalMs, watchEnvelope} from '../../www/lib/envelope_watch.js';
import englishWords from '../../www/words/en.js';
import chineseWords from '../../www/words/zh.js';

const pause = async () => undefined;

/* The gaps of a sentence; of one that depends on a number, of its usual form. */
const marks = (text) => ((text.other ?? text).match(/\{\w+\}/g) ?? []).sort();
const jwt = (claims) => 'h.' + Buffer.from(JSON.stringify(claims)).toString('base64url') + '.s';

test('every language has the same sentences with the same gaps', () => {
    assert.deepEqual(Object.keys(chineseWords).sort(), Object.keys(englishWords).sort());
    for (const key of Object.keys(englishWords)) {
        assert.deepEqual(marks(chineseWords[key]), marks(englishWords[key]), key);
    }
});

test('the language is the chosen one, else the first known, else English', async () => {
    assert.equal(pickLanguage('zh', ['en']), 'zh');
    assert.equal(pickLanguage('constructor', ['fr', 'zh-TW']), 'zh');
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

test('following a closed envelope loads every page once and ends', async () => {
    const leave = new AbortController();
    const pages = [
        {state: 'sold_out', claims: [{seq: 1}, {seq: 2}], next: 'p2'},
        {state: 'sold_out', claims: [{seq: 3}], next: null},
    ];
    const asked = [];
    const claims = await new Promise((resolve, reject) => {
        watchEnvelope({
            signal: leave.signal,
            onError: reject,
            ask: async (page) => {
                asked.push(page.after);
                return {status: 200, body: pages[page.after === null ? 0 : 1], etag: '"e"'};
            },
            onChange: (envelope, all) => envelope.next === null && resolve(all),
        });
    });
    assert.deepEqual(claims.map((c) => c.seq), [1, 2, 3]);
    assert.deepEqual(asked, [null, 'p2']);
});

test('numbers, lengths of time and plurals follow the language', async () => {
    const [en, zh] = ['en', 'zh'].map(i18nOf);
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

test('asking backs off from a second to ten, never in step', () => {
    assert.equal(intervalMs(0, () => 0.5), 1000);
    assert.equal(intervalMs(2, () => 0.5), 2250);
    assert.equal(intervalMs(50, () => 1), 10000);
    assert.ok(intervalMs(3, () => 0) < intervalMs(3, () => 0.9));
});

test('after the first answer nothing is asked while nobody can see the page', async () => {
    const leave = new AbortController();
    let show;
    let asked = 0;
    const seen = new Promise((resolve) => { show = resolve; });
    const done = new Promise((resolve) => {
        watchEnvelope({
            signal: leave.signal,
            visible: () => seen,
            ask: async () => {
                asked++;
                return {status: 200, body: {state: asked > 1 ? 'expired' : 'open', claims: [], next: null}, etag: '"e"'};
            },
            pause,
            onChange: ({state}) => state === 'expired' && resolve(),
            onError: () => undefined,
        });
    });
    await new Promise((resolve) => { setImmediate(resolve); });
    assert.equal(asked, 1);
    show();
    await done;
    assert.equal(asked, 2);
});

test('an error that will not go away ends the following', async () => {
    const error = await new Promise((resolve) => {
        watchEnvelope({
            signal: new AbortController().signal,
            ask: async () => { throw Object.assign(new Error(), {code: 'not_found'}); },
            onChange: () => undefined,
            onError: resolve,
        });
    });
    assert.equal(error.code, 'not_found');
});

const WWW = new URL('../../www/', import.meta.url);
const sourceOf = async (name) => (await import('node:fs/promises')).readFile(new URL(name, WWW), 'utf8');

test('an answer asked for ahead goes to the first who asks just that', async () => {
    const asked = [];
    const fetch = async (url, {headers}) => {
        asked.push(url.pathname + url.search + ' ' + (headers.Authorization ?? ''));
        return new Response('{"state":"open"}', {headers: {ETag: '"1"'}});
    };
    const base = new URL('http://x/v1/');
    const begin = (ahead, token) =>
        createApi({base, fetch, token: () => token, ahead: askAhead({base, id: 'a', token: ahead, fetch})});
    const signedIn = begin('T', 'T');
    assert.equal((await signedIn.envelope('a', {after: null, limit: 100})).etag, '"1"');
    await signedIn.envelope('a', {after: null, limit: 100});
    await begin(null, null).preview('a');
    await begin('T', 'other').envelope('a', {limit: 100});
    const [one, other] = ['Bearer T', 'Bearer other'].map((who) => '/v1/envelopes/a?limit=100 ' + who);
    assert.deepEqual(asked, [one, one, '/v1/envelopes/a ', one, other]);
});

test('every module of the page is checked for its types', async () => {
    const {readdir} = await import('node:fs/promises');
    const names = (await readdir(WWW, {recursive: true})).filter((name) => /^(?!vendor).*\.js$/.test(name));
    assert.ok(names.length > 25);
    for (const name of names) {
        assert.ok((await sourceOf(name)).startsWith('// @ts-check\n'), name);
    }
});
