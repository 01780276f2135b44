/* What the browser remembers: who is in force, the one key of a send, hashes as first seen. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {createStore} from '../../www/lib/browser_storage.js';

const jwt = (claims) => 'h.' + Buffer.from(JSON.stringify(claims)).toString('base64url') + '.s';

/* A Storage of one browser or tab. */
function box() {
    const kept = new Map();
    return {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => kept.set(key, String(value)),
        removeItem: (key) => kept.delete(key),
    };
}

function broken() {
    const fail = () => {
        throw new Error('forbidden');
    };
    return {getItem: fail, setItem: fail, removeItem: fail};
}

test('a token from a link is for its tab, a guest for good', () => {
    const local = box();
    const tab = createStore({local, session: box(), scope: '/'});
    tab.signInGuest(jwt({sub: 'guest:1', name: 'G'}));
    tab.signInTab(jwt({sub: 'ann'}));
    const other = createStore({local, session: box(), scope: '/'});
    assert.equal(tab.token(), jwt({sub: 'ann'}));
    assert.equal(other.token(), jwt({sub: 'guest:1', name: 'G'}));
    assert.equal(createStore({local, session: box(), scope: '/elsewhere/'}).token(), null);
});

test('signing a link\'s user out lets nobody else in unasked', () => {
    const store = createStore({local: box(), session: box(), scope: '/'});
    store.signInGuest(jwt({sub: 'guest:1', name: 'G'}));
    assert.equal(store.asideGuest(), null);
    store.signInTab(jwt({sub: 'ann'}));
    store.signOut();
    assert.equal(store.token(), null);
    assert.deepEqual(store.asideGuest(), {sub: 'guest:1', name: 'G'});
    store.resumeGuest();
    assert.equal(store.token(), jwt({sub: 'guest:1', name: 'G'}));
    store.signOut();
    assert.equal(store.token(), null);
});

test('an unfinished send is seen by its own user only', () => {
    const store = createStore({local: null, session: null, scope: '/', now: () => 7});
    assert.equal(store.unfinishedSend(), null);
    store.signInGuest(jwt({sub: 'ann', exp: 1}));
    store.keepSend({key: 'K', body: {total: 1}});
    store.signInGuest(jwt({sub: 'bob'}));
    assert.equal(store.unfinishedSend(), null);
    store.signInGuest(jwt({sub: 'ann', exp: 2}));
    assert.deepEqual(store.unfinishedSend(), {key: 'K', body: {total: 1}, user: 'ann', at: 7});
    store.forgetSend('other');
    assert.equal(store.unfinishedSend().key, 'K');
    store.forgetSend('K');
    assert.equal(store.unfinishedSend(), null);
});

test('two tabs that send at once lose neither key', () => {
    const local = box();
    const [a, b] = [0, 1].map(() => createStore({local, session: box(), scope: '/'}));
    a.signInGuest(jwt({sub: 'ann'}));
    a.keepSend({key: 'A', body: {}});
    b.keepSend({key: 'B', body: {}});
    b.forgetSend('B');
    assert.equal(a.unfinishedSend().key, 'A');
});

test('a send kept, and the form with its key, outlive a reload', () => {
    const [local, session] = [box(), box()];
    const before = createStore({local, session, scope: '/'});
    before.signInTab(jwt({sub: 'ann'}));
    before.keepDraft({key: 'K', fields: {amount: '8.88'}});
    before.keepSend({key: 'K', body: {total: 888}});
    const after = createStore({local, session, scope: '/'});
    assert.equal(after.unfinishedSend().key, 'K');
    assert.deepEqual(after.draft(), {key: 'K', fields: {amount: '8.88'}});
    after.forgetDraft();
    assert.equal(before.draft(), null);
});

test('the first hash seen is the one that counts', () => {
    const store = createStore({local: box(), session: box(), scope: '/', now: () => 5});
    store.keepPromise('e', 'first');
    store.keepPromise('e', 'second');
    assert.deepEqual(store.promise('e'), {id: 'e', hash: 'first', at: 5});
    for (let n = 0; n < 100; n++) {
        store.keepPromise('e' + n, 'h');
    }
    assert.equal(store.promise('e'), null);
    assert.equal(store.promise('e99').hash, 'h');
});

test('a browser that forbids storage remembers as long as the page', () => {
    const store = createStore({local: broken(), session: broken(), scope: '/'});
    store.signInGuest('T');
    store.keepDraft({key: 'K'});
    store.setSound(true);
    assert.equal(store.token(), 'T');
    assert.deepEqual(store.draft(), {key: 'K'});
    assert.equal(store.sound(), true);
    store.signOut();
    assert.equal(store.token(), null);
});
