"""Envelopes of the past: closed and credited long ago, with draws and books that agree."""
import hashlib
import os
import random
import sys
import time

from service import SOURCE
from test_years import id_at

sys.path.insert(0, str(SOURCE / "tools"))
from verify import amounts, seed_hash  # noqa: E402

DAY_US = 86400 * 1000000


def claim_id(ref, time_us):
    """The id of a claim's transfer: its time, and the rest from the reference."""
    number = (time_us // 1000) << 80 | int.from_bytes(hashlib.sha256(ref).digest()[:10], "big")
    return (number & ~(0xf << 76 | 3 << 62) | 7 << 76 | 2 << 62).to_bytes(16, "big")


class Past:
    """Collects rows, in the order in which they are booked, and inserts them all at once while nothing else runs."""

    def __init__(self, service):
        self.service = service
        self.entries, self.balance = {}, {}
        for user, entries, balance in service.sql("SELECT user_id, entries, balance_fen FROM account"):
            self.entries[user], self.balance[user] = int(entries), int(balance)
        self.rows = {"envelope": [], "claim": [], "transfer": []}

    def book(self, user, ident, kind, ref, amount, time_us):
        self.entries[user] = self.entries.get(user, 0) + 1
        self.balance[user] = self.balance.get(user, 0) + (-amount if kind in (2, 3) else amount)
        with_balance = self.balance[user] if kind in (1, 2) else "NULL"
        backend = "shop" if kind in (1, 2) else ""
        self.rows["transfer"].append(f"('{user}', X'{ident.hex()}', {kind}, X'{ref.hex()}', '{backend}', {amount}, {time_us}, "
                                     f"{with_balance}, {time_us}, {self.entries[user]})")

    def top_up(self, user, amount, days):
        time_us = int(time.time() * 1e6 - days * DAY_US)
        self.book(user, id_at(time_us).bytes, 1, os.urandom(12).hex().encode(), amount, time_us)

    def envelope(self, days, sender, total, shares, winners, to=None, mode=None):
        """Sent `days` ago, opened by winners in their order a second apart; what is left expired after an hour."""
        sent_us = int(time.time() * 1e6 - days * DAY_US)
        ident, seed, mode = id_at(sent_us), os.urandom(32), mode or random.choice(("lucky", "equal"))
        drawn = list(amounts(ident.bytes, mode, total, shares, 20000, seed, len(winners)))
        sold = len(winners) == shares
        closed_us = sent_us + (len(winners) * 1000000 if sold else 3600 * 1000000)
        seq = 1 + drawn.index(max(drawn)) if drawn and mode == "lucky" else 0
        luckiest = f"{seq}, {drawn[seq - 1]}, '{winners[seq - 1]}', 'Name of {winners[seq - 1]}'" if seq else "0, 0, '', ''"
        rest = total - sum(drawn)
        promise = seed_hash(ident.bytes, mode, total, shares, 20000, seed)
        self.rows["envelope"].append(
            f"(X'{ident.hex}', '{sender}', 'Name of {sender}', {1 if mode == 'lucky' else 2}, {total}, {shares}, 20000, 'old times', "
            f"{1 if to else 0}, '{to or ''}', {1 if sold else 2}, {len(drawn)}, {sum(drawn)}, {0 if sold else rest}, {sent_us}, "
            f"{sent_us + 3600 * 1000000}, {closed_us}, X'{promise}', X'{seed.hex()}', {luckiest}, {len(drawn) + 2})")
        self.book(sender, id_at(sent_us).bytes, 3, ident.bytes, total, sent_us)
        for number, (user, amount) in enumerate(zip(winners, drawn), 1):
            time_us, ref = sent_us + number * 1000000, ident.bytes + number.to_bytes(4, "big")
            self.rows["claim"].append(f"(X'{ident.hex}', '{user}', 'Name of {user}', {amount}, {number}, {time_us})")
            self.book(user, claim_id(ref, time_us), 4, ref, amount, time_us)
        if not sold:
            self.book(sender, id_at(closed_us).bytes, 5, ident.bytes, rest, closed_us)
        return str(ident)

    def insert(self):
        columns = {"envelope": "id, sender, sender_name, mode, total_fen, shares, cap_fen, greeting, to_kind, recipients, state, "
                               "opened_shares, opened_fen, refunded_fen, created_us, expires_us, closed_us, seed_hash, seed, "
                               "luckiest_seq, luckiest_fen, luckiest_user, luckiest_name, version",
                   "claim": "envelope_id, user_id, name, amount_fen, seq, opened_us",
                   "transfer": "user_id, id, kind, ref, backend, amount_fen, at_us, balance_fen, booked_us, entry"}
        for table, rows in self.rows.items():
            for at in range(0, len(rows), 300):
                self.service.sql(f"INSERT INTO {table} ({columns[table]}) VALUES {','.join(rows[at:at + 300])}")
        accounts = [f"('{user}', '{user}', {balance}, {self.entries[user]})" for user, balance in self.balance.items()]
        for at in range(0, len(accounts), 300):
            self.service.sql("INSERT INTO account (user_id, name, balance_fen, entries) VALUES " + ",".join(accounts[at:at + 300]) +
                             " ON DUPLICATE KEY UPDATE balance_fen = VALUES(balance_fen), entries = VALUES(entries)")
