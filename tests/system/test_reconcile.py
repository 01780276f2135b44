"""Reconciliation repairs a planted corruption where that is harmless; otherwise it freezes the envelope and logs it."""
import json
import re
import signal

import pytest

from cache import Cache
from client import Client
from service import SLOW, Service, wait_until

INTERVAL_MS = 20
ALARMS, MENDED = "hongbao_reconcile_alarms_total", "hongbao_reconcile_repairs_total"
REF = "CONCAT({e}, UNHEX(LPAD(HEX({seq}), 8, '0')))"
TRANSFER = "transfer (user_id, id, kind, ref, amount_fen, at_us)"
BOOKED = "UPDATE transfer SET {what} WHERE kind = 4 AND ref = " + REF.format(e="{{e}}", seq=1)

# Kind of envelope, statement that corrupts it, and the rule that must be reported.
CORRUPTIONS = [
    ("expired", "UPDATE envelope SET refunded_fen = refunded_fen - 1 WHERE id = {e}", "envelope_sums"),
    ("live", "UPDATE envelope SET refunded_fen = 1 WHERE id = {e}", "envelope_sums"),
    ("sold", "UPDATE envelope SET state = 2 WHERE id = {e}", "envelope_sums"),
    ("live", "UPDATE envelope SET state = 1 WHERE id = {e}", "envelope_sums"),
    ("live", "UPDATE envelope SET opened_fen = opened_fen + 1 WHERE id = {e}", "claims_match_envelope"),
    ("live", "UPDATE envelope SET opened_shares = opened_shares - 1 WHERE id = {e}", "claims_match_envelope"),
    ("sold", "UPDATE claim SET amount_fen = amount_fen + 1 WHERE envelope_id = {e} LIMIT 1", "claims_match_envelope"),
    ("sold", "DELETE FROM claim WHERE envelope_id = {e} AND seq = 2", "claims_match_envelope"),
    ("sold", "UPDATE claim SET seq = 9 WHERE envelope_id = {e} AND seq = 1", "seq_without_holes"),
    ("sold", "UPDATE claim SET seq = seq + 1 WHERE envelope_id = {e} ORDER BY seq DESC", "seq_without_holes"),
    ("capped", "UPDATE claim SET amount_fen = amount_fen + 2 * seq - 3 WHERE envelope_id = {e}", "share_within_cap"),
    ("sold", "UPDATE envelope SET luckiest_fen = luckiest_fen - 1 WHERE id = {e}", "luckiest"),
    ("sold", "UPDATE envelope SET luckiest_user = 'nobody' WHERE id = {e}", "luckiest"),
    ("live", "DELETE FROM transfer WHERE kind = 3 AND ref = {e}", "send_transfer"),
    ("live", "UPDATE transfer SET amount_fen = amount_fen - 1 WHERE kind = 3 AND ref = {e}", "send_transfer"),
    ("sold", "UPDATE transfer SET user_id = 'nobody' WHERE kind = 3 AND ref = {e}", "send_transfer"),
    ("expired", "UPDATE transfer SET user_id = 'nobody' WHERE kind = 5 AND ref = {e}", "refund_transfer"),
    ("expired", "DELETE FROM transfer WHERE kind = 5 AND ref = {e}", "refund_transfer"),
    ("expired", "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE kind = 5 AND ref = {e}", "refund_transfer"),
    ("live", f"INSERT INTO {TRANSFER} VALUES ('nobody', X'02', 5, {{e}}, 1, 1)", "refund_transfer"),
    ("sold", "INSERT INTO credit SELECT user_id, envelope_id, 0, seq, amount_fen, opened_us, 0, 9000000000000000000 "
             "FROM claim WHERE envelope_id = {e} AND seq = 1", "claim_credited_once"),
    ("pending", "UPDATE credit SET amount_fen = amount_fen + 1 WHERE envelope_id = {e}", "credit_matches_claim"),
    ("pending", "UPDATE credit SET seq = 7 WHERE envelope_id = {e}", "credit_matches_claim"),
    ("sold", BOOKED.format(what="amount_fen = amount_fen + 1"), "transfer_matches_claim"),
    ("sold", BOOKED.format(what="user_id = 'nobody'"), "transfer_matches_claim"),
    ("live", f"INSERT INTO {TRANSFER} VALUES ('nobody', X'03', 4, " + REF.format(e="{e}", seq=77) + ", 1, 1)",
     "no_transfer_without_claim"),
    ("live", "DELETE FROM seed WHERE envelope_id = {e}", "seed_only_while_open"),
    ("live", "UPDATE seed SET expires_us = expires_us + 1000000 WHERE envelope_id = {e}", "seed_only_while_open"),
    ("sold", "INSERT INTO seed VALUES ({e}, 9000000000000000, X'00')", "seed_only_while_open"),
    ("sold", "UPDATE envelope SET seed = NULL WHERE id = {e}", "seed_only_while_open"),
    ("sold", "UPDATE envelope SET seed = REVERSE(seed) WHERE id = {e}", "seed_hash"),
]


