/* A visit to an envelope: its states, and that a step is taken once. The service is scripted. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {ApiError} from '../../www/lib/api.js';
import {createVisit} from '../../www/lib/envelope_visit.js';

const open = {state: 'open', mine: null};
const never = async () => assert.fail('not to be called');

function visit(calls) {
    const states = [];
    const it = createVisit({
        calls: {grab: never, open: never, look: never, ...calls},
        turned: async () => undefined,
        options: {pause: async () => undefined},
        onStep: () => states.push(it.state()),
    });
    it.learn(open, []);
    return {it, states};
}

test('from sealed to opened', async () => {
    const {it, states} = visit({
        grab: async () => ({state: 'grabbed', ticket: 'T'}),
        open: async (ticket) => ({state: 'opened', amount: 7, seq: 2, ticket}),
    });
    assert.equal(it.state(), 'sealed');
    assert.equal(await it.grab(), true);
    assert.equal(await it.open(), true);
    assert.deepEqual(states, ['grabbing', 'grabbed', 'opening', 'opened']);
    assert.deepEqual(it.known.mine, {amount: 7, seq: 2});
});

test('the coin turns long enough, and as long as the answer takes', async () => {
    const order = [];
    let answer;
    let turned;
    const it = createVisit({
        calls: {open: () => new Promise((resolve) => { answer = resolve; })},
        turned: () => new Promise((resolve) => { turned = resolve; }),
        options: {},
        onStep: () => order.push(it.state()),
    });
    it.learn(open, []);
    it.known.ticket = 'T';
    const opened = it.open();
    answer({state: 'opened', amount: 1, seq: 1});
    await new Promise((resolve) => { setImmediate(resolve); });
    assert.deepEqual(order, ['opening']);
    turned();
    await opened;
    assert.deepEqual(order, ['opening', 'opened']);
});

test('two taps are one step', async () => {
    let asked = 0;
    const {it} = visit({grab: async () => (++asked, {state: 'grabbed', ticket: 'T'})});
    assert.deepEqual(await Promise.all([it.grab(), it.grab()]), [true, false]);
    assert.equal(asked, 1);
});

test('what the envelope shows meanwhile does not end a turn, and counts after it', async () => {
    let answer;
    const {it} = visit({open: () => new Promise((resolve) => { answer = resolve; })});
    it.known.ticket = 'T';
    const opened = it.open();
    it.learn({state: 'sold_out', mine: {amount: 7, seq: 2}}, []);
    assert.equal(it.state(), 'opening');
    answer({state: 'opened', amount: 7, seq: 2});
    await opened;
    assert.equal(it.state(), 'opened');
});

test('sold out is said to winners too: the envelope tells', async () => {
    for (const [mine, state] of [[null, 'sold_out'], [{amount: 7, seq: 1}, 'opened']]) {
        const {it} = visit({grab: async () => ({state: 'sold_out'}), look: async () => ({mine})});
        await it.grab();
        assert.equal(it.state(), state);
    }
});

test('a refusal leaves the envelope as it was', async () => {
    const {it} = visit({grab: async () => { throw new ApiError({status: 403, code: 'not_recipient'}); }});
    await assert.rejects(it.grab(), {code: 'not_recipient'});
    assert.equal(it.state(), 'sealed');
});

test('a ticket is no share: the holder of one learns that the envelope is over', async () => {
    for (const state of ['sold_out', 'expired']) {
        const {it} = visit({grab: async () => ({state: 'grabbed', ticket: 'T'})});
        await it.grab();
        assert.equal(it.state(), 'grabbed');
        it.learn({state, mine: null}, []);
        assert.equal(it.state(), state);
    }
});

test('a grab may end before the envelope itself is known', async () => {
    const it = createVisit({
        calls: {grab: async () => ({state: 'grabbed', ticket: 'T'})}, turned: never, options: {}, onStep: () => undefined,
    });
    assert.equal(await it.grab(), true);
    assert.equal(it.state(), 'grabbed');
});
