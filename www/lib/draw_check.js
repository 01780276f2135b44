// @ts-check
/* Recomputes the draw of a closed envelope from its revealed seed, by the published rules alone: what
 * this file computes, the service must have paid. Integers are BigInt, bytes big-endian. */
import {hmac} from '../vendor/noble-hashes-2.4.0/hmac.js';
import {sha256} from '../vendor/noble-hashes-2.4.0/sha2.js';

const MODES = {lucky: 1, equal: 2};
const WORDS = 1n << 64n;

function bytesOfHex(text) {
    const digits = text.replace(/-/g, '');
    if (digits.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(digits)) {
        throw new RangeError('no hex: ' + text);
    }
    return Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
}

function hexOfBytes(bytes) {
    return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/* The last `size` bytes of a whole number. */
function bytesOfNumber(value, size) {
    return bytesOfHex(BigInt(value).toString(16).padStart(2 * size, '0').slice(-2 * size));
}

function join(...parts) {
    return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/* The hash that was shown from the start, in hex, from what it binds. */
export function seedHash({id, mode, total, shares, cap, seed}) {
    return hexOfBytes(sha256(join(
        new TextEncoder().encode('hongbao-1'), bytesOfHex(id), [MODES[mode]],
        bytesOfNumber(total, 8), bytesOfNumber(shares, 4), bytesOfNumber(cap, 8), bytesOfHex(seed))));
}

/* The random words of share seq, without end. */
function* wordsOf(seed, id, seq) {
    for (let counter = 0; ; counter++) {
        const block = hmac(sha256, seed, join(id, bytesOfNumber(seq, 4), bytesOfNumber(counter, 4)));
        const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
        for (let at = 0; at < 32; at += 8) {
            yield BigInt(view.getUint32(at)) << 32n | BigInt(view.getUint32(at + 4)); /* Safari 14 */
        }
    }
}

/**
 * The next word that is uniform in 0..n-1.
 * @param {Iterable<bigint>} words
 * @param {bigint} n
 */
function below(words, n) {
    const bound = WORDS - WORDS % n;
    for (const word of words) {
        if (word < bound) {
            return word % n;
        }
    }
    throw new Error('unreachable');
}

/** @type {(a: bigint, b: bigint) => bigint} */
const least = (a, b) => (a < b ? a : b);
/** @type {(a: bigint, b: bigint) => bigint} */
const most = (a, b) => (a > b ? a : b);

/**
 * What the next of `left` shares draws from `rest` fen. words(): where its randomness comes from.
 * @param {() => Iterator<bigint>} words
 * @param {bigint} rest
 * @param {bigint} left
 * @param {bigint} cap
 */
function luckyShare(words, rest, left, cap) {
    if (left === 1n) {
        return rest;
    }
    const spare = rest - left;
    const low = most(1n, rest - (left - 1n) * cap);
    const high = least(cap, rest - (left - 1n));
    const width = least(spare - left * (low - 1n), left * (high - 1n) - spare);
    const source = words();
    /* one generator for both: a for loop left early would close it */
    const open = {[Symbol.iterator]: () => ({next: () => source.next()})};
    const t = spare - width + below(open, 2n * width + 1n);
    const v = below(open, left);
    return 1n + (t + v) / left;
}

/* The amounts in fen of the first `count` shares (all of them by default), as numbers. */
export function drawAmounts({id, mode, total, shares, cap, seed}, count = shares) {
    const key = bytesOfHex(seed);
    const ident = bytesOfHex(id);
    const amounts = [];
    let rest = BigInt(total);
    for (let seq = 1; seq <= count; seq++) {
        const left = BigInt(shares - seq + 1);
        const amount = mode === 'equal'
            ? BigInt(total) / BigInt(shares) + (BigInt(seq) <= BigInt(total) % BigInt(shares) ? 1n : 0n)
            : luckyShare(() => wordsOf(key, ident, seq), rest, left, BigInt(cap));
        rest -= amount;
        amounts.push(Number(amount));
    }
    return amounts;
}

/* Checks a closed envelope (as the API gives it) with all its claims. promised: the hash this browser
 * saw first, or null. Gives {faults, rows}: faults are keys, empty if all is right; rows are
 * [{seq, name, amount, drawn, right}]. */
export function checkEnvelope(envelope, claims, promised = null) {
    const faults = [];
    const expect = (truth, fault) => truth || faults.push(fault);
    const bySeq = [...claims].sort((a, b) => a.seq - b.seq);
    let drawn = [];
    try {
        expect(seedHash(envelope) === envelope.seed_hash, 'hash');
        drawn = drawAmounts(envelope, Math.min(bySeq.length, envelope.shares));
    } catch {
        faults.push('hash');
    }
    expect(promised === null || promised === envelope.seed_hash, 'promise');
    const rows = bySeq.map(({seq, name, amount}, n) =>
        ({seq, name, amount, drawn: drawn[n] ?? null, right: seq === n + 1 && drawn[n] === amount}));
    const sum = bySeq.reduce((fen, claim) => fen + claim.amount, 0);
    expect(rows.every((row) => row.right), 'amounts');
    expect(bySeq.length === envelope.opened_shares && sum === envelope.opened_total
        && sum + (envelope.refunded ?? 0) === envelope.total, 'sum');
    expect(luckiestIsRight(envelope, bySeq), 'luckiest');
    return {faults, rows};
}

/* The largest amount, of equals the first; none where all is equal or nobody came. */
function luckiestIsRight(envelope, bySeq) {
    if (envelope.mode === 'equal' || bySeq.length === 0) {
        return envelope.luckiest === null;
    }
    const best = bySeq.reduce((a, b) => (b.amount > a.amount ? b : a));
    return envelope.luckiest?.seq === best.seq && envelope.luckiest.amount === best.amount;
}