class Plant:
    """An installation that reconciles all envelopes continuously, with three users."""

    def __init__(self):
        self.service = Service([f"settle.reconcile_interval={INTERVAL_MS}", "settle.interval=20",
                                "limits.expires_min=1", "limits.grabs_burst=100000"]).start()
        self.service.ctl("topup", "alice", 1000000)
        names = ("alice", "bob", "carol")
        self.alice, self.bob, self.carol = (Client(self.service, self.service.token(n)) for n in names)

    def envelope(self, kind):
        """Make an envelope of that kind; its claims are credited."""
        shares = 3 if kind in ("live", "expired") else 2
        total = 100 if kind != "capped" else 2 * 20000
        sent = self.alice.send(total, shares, expires_in=1 if kind == "expired" else 600).json["id"]
        winners = (self.bob,) if kind in ("live", "expired", "pending") else (self.bob, self.carol)
        for who in winners:
            assert who.grab_and_open(sent).state == "opened"
        self.settled()
        if kind == "expired":
            wait_until(lambda: self.alice.envelope(sent).json["state"] == "expired", 5 * SLOW, "expired")
            wait_until(lambda: self.service.sql("SELECT COUNT(*) FROM closing") == [["0"]], 5 * SLOW, "counted")
        return sent

    def settled(self):
        wait_until(lambda: self.service.sql("SELECT COUNT(*) FROM credit WHERE not_before_us = 0") == [["0"]],
                   10 * SLOW, "credited")

    def paused(self, statements):
        """Run statements in one transaction while settle is stopped outside its write transactions. An open read
        transaction of settle sees all of the statements or none."""
        def asleep():
            self.service.signal("settle", signal.SIGSTOP)
            if self.service.sql("SELECT 1 FROM information_schema.innodb_trx t JOIN information_schema.processlist p "
                                "ON p.id = t.trx_mysql_thread_id WHERE p.user = 'hongbao_settle' "
                                "AND (t.trx_rows_locked > 0 OR t.trx_rows_modified > 0)"):
                self.service.signal("settle", signal.SIGCONT)
                return False
            return True
        wait_until(asleep, 10 * SLOW, "settle is between two transactions")
        try:
            self.service.sql(f"SET SESSION check_constraint_checks = 0; BEGIN; {statements}; COMMIT")
        finally:
            self.service.signal("settle", signal.SIGCONT)

    def alarms(self):
        path = self.service.directory / "log/settle.log"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        details = [line["detail"] for line in lines if line["event"] == "reconcile_alarm"]
        found = [re.match(r"envelope (\S+): (\w+):", detail) for detail in details]
        return [(m[1], m[2]) for m in found]

    def steps(self, n):
        """Wait until all envelopes were compared n times. When idle, only reconciliation runs SET statements."""
        def reads():
            return int(self.service.sql("SHOW GLOBAL STATUS LIKE 'Com_set_option'")[0][1])
        around = 2 + int(self.service.sql("SELECT COUNT(*) FROM envelope")[0][0]) // 100
        end = reads() + around * n
        wait_until(lambda: reads() >= end, 20 * SLOW, "all envelopes are compared")


@pytest.fixture(scope="module")
def plant():
    p = Plant()
    yield p
    for client in (p.alice, p.bob, p.carol):
        client.close()
    p.service.remove()


def x(envelope):
    return "X'" + envelope.replace("-", "") + "'"


