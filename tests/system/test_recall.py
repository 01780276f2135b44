"""Recalls: the sender takes back what is left, once, whatever else happens to the envelope at that moment."""
import collections
import concurrent.futures
import json
import time

import pytest
from client import Client
from service import SLOW, wait_until
from test_races import together

TRIALS = 200 if SLOW == 1 else 30


def recall(client, envelope, **more):
    return client.request("POST", f"/v1/envelopes/{envelope}/recall", **more)


def money(client):
    return client.get("/v1/me").json["balance"]


def test_recall_refunds_the_rest_and_closes(user, service):
    alice, bob, eve = user(money=1000), user(), user()
    envelope = alice.send(1000, 3).json["id"]
    assert alice.envelope(envelope).json["closed_by"] is None
    won = bob.claim_until_final(envelope).json["amount"]
    answer = recall(alice, envelope)
    assert answer.json == {"state": "expired", "closed_by": "sender", "refunded": 1000 - won,
                           "closed_at": alice.envelope(envelope).json["closed_at"]}
    assert answer.headers["Idempotent-Replayed"] is None and money(alice) == 1000 - won
    assert eve.claim(envelope).state == eve.grab(envelope).state == "expired"
    assert eve.claim(envelope).headers["X-Request-Id"] is None, "the web server answers from a marker"
    seen = [c.envelope(envelope).json for c in (alice, bob, eve)] + alice.get("/v1/me/sent").json["items"]
    assert {(e["state"], e["closed_by"], e["refunded"]) for e in seen} == {("expired", "sender", 1000 - won)}
    assert alice.get("/v1/me/ledger").json["items"][0]["kind"] == "refund"
    assert service.audit() == {}


def test_recall_is_repeatable(user, service):
    alice = user(money=500)
    envelope = alice.send(500, 2).json["id"]
    first = recall(alice, envelope)
    for _ in range(3):
        again = recall(alice, envelope)
        assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (200, first.json, "true")
    assert money(alice) == 500 and service.audit() == {}


def test_twenty_recalls_at_once_refund_once(user, service):
    alice = user(money=1000)
    for _ in range(5):
        envelope = alice.send(1000, 4).json["id"]
        answers = together([lambda: recall(Client(service, alice.token), envelope)] * 20)
        assert {(a.status, a.code, a.json.get("closed_by"), a.json.get("refunded")) for a in answers} == {(200, "", "sender", 1000)}
        assert money(alice) == 1000
    assert service.audit() == {}


def test_only_the_sender_recalls(user, service, anybody):
    alice, bob = user(money=300), user()
    for more in ({}, {"to": {"users": [bob.user]}}):
        envelope = alice.send(100, 1, **more).json["id"]
        for other in (bob, user()):
            assert (recall(other, envelope).status, recall(other, envelope).code) == (403, "not_sender")
        assert recall(anybody, envelope).code == "unauthorized"
        assert alice.envelope(envelope).state == "open"
    assert recall(alice, "01a20d63-04ab-7000-b431-b856e67a7b86").code == "not_found"
    assert recall(alice, envelope, body={}).code == "invalid_request"
    assert recall(alice, envelope).state == "expired"


def test_frozen_envelope_is_not_recalled(user, service):
    alice = user(money=100)
    envelope = alice.send(100, 1).json["id"]
    service.ctl("envelope", "freeze", envelope, "--why", "looks odd")
    assert recall(alice, envelope).code == "unavailable"
    service.ctl("envelope", "unfreeze", envelope, "--why", "was not")
    assert recall(alice, envelope).json["refunded"] == 100


def test_what_closed_an_envelope_is_told(user, service):
    alice, bob = user(money=1000), user()
    ends = {who: alice.send(100, 1, **({"expires_in": 1} if who == "deadline" else {})).json["id"]
            for who in ("claims", "deadline", "operator", "sender")}
    bob.claim_until_final(ends["claims"])
    service.ctl("envelope", "close", ends["operator"], "--why", "asked to")
    recall(alice, ends["sender"])
    wait_until(lambda: alice.envelope(ends["deadline"]).state == "expired", 10 * SLOW, "the deadline closes")
    for who, envelope in ends.items():
        assert alice.envelope(envelope).json["closed_by"] == who
        shown = json.loads(service.ctl("envelope", "show", envelope).stdout)
        assert shown["closed_by"] == who
        late = recall(alice, envelope).json  # is told how it ended, and moves nothing
        assert (late["closed_by"], late["refunded"]) == (who, 0 if who == "claims" else 100)
    assert money(alice) == 900 and service.audit() == {}


