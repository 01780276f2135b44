"""Races between clients released by a barrier. The database's unique keys and locks must hold; the counters at
the end prove that the races took place."""
import collections
import concurrent.futures
import os
import threading
import time
import uuid

import pytest

from client import Client
from service import SLOW, Service, wait_until
from swarm import Swarm, grab_request

ROUNDS = int(os.environ.get("HONGBAO_ROUNDS", 300 if SLOW == 1 else 30))
EXPIRIES = 200 if SLOW == 1 else 40
REFILLED = 'hongbao_gate_total{outcome="refilled"}'


def together(jobs):
    """Run all jobs at once, released by a barrier; return their results in order."""
    barrier = threading.Barrier(len(jobs))

    def run(job):
        barrier.wait()
        return job()
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture(scope="module")
def crowd(service):
    """200 users, each with a connection."""
    clients = [Client(service, service.token(f"crowd{i}")) for i in range(200)]
    for i, client in enumerate(clients):
        client.user = f"crowd{i}"
    yield clients
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def sender(service):
    service.ctl("topup", "sender", 10**9)
    return Client(service, service.token("sender", name="Sender"))


def two_hundred_on_ten(crowd, sender, rng, rounds, mixed=False):
    """Let 200 users compete for each envelope of 10 shares; rounds overlap. mixed: each user takes the envelopes in a
    random order, so that a process works on many at once."""
    def take_part(client, envelopes, order):
        answers = {i: client.grab_and_open(envelopes[i], 60 * SLOW) for i in order}
        return [answers[i] for i in range(len(envelopes))]
    done = 0
    while done < rounds:
        lot = min(20, rounds - done)
        totals = [rng.randrange(10, 5000) for _ in range(lot)]
        envelopes = [sender.send(t, 10).json["id"] for t in totals]
        orders = [rng.sample(range(lot), lot) if mixed else range(lot) for _ in crowd]
        answers = together([lambda c=c, o=o: take_part(c, envelopes, o) for c, o in zip(crowd, orders)])
        for i, envelope in enumerate(envelopes):
            states = collections.Counter(a[i].state for a in answers)
            assert states == {"opened": 10, "sold_out": 190}, (envelope, states)
            won = [a[i].json for a in answers if a[i].state == "opened"]
            assert sum(w["amount"] for w in won) == totals[i]
            assert sorted(w["seq"] for w in won) == list(range(1, 11))
        done += lot


def test_two_hundred_on_ten(crowd, sender, service, rng):
    two_hundred_on_ten(crowd, sender, rng, ROUNDS)
    two_hundred_on_ten(crowd, sender, rng, 40, mixed=True)
    assert service.audit() == {}


