/* Money as people type it and as the page shows it. Run: node --test tests/page */
import assert from 'node:assert/strict';
import test from 'node:test';
import {formatFen, moneyParts, parseCount, parseYuan, readYuan, timesFen} from '../../www/lib/money.js';

test('what is no amount is refused, and says why', () => {
    const bad = ['', ' ', '.', ',', '-1', '+1', '1e2', '0x10', '1 2', 'NaN', '¥', '1..2', '1.5.', '½', '1,00,000',
        '1000,000', ',100', '1,000,', '1.000.', '1,0.0', '1..', "1'00", '1 0000', '1,000,50'];
    bad.forEach((text) => assert.deepEqual(readYuan(text), {fen: null, fault: 'amount'}, text));
    ['1.234', '8.888', '.125', '1,0000', '0.001'].forEach((text) =>
        assert.deepEqual(readYuan(text), {fen: null, fault: 'decimals'}, text));
    ['10000000000.01', '99999999999'].forEach((text) =>
        assert.deepEqual(readYuan(text), {fen: null, fault: 'range'}, text));
});

test('amounts become whole fen, however they are written', () => {
    const good = {'0': 0, '0.01': 1, '0.1': 10, '1.': 100, '8.8': 880, '8.88': 888, ' ¥8 ': 800, '￥1': 100,
        '007': 700, '１２．３４': 1234, '1。5': 150, '0.29': 29, '1.15': 115, '4.35': 435,
        '10000000000': 1000000000000, '1,000.50': 100050, '12,345,678': 1234567800,
        '1,5': 150, '8,88': 888, '８，８８': 888, '1.000,50': 100050, '.5': 50, ',5': 50, '5,': 500, '1 000': 100000,
        '1\u00a0000,5': 100050, "1'000.50": 100050, '1’000': 100000, '8元': 800, '8.88 元': 888, '$8': 800, '€8,50': 850,
        '8 EUR': 800, 'CNY 8': 800, '٥': 500, '٨٫٨٨': 888, '۵': 500, '1,500': 150000, '1.234.567': 123456700};
    Object.entries(good).forEach(([text, fen]) => assert.equal(parseYuan(text), fen, text));
});

test('every amount reads back as it was written', () => {
    for (let fen = 0; fen < 200000; fen++) {
        assert.equal(parseYuan(formatFen(fen)), fen);
    }
    [999999999999, 1000000000000].forEach((fen) => assert.equal(parseYuan(formatFen(fen)), fen));
});

const shown = (fen, options) => moneyParts(fen, {locale: 'en', ...options}).map((part) => part.value).join('');

test('negative amounts and other currencies are shown', () => {
    assert.equal(formatFen(-5), '-0.05');
    assert.equal(shown(-12345, {currency: 'CNY'}), '-¥123.45');
    assert.equal(shown(888, {currency: 'CNY'}), '¥8.88');
    assert.equal(shown(888, {currency: 'points'}), '8.88 points');
    assert.equal(shown(888, {currency: 'CNY', signed: true}), '+¥8.88');
    assert.equal(shown(1000000000000, {currency: 'CNY', locale: 'zh-CN'}), '¥10,000,000,000.00');
});

test('counts are whole numbers from one', () => {
    ['', '0', '-1', '1.0', '1e3', '12345678', 'x', '1.5', '1 0'].forEach((t) => assert.equal(parseCount(t), null, t));
    assert.equal(parseCount(' 10 '), 10);
    assert.equal(parseCount('５００'), 500);
    assert.equal(parseCount('03'), 3);
    assert.equal(parseCount('10个'), 10);
});

test('a product past the largest amount is refused', () => {
    assert.equal(timesFen(888, 10), 8880);
    assert.equal(timesFen(1000000000000, 2), null);
    assert.equal(timesFen(1000000000000, 9999999), null);
});
