/* Money as people type it and as the page shows it. Run: node --test tests/page */
import assert from 'node:assert/strict';
import test from 'node:test';
import {formatFen, formatMoney, parseCount, parseYuan, timesFen} from '../../www/money.js';

test('what is no amount is refused', () => {
    const bad = ['', ' ', '.', '.5', '-1', '+1', '1.234', '1,5', '1e2', '0x10', '1 2', 'NaN', '¥', '1..2',
        '10000000000.01', '99999999999', '1.5.', '½'];
    bad.forEach((text) => assert.equal(parseYuan(text), null, text));
});

test('amounts become whole fen', () => {
    const good = {'0': 0, '0.01': 1, '0.1': 10, '1.': 100, '8.8': 880, '8.88': 888, ' ¥8 ': 800, '￥1': 100,
        '007': 700, '１２．３４': 1234, '1。5': 150, '0.29': 29, '1.15': 115, '4.35': 435,
        '10000000000': 1000000000000};
    Object.entries(good).forEach(([text, fen]) => assert.equal(parseYuan(text), fen, text));
});

test('every amount reads back as it was written', () => {
    for (let fen = 0; fen < 200000; fen++) {
        assert.equal(parseYuan(formatFen(fen)), fen);
    }
    [999999999999, 1000000000000].forEach((fen) => assert.equal(parseYuan(formatFen(fen)), fen));
});

test('negative amounts and other currencies are shown', () => {
    assert.equal(formatFen(-5), '-0.05');
    assert.equal(formatMoney(-12345, 'CNY'), '-¥123.45');
    assert.equal(formatMoney(888, undefined), '¥8.88');
    assert.equal(formatMoney(888, 'points'), '8.88 points');
});

test('counts are whole numbers from one', () => {
    ['', '0', '-1', '1.0', '1e3', '12345678', 'x'].forEach((t) => assert.equal(parseCount(t), null, t));
    assert.equal(parseCount(' 10 '), 10);
    assert.equal(parseCount('５００'), 500);
});

test('a product past the largest amount is refused', () => {
    assert.equal(timesFen(888, 10), 8880);
    assert.equal(timesFen(1000000000000, 2), null);
    assert.equal(timesFen(1000000000000, 9999999), null);
});
