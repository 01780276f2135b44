"""Claims: what they answer, and races between them. HONGBAO_ROUNDS=300 repeats the large race 300 times."""
import collections
import concurrent.futures
import json
import os
import subprocess
import threading
import time
import uuid

import pytest

from cache import Cache
from client import Client
from service import SLOW, Service, wait_until
from swarm import Swarm, claim_request, grab_request, open_request

ROUNDS = int(os.environ.get("HONGBAO_ROUNDS", 12 if SLOW == 1 else 3))
UNKNOWN = "01a20d63-04ab-7000-b431-b856e67a7b86"


@pytest.fixture(scope="module")
def sender(service):
    service.ctl("topup", "claim-sender", 10**9)
    return Client(service, service.token("claim-sender", name="Sender"))


@pytest.fixture(scope="module")
def crowd(service):
    """The tokens of 200 users."""
    return [service.token(f"claimer{i}") for i in range(200)]


@pytest.fixture(scope="module")
def without_markers():
    """An installation whose pools answer every claim; three claims at once are allowed, then one a second."""
    s = Service(["site.markers=no", "limits.grabs_per_second=1", "limits.grabs_burst=3",
                 "limits.sent_per_day=1000000000000"])
    s.start()
    s.ctl("topup", "claim-sender", 10**9)
    yield s
    s.remove()


def rush(service, envelope, tokens, seconds=30):
    """Let all users claim at once, and again when they are asked to, sooner than they are. Return the final answers."""
    swarm, answers, left = Swarm(service), [None] * len(tokens), list(range(len(tokens)))
    end = time.monotonic() + seconds * SLOW
    while left:
        assert time.monotonic() < end, f"{len(left)} users have no final answer"
        for i, answer in zip(left, swarm.fire([claim_request(tokens[i], envelope) for i in left])):
            assert answer.status in (200, 429, 503), answer
            answers[i] = answer
        left = [i for i in left if answers[i].status != 200 or answers[i].state == "busy"]
        time.sleep(0.05 if left else 0)
    swarm.close()
    return answers


def won(answers):
    return [a.json for a in answers if a.state == "opened"]


def check_shares(answers, total, shares):
    """All shares are opened once, and all other users were answered that it sold out."""
    states = collections.Counter(a.state for a in answers)
    assert states["opened"] == shares and states["sold_out"] == len(answers) - shares, states
    assert sum(w["amount"] for w in won(answers)) == total
    assert sorted(w["seq"] for w in won(answers)) == list(range(1, shares + 1))


# ---- one claim at a time ----

def test_a_claim_is_a_grab_and_an_open(user):
    alice, bob, carol = user(money=1000), user(), user()
    envelope = alice.send(100, 2).json["id"]
    first = bob.claim(envelope)
    assert set(first.json) == {"state", "amount", "seq", "opened_at"} and first.json["seq"] == 1
    assert bob.claim(envelope).json == first.json
    assert bob.grab(envelope).json == {"state": "opened", "amount": first.json["amount"], "seq": 1}
    assert carol.grab_and_open(envelope).json["amount"] == 100 - first.json["amount"]
    assert user().claim_until_final(envelope).json == {"state": "sold_out"}
    wait_until(lambda: "X-Request-Id" not in carol.claim(envelope).headers, 5, "the marker answers")
    assert bob.envelope(envelope).json["mine"]["amount"] == first.json["amount"]
    wait_until(lambda: bob.get("/v1/me").json["balance"] == first.json["amount"], 5, "credited")


def test_who_is_refused(service, user, anybody):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 1, to={"users": [bob.user]}).json["id"]
    assert alice.claim(envelope).code == "not_recipient"
    assert anybody.claim(envelope).code == "unauthorized"
    assert Client(service, service.token("late", exp=1)).claim(envelope).code == "token_expired"
    assert bob.claim(UNKNOWN).code == "not_found"
    assert bob.request("POST", f"/v1/envelopes/{envelope}/claim", "{}").code == "invalid_request"
    assert bob.claim(envelope).state == "opened"
    assert user().claim(envelope).code == "not_recipient"  # nor is the end told to others
    late = alice.send(100, 2, expires_in=1).json["id"]
    wait_until(lambda: alice.envelope(late).json["state"] == "expired", 5, "expired")
    assert bob.claim_until_final(late).json == {"state": "expired"}


def test_a_member_that_left_the_group_keeps_its_share(service, user):
    alice, member = user(money=1000), user(groups=["g"])
    envelope = alice.send(100, 2, to={"group": "g"}).json["id"]
    first = member.claim(envelope)
    left = Client(service, service.token(member.user, groups=[]))
    assert left.claim(envelope).json == first.json
    left.close()


