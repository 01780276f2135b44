/* The rest of the page that needs no browser: languages, what is remembered, following an envelope. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {createI18n, LANGUAGES, pickLanguage} from '../../www/i18n.js';
import {claimsOf, createStore, tokenOfHash} from '../../www/store.js';
import {watchEnvelope} from '../../www/watch.js';

const marks = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
const jwt = (claims) => 'h.' + Buffer.from(JSON.stringify(claims)).toString('base64url') + '.s';

test('every language has the same sentences with the same gaps', () => {
    const {zh, en} = LANGUAGES;
    assert.deepEqual(Object.keys(zh.strings).sort(), Object.keys(en.strings).sort());
    for (const key of Object.keys(en.strings)) {
        assert.deepEqual(marks(zh.strings[key]), marks(en.strings[key]), key);
    }
});

test('the language is the chosen one, else the first known, else English', () => {
    assert.equal(pickLanguage('zh', ['en']), 'zh');
    assert.equal(pickLanguage('constructor', ['fr', 'zh-TW']), 'zh');
    assert.equal(pickLanguage(null, ['fr']), 'en');
    assert.equal(createI18n('en').t('home.hello', {name: '{name}'}), 'Hello, {name}');
});

test('a token comes out of the fragment and shows whom it is about', () => {
    assert.equal(tokenOfHash(''), null);
    assert.equal(tokenOfHash('#token='), null);
    assert.equal(tokenOfHash('#token=a.b-c_d'), 'a.b-c_d');
    assert.equal(claimsOf('nonsense'), null);
    assert.deepEqual(claimsOf(jwt({sub: 'ann', name: '安'})), {sub: 'ann', name: '安'});
});

test('an unfinished send is seen by its own user only', () => {
    const store = createStore({local: null, session: null, scope: '/'});
    assert.equal(store.unfinishedSend(), null);
    store.signIn(jwt({sub: 'ann', exp: 1}));
    store.keepSend({key: 'K', body: {total: 1}});
    store.signIn(jwt({sub: 'bob'}));
    assert.equal(store.unfinishedSend(), null);
    store.signIn(jwt({sub: 'ann', exp: 2}));
    assert.equal(store.unfinishedSend().key, 'K');
    store.forgetSend();
    assert.equal(store.unfinishedSend(), null);
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