def test_closed_before_the_column_was_there(user, service):
    """Rows of earlier programs say it by their state and times."""
    alice, bob = user(money=300), user()
    early, late, sold = (alice.send(100, 1).json["id"] for _ in range(3))
    bob.claim_until_final(sold)
    recall(alice, early)
    recall(alice, late)
    service.sql("UPDATE envelope SET closed_by = 0")
    service.sql(f"UPDATE envelope SET expires_us = closed_us WHERE id = X'{late.replace('-', '')}'")
    assert [user(groups=[]).envelope(e).json["closed_by"] for e in (early, late, sold)] == ["operator", "deadline", "claims"]


def test_blocked_sender_cannot_recall(user, service):
    alice = user(money=100)
    envelope = alice.send(100, 1).json["id"]
    service.ctl("user", "block", alice.user, "--why", "asked to")
    wait_until(lambda: recall(alice, envelope).code == "user_blocked", 5, "the block is known")


@pytest.fixture(scope="module")
def players(service):
    """Pairs of a sender and an opener, each with a connection."""
    made = []
    for i in range(20):
        service.ctl("topup", f"recaller{i}", 10**7)
        made.append((Client(service, service.token(f"recaller{i}")), Client(service, service.token(f"opener{i}"))))
    yield made
    for pair in made:
        for client in pair:
            client.close()


def test_recall_racing_the_last_claim(players, service, report):
    """Either the share was opened and nothing is refunded, or it is refunded and was not opened: never both, never neither."""
    ends = collections.Counter()

    def race(sender, opener):
        envelope = sender.send(100, 1).json["id"]
        claim, taken = together([lambda: opener.claim_until_final(envelope), lambda: recall(sender, envelope)])
        assert taken.status == 200, taken
        end = taken.json["closed_by"]
        assert (claim.state, taken.state, taken.json["refunded"]) == {
            "claims": ("opened", "sold_out", 0), "sender": ("expired", "expired", 100)}[end], (claim, taken)
        return end
    for _ in range(TRIALS // 20):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            ends.update(pool.map(lambda pair: race(*pair), players))
    report(f"of {ends.total()} recalls {ends['sender']} came before the claim, {ends['claims']} after it")
    assert ends["sender"] > 0 and ends["claims"] > 0, ends
    assert service.audit() == {}


def test_recall_racing_a_crowd(service, players):
    """Twenty users claim ten shares while the sender recalls: what was opened and what was refunded make the total."""
    sender, openers = players[0][0], [opener for _, opener in players]
    for _ in range(20):
        envelope = sender.send(1000, 10).json["id"]
        *claims, taken = together([lambda c=c: c.claim_until_final(envelope) for c in openers] + [lambda: recall(sender, envelope)])
        won = [c.json for c in claims if c.state == "opened"]
        assert sorted(w["seq"] for w in won) == list(range(1, len(won) + 1))
        assert sum(w["amount"] for w in won) + taken.json["refunded"] == 1000
        assert {c.state for c in claims} <= {"opened", taken.state}
        assert taken.json["closed_by"] == ("claims" if len(won) == 10 else "sender")
    assert service.audit() == {}


def test_recall_racing_the_deadline(players, service, report):
    """The refund happens once, and is the deadline's or the recall's."""
    ends, lots = collections.Counter(), []
    for i in range(TRIALS):
        sender = players[i % 20][0]
        lots.append((sender, sender.send(100, 2, expires_in=4 + i % 2).json["id"], time.monotonic() + 4 + i % 2))

    def race(number):
        sender, envelope, end = lots[number]
        time.sleep(max(0, end - 0.4 + number % 12 * 0.04 - time.monotonic()))  # wide: the machine may be slow
        client = Client(service, sender.token)
        answer = wait_until(lambda: (a := recall(client, envelope)).status == 200 and a, 10 * SLOW, "recalled")
        client.close()
        return answer.json
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for answer in pool.map(race, sorted(range(TRIALS), key=lambda i: lots[i][2])):
            assert (answer["state"], answer["refunded"]) == ("expired", 100)
            ends[answer["closed_by"]] += 1
    for sender, envelope, _ in lots:
        assert sender.envelope(envelope).json["refunded"] == 100
    hexadecimal = ",".join(f"X'{envelope.replace('-', '')}'" for _, envelope, _ in lots)
    refunds = service.sql(f"SELECT COUNT(*), COUNT(DISTINCT ref) FROM transfer WHERE kind = 5 AND ref IN ({hexadecimal})")
    assert refunds == [[str(TRIALS), str(TRIALS)]]
    report(f"of {TRIALS} envelopes the sender closed {ends['sender']}, the deadline {ends['deadline']}")
    assert set(ends) == {"sender", "deadline"}
    assert service.audit() == {}