def test_without_markers_a_winner_is_answered_after_the_end(without_markers):
    """The user's claim comes before the end, and only then the rate limit matters."""
    s = without_markers
    envelope = Client(s, s.token("claim-sender")).send(100, 2).json["id"]
    bob, carol, dave = (Client(s, s.token(name)) for name in ("bob", "carol", "dave"))
    first = bob.claim(envelope)
    assert first.state == carol.claim(envelope).state == "opened"
    for _ in range(20):  # in every process
        dave.claim_until_final(envelope)
    answers = [dave.claim(envelope) for _ in range(20)]
    assert all(a.state == "sold_out" and "X-Request-Id" in a.headers for a in answers)
    answers = [bob.claim(envelope) for _ in range(20)]
    assert answers[0].json == first.json
    limited = [a for a in answers if a.status == 429]
    assert limited and limited[0].code == "rate_limited" and limited[0].json["limit"] == 1
    assert all(a.json == first.json for a in answers if a.status != 429)
    assert bob.claim_until_final(envelope).json == first.json


def test_log_and_metrics(service, user):
    envelope, bob = user(money=1000).send(100, 2), user()
    envelope, name = envelope.json["id"], "claim-" + bob.user
    counter = 'hongbao_requests_total{route="claim",state="opened"}'
    before = service.metrics()[counter]
    bob.request("POST", f"/v1/envelopes/{envelope}/claim", headers={"X-Request-Id": name})

    def found():
        lines = (service.directory / "log/open.log").read_text().splitlines()
        return [json.loads(line) for line in lines if name in line]
    line, = wait_until(found, 5, "logged")
    assert (line["route"], line["user"], line["envelope"], line["state"]) == ("claim", bob.user, envelope, "opened")
    assert service.metrics()[counter] == before + 1


# ---- races ----

def test_two_hundred_on_ten(service, sender, crowd, rng):
    for _ in range(ROUNDS):
        total = rng.randrange(10, 5000)
        envelope = sender.send(total, 10).json["id"]
        check_shares(rush(service, envelope, crowd), total, 10)
    assert service.audit() == {}


