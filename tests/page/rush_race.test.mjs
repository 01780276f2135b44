/* The rush and its figures, and the numbers behind the charts. Time stands still but for the script. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {ApiError} from '../../www/lib/api.js';
import {drawBars, latencyClasses, quantile} from '../../www/lib/chart.js';
import {makeGuests, race, rushFigures} from '../../www/lib/rush_race.js';

const pause = async () => undefined;

test('bars are as high as their amounts, and the line is an equal share', () => {
    const claims = [{seq: 1, amount: 30}, {seq: 3, amount: 60}];
    const {bars, mean} = drawBars(claims, {total: 90, shares: 3, width: 30, height: 60});
    assert.deepEqual(bars.map((b) => [b.seq, b.x, b.y, b.width, b.height]),
        [[1, 1.25, 30, 7.5, 30], [3, 21.25, 0, 7.5, 60]]);
    assert.equal(mean, 30);
    assert.deepEqual(drawBars([], {total: 90, shares: 3, width: 30, height: 60}), {bars: [], mean: 0});
});

test('five hundred bars fit, and the smallest can be seen', () => {
    const claims = Array.from({length: 500}, (_, n) => ({seq: n + 1, amount: n === 7 ? 1 : 10000}));
    const {bars} = drawBars(claims, {total: 4990001, shares: 500, width: 320, height: 72});
    assert.ok(bars.every((b) => b.width > 0 && b.height >= 1 && b.x + b.width <= 320.001));
});

test('latencies fall into their classes; empty ends are left out', () => {
    assert.deepEqual(latencyClasses([4.9, 5, 19, 60], [5, 10, 20, 50, 100, 200]), [
        {from: 0, to: 5, count: 1}, {from: 5, to: 10, count: 1}, {from: 10, to: 20, count: 1},
        {from: 20, to: 50, count: 0}, {from: 50, to: 100, count: 1},
    ]);
    assert.deepEqual(latencyClasses([7], [5]), [{from: 5, to: null, count: 1}]);
    assert.deepEqual(latencyClasses([]), []);
});

test('quantiles are of the numbers themselves', () => {
    assert.equal(quantile([], 0.5), null);
    assert.equal(quantile([5], 0.99), 5);
    assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
    assert.equal(quantile([4, 1, 3, 2], 0.99), 4);
});

/* A service with one share: the first to ask gets it, the others are told to wait once. */
function oneShare() {
    let taken = null;
    const asked = new Map();
    return (name) => ({
        claim: async () => {
            asked.set(name, (asked.get(name) ?? 0) + 1);
            taken ??= name;
            return {body: taken === name ? {state: 'opened', amount: 5, seq: 1}
                : asked.get(name) === 1 ? {state: 'busy', retry_after: 1} : {state: 'sold_out'}};
        },
    });
}

test('a race ends for everybody; busy is asked again; every answer counts', async () => {
    let clock = 0;
    const apiFor = oneShare();
    const guests = ['a', 'b', 'c'].map((name) => ({name, api: apiFor(name)}));
    const heard = [];
    const outcome = await race({guests, id: 'e', pause, now: () => clock++, onEvent: (e) => heard.push(e.guest)});
    assert.deepEqual(outcome.ends.map((e) => e.state), ['opened', 'sold_out', 'sold_out']);
    assert.equal(outcome.busy, 2);
    assert.equal(outcome.answers.length, 5);
    assert.deepEqual(heard.sort(), ['a', 'b', 'c']);
    const figures = rushFigures(outcome);
    assert.deepEqual(figures.won.map((w) => w.guest), ['a']);
    assert.equal(figures.away, 2);
    assert.deepEqual(figures.failed, []);
});

test('a guest who is refused fails alone', async () => {
    const refused = async () => { throw new ApiError({status: 403, code: 'not_recipient'}); };
    const guests = [{name: 'a', api: {claim: refused}}];
    const {failed} = rushFigures(await race({guests, id: 'e', pause, now: () => 0}));
    assert.equal(failed[0].code, 'not_recipient');
});

test('the rate leaves out the time in which nothing was awaited', () => {
    const answers = [{asked: 0, ms: 100}, {asked: 50, ms: 50}, {asked: 1900, ms: 100}];
    assert.equal(rushFigures({ends: [], answers}).perSecond, 15);
    assert.equal(rushFigures({ends: [], answers: []}).perSecond, 0);
});

test('winners stand by amount, of equals the earlier first', () => {
    const ends = [[1, 5], [2, 9], [3, 9]].map(([seq, amount]) => ({guest: 'g' + seq, state: 'opened', seq, amount}));
    assert.deepEqual(rushFigures({ends, answers: []}).won.map((w) => w.seq), [2, 3, 1]);
});

test('guests come in, each by one request that is repeated when it fails', async () => {
    let calls = 0;
    const anonymous = {guest: async (name) => {
        if (++calls === 3) {
            throw new ApiError({code: 'unavailable'});
        }
        return {body: {name, user: 'guest:' + name, token: 'T' + name}};
    }};
    const guests = await makeGuests({count: 9, anonymous, apiFor: (token) => token, nameOf: (n) => 'n' + n, pause});
    assert.deepEqual(guests.map((g) => g.api), [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => 'Tn' + n));
    assert.equal(calls, 10);
});