@pytest.mark.parametrize("kind,statement,rule", CORRUPTIONS, ids=[f"{i}-{c[2]}" for i, c in enumerate(CORRUPTIONS)])
def test_corruption_freezes_and_is_logged_once(plant, kind, statement, rule):
    sent = plant.envelope(kind)
    e = x(sent)
    if kind == "pending":  # restore the state an open leaves
        plant.paused(f"INSERT INTO credit SELECT user_id, envelope_id, 0, seq, amount_fen, opened_us, 0, "
                     f"9000000000000000 FROM claim WHERE envelope_id = {e}; "
                     f"DELETE FROM transfer WHERE kind = 4 AND LEFT(ref, 16) = {e}; " + statement.format(e=e))
    else:
        plant.paused(statement.format(e=e))
    wait_until(lambda: (sent, rule) in plant.alarms(), 10 * SLOW, f"{rule} is found: {plant.alarms()[-3:]}")
    listed = plant.service.ctl("frozen", check=False)
    assert listed.returncode == 1 and f"{sent} {rule}" in listed.stdout.splitlines()
    assert [a for a in plant.alarms() if a[0] == sent] == [(sent, rule)]  # logged once


def test_frozen_envelope_is_neither_opened_nor_refunded(plant):
    """It stays open past its deadline until the operator unfreezes it."""
    sent = plant.alice.send(100, 3, expires_in=3).json["id"]
    assert plant.bob.grab_and_open(sent).state == "opened"
    plant.settled()
    grabbed = plant.carol.grab(sent).json["ticket"]
    plant.paused(f"UPDATE envelope SET opened_fen = opened_fen + 1 WHERE id = {x(sent)}")
    wait_until(lambda: (sent, "claims_match_envelope") in plant.alarms(), 10 * SLOW, "found")
    answer = plant.carol.open(sent, grabbed)
    assert answer.status == 503 and answer.code == "unavailable"
    due = f"SELECT COUNT(*) FROM seed WHERE envelope_id = {x(sent)} AND expires_us < " \
          "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) - 500000"
    wait_until(lambda: plant.service.sql(due) == [["1"]], 10 * SLOW, "the deadline has passed")
    assert plant.alice.envelope(sent).json["state"] == "open"
    assert plant.service.ctl("close", sent, check=False).returncode != 0
    plant.service.sql(f"UPDATE envelope SET opened_fen = opened_fen - 1 WHERE id = {x(sent)}")
    assert plant.service.ctl("unfreeze", sent).returncode == 0
    wait_until(lambda: plant.alice.envelope(sent).json["state"] == "expired", 5 * SLOW, "closed")


def test_unfrozen_without_repair_is_frozen_again(plant):
    sent = plant.envelope("sold")
    plant.paused(f"UPDATE envelope SET luckiest_seq = 9 WHERE id = {x(sent)}")
    for times in (1, 2):
        wait_until(lambda n=times: plant.alarms().count((sent, "luckiest")) == n, 10 * SLOW, "found")
        assert plant.service.ctl("unfreeze", sent).returncode == 0
    wait_until(lambda: plant.alarms().count((sent, "luckiest")) == 3, 10 * SLOW, "found")


def test_unfrozen_after_repair_works_again(plant):
    sent = plant.envelope("live")
    plant.paused(f"UPDATE envelope SET luckiest_seq = 9 WHERE id = {x(sent)}")
    wait_until(lambda: (sent, "luckiest") in plant.alarms(), 10 * SLOW, "found")
    plant.service.sql(f"UPDATE envelope SET luckiest_seq = 1 WHERE id = {x(sent)}")
    assert plant.service.ctl("unfreeze", sent).returncode == 0
    assert plant.service.ctl("unfreeze", sent, check=False).returncode == 1
    assert plant.carol.grab_and_open(sent).state == "opened"
    plant.settled()
    assert plant.service.sql(f"SELECT frozen FROM envelope WHERE id = {x(sent)}") == [["0"]]


@pytest.mark.parametrize("kind", ["sold", "expired", "live", "capped"])
def test_lost_credits_are_queued_again(plant, kind):
    """A claim is neither pending nor booked, as if its credit row had never been written."""
    sent, before, alarms = plant.envelope(kind), plant.service.metrics()[MENDED], len(plant.alarms())
    e = x(sent)
    balances = plant.service.sql("SELECT user_id, balance_fen FROM account ORDER BY user_id")
    plant.paused(f"UPDATE account a JOIN claim c ON c.user_id = a.user_id AND c.envelope_id = {e} "
                 f"SET a.balance_fen = a.balance_fen - c.amount_fen; "
                 f"DELETE FROM transfer WHERE kind = 4 AND LEFT(ref, 16) = {e}")
    n = int(plant.service.sql(f"SELECT COUNT(*) FROM claim WHERE envelope_id = {e}")[0][0])
    wait_until(lambda: plant.service.metrics()[MENDED] == before + n, 10 * SLOW, "queued again")
    wait_until(lambda: plant.service.sql("SELECT user_id, balance_fen FROM account ORDER BY user_id") == balances,
               10 * SLOW, "credited exactly once")
    assert len(plant.alarms()) == alarms