def test_two_hundred_on_ten_without_markers(rng):
    """Repeat the race with markers off, so that the pools answer every grab."""
    s = Service(["site.markers=no", "limits.grabs_per_second=10000", "limits.grabs_burst=100000",
                 "limits.sent_per_day=1000000000000"])
    s.start()
    try:
        s.ctl("topup", "sender", 10**9)
        crowd = [Client(s, s.token(f"crowd{i}")) for i in range(200)]
        two_hundred_on_ten(crowd, Client(s, s.token("sender")), rng, max(20, ROUNDS // 10))
        assert s.audit() == {} and s.metrics()['hongbao_markers_total{outcome="put"}'] == 0
        for client in crowd:
            client.close()
    finally:
        s.remove()


def test_one_user_on_fifty_connections_gets_one_claim(sender, service):
    for _ in range(5):
        envelope = sender.send(1000, 10).json["id"]
        token = service.token(uuid.uuid4().hex)
        answers = together([lambda: Client(service, token).grab_and_open(envelope)] * 50)
        assert len({(a.state, a.json["amount"], a.json["seq"]) for a in answers}) == 1
        assert sender.envelope(envelope).json["opened_shares"] == 1


def test_many_grabs_of_one_user_take_one_share(sender, service, report):
    """All grabs get a ticket. At most one share per process is taken, while the user item is being written."""
    swarm, before, rounds = Swarm(service), service.metrics(), 100 // SLOW
    for _ in range(rounds):
        envelope, token = sender.send(1000, 10).json["id"], service.token(uuid.uuid4().hex)
        answers = swarm.fire([grab_request(token, envelope)] * 20)
        assert {a.state for a in answers} == {"grabbed"}
    swarm.close()
    name = 'hongbao_gate_total{outcome="won"}'
    won = service.metrics()[name] - before[name]
    report(f"{rounds} users who grabbed 20 times at once took {won:.0f} shares")
    assert rounds <= won <= rounds * len(service.workers("grab"))


def test_opens_racing_the_expiry(sender, service, crowd):
    """Open each envelope at the moment it expires: the share is opened or refunded, never both."""
    lots = collections.deque()
    for i in range(EXPIRIES):
        sent = sender.send(100, 2, expires_in=1 + i % 2).json
        lots.append((sent["id"], time.monotonic() + 1 + i % 2))
    tickets = [(crowd[i % 200], e, end, crowd[i % 200].grab(e).json) for i, (e, end) in enumerate(lots)]

    def last_moment(client, envelope, end, grabbed, offset):
        time.sleep(max(0, end - 0.02 + offset - time.monotonic()))
        if grabbed["state"] != "grabbed":
            return None
        while True:
            answer = Client(service, client.token).open(envelope, grabbed["ticket"])
            if answer.status != 503:
                return answer
            time.sleep(0.05)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda a: last_moment(*a[1], a[0] % 7 * 0.005), enumerate(tickets)))
    for (_, envelope, _, _), answer in zip(tickets, answers):
        view = wait_until(lambda e=envelope: (v := sender.envelope(e).json)["state"] != "open" and v, 5, "closed")
        if answer is not None and answer.state == "opened":
            assert view["opened_total"] == answer.json["amount"]
        else:
            assert view["opened_total"] == 0
        assert view["opened_total"] + view["refunded"] == 100
    assert service.audit() == {}


def test_one_idempotency_key_on_twenty_connections_sends_once(user):
    alice = user(money=1000)
    for number in range(5):
        key = uuid.uuid4().hex
        answers = together([lambda: Client(alice.service, alice.token).send(100, 2, key=key)] * 20)
        good = [a for a in answers if a.status == 201]
        assert len({a.json["id"] for a in good}) == 1
        assert all(a.status == 201 or a.code == "idempotency_in_progress" for a in answers)
        assert alice.get("/v1/me").json["balance"] == 1000 - 100 * (number + 1)


def test_concurrent_sends_do_not_overdraw(user):
    alice = user(money=990)
    answers = together([lambda: Client(alice.service, alice.token).send(10, 1)] * 150)
    assert collections.Counter(a.code for a in answers) == {"": 99, "insufficient_funds": 51}
    assert alice.get("/v1/me").json["balance"] == 0


def test_hoarders_cannot_keep_others_out(sender, service):
    """20 users take every ticket and never open: others open after at most three refills of the gate, 2 s apart."""
    envelope = sender.send(1000, 10).json["id"]
    hoarders = [Client(service, service.token(f"hoarder{i}-{envelope}")) for i in range(20)]
    stop, before = threading.Event(), service.metrics()[REFILLED]

    def hoard(client):
        while not stop.is_set():
            client.grab(envelope)
            time.sleep(0.2)
    threads = [threading.Thread(target=hoard, args=(h,)) for h in hoarders]
    for t in threads:
        t.start()
    time.sleep(0.5)
    try:
        honest = [Client(service, service.token(f"honest{i}-{envelope}")) for i in range(10)]
        answers = together([lambda c=c: c.grab_and_open(envelope) for c in honest])
        assert all(a.state == "opened" for a in answers)
        assert service.metrics()[REFILLED] - before <= 3
    finally:
        stop.set()
        for t in threads:
            t.join()


