#!/usr/bin/env python3
"""Recompute the draws of closed envelopes, using only the published rules.

Reads envelopes in the format of GET /v1/envelopes/{id}, one JSON object per line, or files of `hongbaoctl archive`,
from standard input or files.
Prints each mismatch; the exit status is 0 if there is none. --vectors FILE checks a file of published vectors."""
import hashlib
import hmac
import json
import sys
import uuid


def words(seed, ident, seq):
    counter = 0
    while True:
        message = ident + seq.to_bytes(4, "big") + counter.to_bytes(4, "big")
        block = hmac.new(seed, message, hashlib.sha256).digest()
        yield from (int.from_bytes(block[i:i + 8], "big") for i in range(0, 32, 8))
        counter += 1


def below(source, n):
    bound = 2**64 - 2**64 % n
    return next(w for w in source if w < bound) % n


def lucky(seed, ident, seq, rest, left, cap):
    if left == 1:
        return rest
    above = rest - left
    low = max(1, rest - (left - 1) * cap)
    high = min(cap, rest - (left - 1))
    width = min(above - left * (low - 1), left * (high - 1) - above)
    source = words(seed, ident, seq)
    t = above - width + below(source, 2 * width + 1)
    v = below(source, left)
    return 1 + (t + v) // left


def amounts(ident, mode, total, shares, cap, seed, count):
    rest = total
    for seq in range(1, count + 1):
        if mode == "equal":
            amount = total // shares + (seq <= total % shares)
        else:
            amount = lucky(seed, ident, seq, rest, shares - seq + 1, cap)
        rest -= amount
        yield amount


def seed_hash(ident, mode, total, shares, cap, seed):
    return hashlib.sha256(b"hongbao-1" + ident + bytes([1 if mode == "lucky" else 2])
                          + total.to_bytes(8, "big") + shares.to_bytes(4, "big")
                          + cap.to_bytes(8, "big") + seed).hexdigest()


def check(e):
    """Return a description of the mismatch in a closed envelope, or None."""
    if e["seed"] is None:
        return "still open: the seed is secret"
    ident, seed = uuid.UUID(e["id"]).bytes, bytes.fromhex(e["seed"])
    if seed_hash(ident, e["mode"], e["total"], e["shares"], e["cap"], seed) != e["seed_hash"]:
        return "the seed is not the one promised"
    claims = sorted(e["claims"], key=lambda c: c["seq"])
    drawn = amounts(ident, e["mode"], e["total"], e["shares"], e["cap"], seed, len(claims))
    for claim, amount in zip(claims, drawn):
        if claim["amount"] != amount:
            return f"share {claim['seq']} is {claim['amount']}, the seed draws {amount}"
    return None


def envelopes(lines):
    """Yield the envelopes. In an archive the claims of one follow it, a line each."""
    last = None
    for row in map(json.loads, filter(str.strip, lines)):
        if row.get("row", "envelope") == "envelope":
            if last is not None:
                yield last
            last = {"claims": [], **row}
        elif row["row"] == "claim" and last is not None and row["envelope"] == last["id"]:
            last["claims"].append(row)
    if last is not None:
        yield last


def check_vectors(path):
    wrong = 0
    with open(path, encoding="utf-8") as file:
        for v in json.load(file):
            ident, seed = uuid.UUID(v["id"]).bytes, bytes.fromhex(v["seed"])
            got = list(amounts(ident, v["mode"], v["total"], v["shares"], v["cap"], seed, v["shares"]))
            wrong += got != v["amounts"]
            wrong += seed_hash(ident, v["mode"], v["total"], v["shares"], v["cap"], seed) != v["seed_hash"]
    return wrong


def main():
    if sys.argv[1:2] == ["--vectors"]:
        return 1 if check_vectors(sys.argv[2]) else 0
    wrong = total = 0
    for path in sys.argv[1:] or ["-"]:
        with open(0 if path == "-" else path, encoding="utf-8") as file:
            for envelope in envelopes(file):
                why = check(envelope)
                total += 1
                if why:
                    wrong += 1
                    print(f"{envelope['id']}: {why}")
    print(f"{total} envelopes, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