EXPIRES, SHARES, STATE, LEFT, RESTRICTED, GUEST = 7, 8, 9, 10, 11, 12
OPEN, SOLD_OUT, EXPIRED = "0", "1", "2"
GATES = {  # how the gate is corrupted: (kind of envelope, words that change)
    "sold out while open": ("live", {STATE: SOLD_OUT, LEFT: "0"}),
    "expired while open": ("live", {STATE: EXPIRED, LEFT: "0"}),
    "more left than there are": ("live", {LEFT: "4"}),
    "more shares than there are": ("live", {SHARES: "30", LEFT: "30"}),
    "another deadline": ("live", {EXPIRES: "1"}),
    "of another envelope": ("live", {2: "0" * 32}),
    "of another generation": ("live", {1: "0" * 32}),
    "of another version": ("live", {0: "g9"}),
    "restricted": ("live", {RESTRICTED: "1"}),
    "for guests only": ("live", {GUEST: "1"}),
    "cut off": ("live", {13: "", 14: ""}),
    "open though sold out": ("sold", {STATE: OPEN, LEFT: "2"}),
    "expired though sold out": ("sold", {STATE: EXPIRED}),
    "open though expired": ("expired", {STATE: OPEN, LEFT: "1"}),
    "sold out though expired": ("expired", {STATE: SOLD_OUT}),
    "nonsense": ("live", {i: "x" for i in range(15)}),
}


@pytest.mark.parametrize("name", GATES)
def test_invalid_gate_is_replaced(plant, name):
    kind, changes = GATES[name]
    sent, alarms, cache = plant.envelope(kind), len(plant.alarms()), Cache(plant.service)
    state = {"live": OPEN, "sold": SOLD_OUT, "expired": EXPIRED}[kind]
    wait_until(lambda: cache.get(sent)[STATE] == state, 5 * SLOW, state)
    right = cache.get(sent)
    cache.set(sent, " ".join(changes.get(i, word) for i, word in enumerate(right)))

    left = "2" if kind == "live" else "0"

    def repaired():
        words = cache.get(sent)
        return words and words[LEFT] == left and all(
            words[i] == right[i] for i in (0, 1, 2, EXPIRES, SHARES, STATE, RESTRICTED, GUEST))
    wait_until(repaired, 10 * SLOW, f"repaired: {cache.get(sent)}")
    assert len(plant.alarms()) == alarms
    cache.socket.close()


def test_valid_gates_are_left_alone(plant):
    """Fewer tickets than shares, an opened share and a missing gate are all valid."""
    sent, gone, cache = plant.envelope("live"), plant.envelope("live"), Cache(plant.service)
    plant.carol.grab(sent)
    words = cache.get(sent)
    cache.socket.sendall(f"delete {cache.key(gone)}\r\n".encode())
    assert cache.file.readline().strip() == b"DELETED"
    before = plant.service.metrics()[MENDED]
    plant.steps(3)
    assert cache.get(sent) == words and cache.get(gone) == [] and plant.service.metrics()[MENDED] == before
    cache.socket.close()


def test_consistent_books_raise_no_alarm(plant):
    """All kinds of envelopes in a busy system: no alarm, nothing repaired."""
    before = plant.service.metrics()
    alarms = plant.alarms()
    users = [Client(plant.service, plant.service.token(f"busy{i}")) for i in range(10)]
    for i in range(30):
        sent = plant.alice.send(200, 5 + i % 6, mode="lucky" if i % 2 else "equal", expires_in=1 + i % 3).json["id"]
        for who in users[:1 + i % 8]:
            who.grab_and_open(sent)
    left = "SELECT COUNT(*) FROM seed s JOIN envelope e ON e.id = s.envelope_id WHERE e.frozen = 0 AND " \
           "s.expires_us - e.created_us < 5000000"
    wait_until(lambda: plant.service.sql(left) == [["0"]], 20 * SLOW, "expired")
    plant.settled()
    plant.steps(3)
    for client in users:
        client.close()
    after = plant.service.metrics()
    assert plant.alarms() == alarms and after[ALARMS] == before[ALARMS] and after[MENDED] == before[MENDED]