def test_locked_envelope_does_not_delay_its_batch(sender, user, service):
    """One envelope is locked: its opens get 503, the other opens of the batch succeed."""
    import subprocess
    held, free = sender.send(100, 50).json["id"], sender.send(100, 50).json["id"]
    clients = [user() for _ in range(16)]
    tickets = [(c, e, c.grab(e).json["ticket"]) for c in clients for e in (held, free)]
    holder = subprocess.Popen(["mariadb", "--no-defaults", "-n", "-N", "-S", str(service.directory / "run/db.sock"),
                               "hongbao"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"BEGIN; SELECT 1 FROM envelope WHERE id = X'{held.replace('-', '')}' FOR UPDATE; SELECT 'held';\n")
    holder.stdin.flush()
    while "held" not in holder.stdout.readline():
        pass
    before = service.metrics()["hongbao_batch_locked_total"]
    answers = together([lambda c=c, e=e, t=t: (e, Client(service, c.token).open(e, t)) for c, e, t in tickets])
    assert all(a.status == 503 for e, a in answers if e == held)
    holder.stdin.write("ROLLBACK;\n")
    holder.stdin.close()
    holder.wait()

    def until_opened(client, envelope, ticket):
        return wait_until(lambda: (a := client.open(envelope, ticket)).state == "opened" and a, 10, "opened")
    for client, envelope, ticket in tickets:
        until_opened(client, envelope, ticket)
    assert service.metrics()["hongbao_batch_locked_total"] > before


def test_connections_killed_while_opens_commit(sender, user, service):
    """Repeated opens return the same answers; there is no second claim."""
    before = service.metrics()["hongbao_commits_uncertain_total"]
    end = time.monotonic() + 60
    while service.metrics()["hongbao_commits_uncertain_total"] == before:
        assert time.monotonic() < end, "no commit was hit"
        envelope = sender.send(5000, 100).json["id"]
        stop = threading.Event()

        def kill_commits():
            while not stop.is_set():
                for row in service.sql("SELECT id FROM information_schema.processlist WHERE user = 'hongbao_open' "
                                       "AND (info = 'COMMIT' OR command = 'Query')"):
                    try:
                        service.sql(f"KILL {row[0]}")
                    except AssertionError:
                        pass  # already gone
        killer = threading.Thread(target=kill_commits)
        killer.start()
        try:
            tokens = [service.token(f"commit{i}-{envelope}") for i in range(100)]
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                answers = list(pool.map(lambda t: Client(service, t).grab_and_open(envelope, 60), tokens))
        finally:
            stop.set()
            killer.join()
        assert sorted(a.json["seq"] for a in answers) == list(range(1, 101))
        assert sum(a.json["amount"] for a in answers) == 5000
    assert service.audit() == {}


def test_gate_is_rebuilt_during_a_rush(sender, service, crowd):
    """memcached dies during a rush: grabs continue, the gate is rebuilt, the books agree."""
    envelope, quiet = sender.send(10000, 150).json["id"], sender.send(100, 2).json["id"]
    barrier = threading.Event()

    def late(client):
        barrier.wait()
        return client.grab_and_open(envelope, 60)
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        futures = [pool.submit(late, c) for c in crowd]
        barrier.set()
        service.kill_and_wait("memcached")
        answers = [f.result() for f in futures]
    assert collections.Counter(a.state for a in answers) == {"opened": 150, "sold_out": 50}
    # its gate is certainly gone
    assert crowd[0].grab_and_open(quiet).state == "opened"
    assert service.audit() == {}


def test_every_race_took_place(service, sender, crowd):
    """Every counter of a race event is above 0."""
    names = {"lost cas": 'hongbao_gate_total{outcome="lost"}', "let through": 'hongbao_gate_total{outcome="let_through"}',
             "busy": 'hongbao_gate_total{outcome="busy"}', "refilled": 'hongbao_gate_total{outcome="refilled"}',
             "rebuilt": 'hongbao_gate_total{outcome="created"}', "unknown commit": "hongbao_commits_uncertain_total",
             "turned out": "hongbao_batch_locked_total"}
    m = service.metrics()
    counts = {what: m[name] for what, name in names.items()}
    for kind in ("grab", "open", "send"):
        one = m[f'hongbao_batch_size_bucket{{kind="{kind}",le="1"}}']
        counts[f"{kind} batches over 1"] = m[f'hongbao_batch_size_count{{kind="{kind}"}}'] - one
    print("\n", counts)
    assert all(count > 0 for count in counts.values()), counts