def test_two_hundred_on_ten_without_markers(without_markers, rng):
    s = without_markers
    sender = Client(s, s.token("claim-sender"))
    for i in range(max(2, ROUNDS // 6)):
        total = rng.randrange(10, 5000)
        tokens = [s.token(f"claimer{i}-{k}") for k in range(200)]
        check_shares(rush(s, sender.send(total, 10).json["id"], tokens), total, 10)
    assert s.audit() == {} and s.metrics()['hongbao_markers_total{outcome="put"}'] == 0


def test_claims_race_grabs_and_opens(service, sender, crowd):
    """Half of the users claim, the others grab and open; one gate and one envelope serve both."""
    swarm = Swarm(service)
    for _ in range(3):
        envelope = sender.send(1000, 10).json["id"]
        first = swarm.fire([claim_request(t, envelope) if i % 2 else grab_request(t, envelope)
                            for i, t in enumerate(crowd)])
        tickets = [(t, a.json["ticket"]) for t, a in zip(crowd, first) if a.state == "grabbed"]
        opened = swarm.fire([open_request(t, envelope, ticket) for t, ticket in tickets])
        late = rush(service, envelope, crowd)
        view = sender.envelope(envelope).json
        assert view["state"] == "sold_out" and view["opened_total"] == 1000
        winners = {c["user"]: c["amount"] for c in view["claims"]}
        for token, answer in [*zip(crowd, first), *zip((t for t, _ in tickets), opened), *zip(crowd, late)]:
            if answer.state == "opened":
                number = crowd.index(token)
                assert winners[f"claimer{number}"] == answer.json["amount"]
    swarm.close()
    assert service.audit() == {}


def test_one_user_fifty_times_at_once(service, sender):
    for _ in range(5):
        envelope = sender.send(1000, 10).json["id"]
        answers = rush(service, envelope, [service.token(uuid.uuid4().hex)] * 50)
        assert len({(a.state, a.json["amount"], a.json["seq"], a.json["opened_at"]) for a in answers}) == 1
        assert sender.envelope(envelope).json["opened_shares"] == 1


def test_claims_racing_the_expiry(service, sender, crowd):
    """A share is opened or refunded, never both."""
    swarm = Swarm(service)
    for number in range(5):
        sent = time.monotonic()
        envelope = sender.send(100, 40, expires_in=1).json["id"]
        time.sleep(max(0, sent + 0.97 + 0.01 * (number % 4) - time.monotonic()))
        answers = swarm.fire([claim_request(t, envelope) for t in crowd[:60]])
        view = wait_until(lambda e=envelope: (v := sender.envelope(e).json)["state"] != "open" and v, 5, "closed")
        assert {a.state for a in answers} <= {"opened", "busy", "expired", "sold_out"}
        assert view["opened_total"] == sum(w["amount"] for w in won(answers))
        assert view["opened_total"] + view["refunded"] == 100
    swarm.close()
    assert service.audit() == {}


def test_hoarded_tickets_do_not_keep_claims_out(service, sender):
    envelope, hoarders = sender.send(1000, 10).json["id"], [service.token(f"hoarder{i}") for i in range(20)]
    swarm, ending = Swarm(service), threading.Event()

    def hoard():
        while not ending.is_set():
            swarm.fire([grab_request(t, envelope) for t in hoarders])
            time.sleep(0.2)
    hoarder = threading.Thread(target=hoard)
    swarm.fire([grab_request(t, envelope) for t in hoarders])
    hoarder.start()
    try:
        honest = [service.token(f"honest{i}-{envelope}") for i in range(10)]
        assert all(a.state == "opened" for a in rush(service, envelope, honest, 10))
    finally:
        ending.set()
        hoarder.join()
        swarm.close()


# ---- the cache ----

def test_memcached_dies_during_a_rush(service, sender, crowd):
    envelope, quiet = sender.send(10000, 150).json["id"], sender.send(100, 2).json["id"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        killing = pool.submit(service.kill_and_wait, "memcached")
        answers = rush(service, envelope, crowd, 60)
        killing.result()
    check_shares(answers, 10000, 150)
    assert rush(service, quiet, crowd[:1])[0].state == "opened"  # its gate is certainly gone
    again = [a for a in rush(service, envelope, crowd) if a.state == "opened"]
    assert all(a.json in won(answers) for a in again)
    assert service.audit() == {}


def test_a_poisoned_cache_costs_speed_only(service, sender, crowd):
    """Gates that are garbage, another envelope's, of too many shares, empty, or closed."""
    other = sender.send(1000, 10).json["id"]
    cache = Cache(service)
    words = cache.get(other)
    gates = ["", "x", "\x00" * 40, " ".join(words), " ".join([*words[:2], "999", *words[3:]]), "g2 " * 30]
    for gate in gates:
        envelope = sender.send(1000, 10).json["id"]
        cache.set(envelope, gate)
        check_shares(rush(service, envelope, crowd[:40]), 1000, 10)
    assert rush(service, other, crowd[:1])[0].state == "opened"
    assert service.audit() == {}


# ---- the database ----

def test_a_locked_envelope_is_unavailable_and_claimed_later(service, sender, user):
    held, free, bob = sender.send(100, 2).json["id"], sender.send(100, 2).json["id"], user()
    holder = subprocess.Popen(["mariadb", "--no-defaults", "-n", "-N", "-S", str(service.directory / "run/db.sock"),
                               "hongbao"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    held_hex = held.replace("-", "")
    holder.stdin.write(f"BEGIN; SELECT 1 FROM envelope WHERE id = X'{held_hex}' FOR UPDATE; SELECT 'held';\n")
    holder.stdin.flush()
    while "held" not in holder.stdout.readline():
        pass
    swarm = Swarm(service)
    answers = swarm.fire([claim_request(bob.token, held), claim_request(bob.token, free)])
    swarm.close()
    assert answers[0].code == "unavailable" and answers[1].state == "opened"
    holder.stdin.write("ROLLBACK;\n")
    holder.stdin.close()
    holder.wait()
    assert bob.claim_until_final(held).state == "opened"
    assert sender.envelope(held).json["opened_shares"] == 1


def test_workers_killed_during_a_rush(service, sender, crowd):
    """A user whose answer was lost claims again, and after "sold out" reads the envelope, and is given what was stored."""
    envelope = sender.send(5000, 100).json["id"]

    def insist(token):
        client, end = Client(service, token), time.monotonic() + 60
        while time.monotonic() < end:
            try:
                answer = client.claim_until_final(envelope, 60)
                return answer.json if answer.state == "opened" else client.envelope(envelope).json["mine"]
            except OSError:
                client.close()
        raise AssertionError("no answer")
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        futures = [pool.submit(insist, t) for t in crowd[:100]]
        for pid in service.workers("open"):
            os.kill(pid, 9)
            time.sleep(0.05)
        shares = [f.result() for f in futures]
    assert sorted(s["seq"] for s in shares) == list(range(1, 101)) and sum(s["amount"] for s in shares) == 5000
    assert service.audit() == {}
