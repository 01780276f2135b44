/* The recomputed draw, against the published vectors; every corruption is found. */
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import test from 'node:test';
import {checkEnvelope, drawAmounts, seedHash} from '../../www/lib/draw_check.js';

const vectors = JSON.parse(await readFile(new URL('../vectors/draw.json', import.meta.url), 'utf8'));

test('every vector is drawn again', () => {
    assert.ok(vectors.length > 4);
    for (const vector of vectors) {
        assert.deepEqual(drawAmounts(vector), vector.amounts);
        assert.deepEqual(drawAmounts(vector, 1), vector.amounts.slice(0, 1));
        assert.equal(seedHash(vector), vector.seed_hash);
    }
});

/* A closed envelope as the service gives it, with all its claims, of which only `count` came. */
function closed({amounts, ...vector}, count = amounts.length) {
    const claims = amounts.slice(0, count).map((amount, n) => ({seq: n + 1, name: 'u' + n, amount}));
    const opened = claims.reduce((sum, claim) => sum + claim.amount, 0);
    const best = claims.reduce((a, b) => (a && a.amount >= b.amount ? a : b), null);
    const envelope = {
        ...vector, opened_shares: count, opened_total: opened, refunded: vector.total - opened,
        luckiest: vector.mode === 'lucky' ? best : null,
    };
    return [envelope, claims];
}

test('a closed envelope is right, whole or with a rest that went back', () => {
    for (const vector of vectors) {
        for (const count of [vector.shares, 1, 0]) {
            const result = checkEnvelope(...closed(vector, count), vector.seed_hash);
            assert.deepEqual(result.faults, [], vector.mode + count);
            assert.equal(result.rows.length, count);
        }
    }
});

const lucky = vectors.find((v) => v.mode === 'lucky');
const CORRUPTIONS = {
    amounts: (e, claims) => Object.assign(claims[1], {amount: claims[1].amount + 1}),
    hash: (e) => Object.assign(e, {seed: 'ff' + e.seed.slice(2)}),
    sum: (e) => Object.assign(e, {refunded: 1}),
    luckiest: (e, claims) => Object.assign(e, {luckiest: claims[0]}),
};
for (const [fault, corrupt] of Object.entries(CORRUPTIONS)) {
    test('found: ' + fault, () => {
        const [envelope, claims] = structuredClone(closed(lucky));
        corrupt(envelope, claims);
        assert.ok(checkEnvelope(envelope, claims).faults.includes(fault));
    });
}

test('found: a hash other than the one seen first, a hole, a seed that is none, a total changed', () => {
    const [envelope, claims] = closed(lucky);
    assert.deepEqual(checkEnvelope(envelope, claims, '00'.repeat(32)).faults, ['promise']);
    assert.ok(checkEnvelope(envelope, claims.filter((_, at) => at !== 3)).faults.includes('amounts'));
    assert.ok(checkEnvelope({...envelope, seed: 'no hex'}, claims).faults.includes('hash'));
    assert.ok(checkEnvelope({...envelope, total: envelope.total + 1}, claims).faults.includes('hash'));
});
