/* The list of claims: its order, what is found in it, and the table for other programs. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {arrangeClaims, csvOf} from '../../www/lib/claims.js';

const CLAIMS = [['Ann', 5], ['Bob', 9], ['小红', 9], ['Anton', 1]].map(([name, amount], n) => ({seq: n + 1, name, amount}));
const seqs = (view) => arrangeClaims(CLAIMS, {order: 'time', query: '', first: null, ...view}).map((c) => c.seq);

test('the newest or the largest comes first, of equals the earlier', () => {
    assert.deepEqual(seqs({}), [4, 3, 2, 1]);
    assert.deepEqual(seqs({order: 'amount'}), [2, 3, 1, 4]);
});

test('the luckiest of a closed envelope comes first in every order', () => {
    assert.deepEqual(seqs({first: 2}), [2, 4, 3, 1]);
    assert.deepEqual(seqs({first: 2, query: '小'}), [3]);
});

test('a name is found by a part of it, in whatever case', () => {
    assert.deepEqual(seqs({query: ' an '}), [4, 1]);
    assert.deepEqual(seqs({query: 'nobody'}), []);
});

test('a table has its commas, quotes and lines, and no formulas', () => {
    const text = csvOf([['name', 'amount'], ['a,"b"\nc', '8.88'], ['=1+1', -5], ['@x', null]]);
    assert.equal(text, '\uFEFFname,amount\r\n"a,""b""\nc",8.88\r\n\'=1+1,-5\r\n\'@x,\r\n');
});
