/* What the page asks again and when it stops. The service is a script of answers; nothing sleeps. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {ApiError, createApi} from '../../www/lib/api.js';
import {grabUntilFinal, openUntilFinal} from '../../www/lib/grab_open.js';
import {delayMs, persist} from '../../www/lib/retry.js';

const fail = (code, retryAfter) => new ApiError({code, retryAfter});
const pause = async () => undefined;

/* A function that gives or throws one scripted answer a call, and remembers its arguments. */
function script(...answers) {
    const play = async (...args) => {
        play.calls.push(args);
        const answer = answers.shift();
        if (answer instanceof Error) {
            throw answer;
        }
        return answer;
    };
    play.calls = [];
    return play;
}

test('a refusal is not repeated', async () => {
    const attempt = script(fail('insufficient_funds'), 'never');
    await assert.rejects(persist(attempt, {pause}), {code: 'insufficient_funds'});
    assert.equal(attempt.calls.length, 1);
});

test('repeating ends after the last try', async () => {
    const attempt = script(fail('unavailable'), fail('timeout'), fail('network'), 'never');
    await assert.rejects(persist(attempt, {pause, tries: 3}), {code: 'network'});
});

test('an abort ends the waiting', async () => {
    const leave = new AbortController();
    const attempt = script(fail('unavailable'), 'never');
    const asked = persist(attempt, {signal: leave.signal});
    setImmediate(() => leave.abort());
    await assert.rejects(asked, {name: 'AbortError'});
    assert.equal(attempt.calls.length, 1);
});

test('the pause is what the server asked for, at least, and a third more at most', () => {
    assert.equal(delayMs(2, 1, () => 0), 2000);
    assert.ok(delayMs(2, 1, () => 0.999) < 2667);
    assert.equal(delayMs(0, 1, () => 0), 500);
    assert.equal(delayMs(undefined, 20, () => 0), 8000);
});

test('a grab goes on while it is busy or unavailable', async () => {
    const waits = [];
    const grab = script({state: 'busy', retry_after: 1}, fail('unavailable', 1), {state: 'sold_out'});
    const answer = await grabUntilFinal({grab}, {pause, onWait: (code) => waits.push(code)});
    assert.deepEqual(answer, {state: 'sold_out'});
    assert.deepEqual(waits, ['busy', 'unavailable']);
});

test('an open with a lapsed ticket grabs again and opens with the new one', async () => {
    const open = script(fail('unavailable'), fail('ticket_expired'), {state: 'opened', amount: 5, seq: 1});
    const grab = script({state: 'grabbed', ticket: 'new'});
    const answer = await openUntilFinal({grab, open}, 'old', {pause});
    assert.equal(answer.amount, 5);
    assert.deepEqual(open.calls, [['old'], ['old'], ['new']]);
});

test('a lapsed ticket of an envelope that is gone tells so', async () => {
    const open = script(fail('ticket_expired'));
    const grab = script({state: 'expired'});
    assert.deepEqual(await openUntilFinal({grab, open}, 'old', {pause}), {state: 'expired'});
});

/* The client against one scripted HTTP answer; gives what it asked and what came of it. */
async function ask(call, status, text, headers = {}) {
    const asked = {};
    const api = createApi({
        base: new URL('http://host/prefix/v1/'),
        token: () => 'T',
        fetch: async (url, options) => {
            Object.assign(asked, options, {url: String(url)});
            return {ok: status < 300, status, headers: new Headers(headers), text: async () => text};
        },
    });
    return [asked, await call(api).catch((error) => error)];
}

test('a problem keeps its code and Retry-After', async () => {
    const [, error] = await ask((a) => a.me(), 503, '{"code":"unavailable"}', {'Retry-After': '2'});
    assert.equal(error.code, 'unavailable');
    assert.equal(error.retryAfter, 2);
});

test('an answer that is no JSON counts as unavailable', async () => {
    for (const status of [200, 502]) {
        const [, error] = await ask((a) => a.me(), status, '<html>');
        assert.equal(error.code, 'unavailable');
    }
});

test('a send carries its key, a grab no body, a preview no token, under the prefix', async () => {
    const [send] = await ask((a) => a.send({total: 1}, 'K'), 201, '{}');
    assert.equal(send.url, 'http://host/prefix/v1/envelopes');
    assert.equal(send.headers['Idempotency-Key'], 'K');
    assert.equal(send.headers.Authorization, 'Bearer T');
    const [grab] = await ask((a) => a.grab('x/y'), 200, '{}');
    assert.equal(grab.url, 'http://host/prefix/v1/envelopes/x%2Fy/grab');
    assert.equal(grab.body, undefined);
    const [preview] = await ask((a) => a.preview('x'), 200, '{}');
    assert.equal(preview.headers.Authorization, undefined);
});
