"""Envelopes leave the database for files, and the books still agree; an audit of what happened since a day."""
import datetime
import json
import random
import uuid

import pytest

from client import Client
from old_rows import Past
from service import Service, wait_until

DONE, WRONG, USAGE = 0, 1, 2


def day(ago):
    """The day some days ago, at the site's offset."""
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    return (now - datetime.timedelta(days=ago)).strftime("%Y-%m-%d")


def settled(service):
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM credit") == [["0"]], 20, "credited")


@pytest.fixture(scope="module")
def own():
    """A service with a past: 1,200 envelopes of 90 to 50 days ago, 6,000 claims; and a little of today."""
    s = Service(["limits.expires_min=1"]).start()
    try:
        past, rng = Past(s), random.Random(7)
        people = [f"p{i}" for i in range(40)]
        for person in people:
            past.top_up(person, 1000000, 95)
        for number in range(1200):
            winners = rng.sample(people, rng.choice((5, 5, 5, 4, 6)))
            past.envelope(90 - number / 30, rng.choice(people), rng.randint(100, 1000), rng.choice((6, len(winners))), winners,
                          "team" if number % 50 == 0 else None)
        for person in people[:30]:
            past.top_up(person, 100, 45)
        past.insert()
        s.ctl("topup", "alice", 100000)
        s.alice, s.p0 = Client(s, s.token("alice")), Client(s, s.token("p0"))
        s.p0.grab_and_open(s.alice.send(100, 2).json["id"])
        s.p0.grab_and_open(s.alice.send(100, 1).json["id"])
        settled(s)
        yield s
        for client in (s.alice, s.p0):
            client.close()
    finally:
        s.remove()


def audit(service, *options):
    done = service.ctl("audit", "--json", *options, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == (DONE if report["ok"] else WRONG)
    return report


def wrong(report):
    return {i["name"] for i in report["invariants"] if i["violations"]}


def rows(report, name):
    return next(i["rows"] for i in report["invariants"] if i["name"] == name)


def test_audit_since_reads_less(own, report):
    whole, since = audit(own), audit(own, "--since", day(1))
    assert whole["ok"] and since["ok"]
    assert rows(since, "envelope_sums") == 2 and rows(since, "claims_match_envelope") == 2 and rows(since, "draws") == 1
    assert rows(since, "balance_is_postings") + rows(since, "entries_without_holes") >= 2 * 2
    report(f"rows read by a whole audit {whole['rows_read']}, by one since yesterday {since['rows_read']}")
    assert since["rows_read"] * 20 < whole["rows_read"]
    assert own.ctl("audit", "--since", "yesterday", check=False).returncode == USAGE
    assert own.ctl("audit", "--since", day(1)).stdout.splitlines()[-1].startswith("the server read ")


@pytest.mark.parametrize("name, plant, undo", [
    ("balance_is_postings", "UPDATE account SET balance_fen = balance_fen + 1 WHERE user_id = 'p0'",
     "UPDATE account SET balance_fen = balance_fen - 1 WHERE user_id = 'p0'"),
    ("entries_without_holes", "UPDATE account SET entries = entries + 1 WHERE user_id = 'alice'",
     "UPDATE account SET entries = entries - 1 WHERE user_id = 'alice'"),
    ("claims_match_envelope", "UPDATE claim SET amount_fen = amount_fen + 1 ORDER BY envelope_id DESC LIMIT 1",
     "UPDATE claim SET amount_fen = amount_fen - 1 ORDER BY envelope_id DESC LIMIT 1"),
    ("send_transfer", "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE user_id = 'alice' AND kind = 3",
     "UPDATE transfer SET amount_fen = amount_fen - 1 WHERE user_id = 'alice' AND kind = 3"),
])
def test_audit_since_finds_what_happened_since(own, name, plant, undo):
    own.sql(plant)
    try:
        assert name in wrong(audit(own, "--since", day(1)))
    finally:
        own.sql(undo)
    assert audit(own, "--since", day(1))["ok"]


def test_doctor_prints_growth(own):
    own.sql("ANALYZE TABLE account, claim, envelope, transfer")  # the server keeps old sizes for a while
    text = own.ctl("doctor", check=False).stdout
    line, = (line for line in text.splitlines() if line.startswith("growth: "))
    claims = int(own.sql("SELECT COUNT(*) FROM claim")[0][0])
    assert f"with {claims} claims" in line and 200 < float(line.split()[1]) < 5000
    growth = json.loads(own.ctl("doctor", "--json", check=False).stdout)["growth"]
    assert growth["claims"] == claims and growth["bytes_per_million_claims"] == int(growth["bytes"] / claims * 1e6)
