"""Provoke rare events; each must be visible in its counter."""
import concurrent.futures
import time

import pytest

from client import Client
from foreign import Foreign
from mysql_proxy import MysqlProxy
from service import SLOW, Service, new_directory, wait_until
from swarm import Swarm, grab_request, open_request, send_request


@pytest.fixture(scope="module")
def proxied():
    """Four grab processes that compete for gates, one open process, and a proxy in front of the database."""
    directory = new_directory()
    proxy = MysqlProxy(f"{directory}/proxy.sock", f"{directory}/run/db.sock")
    s = Service([f"database.socket={directory}/proxy.sock", "grab.cas_tries=1", "grab.processes=4", "open.processes=1",
                 "limits.grabs_burst=100000", "limits.grabs_per_second=10000", "limits.sent_per_day=1000000000"],
                directory=directory)
    s.start()
    s.proxy = proxy
    s.ctl("topup", "alice", 1000000)
    s.alice = Client(s, s.token("alice"))
    s.swarm = Swarm(s)
    yield s
    s.swarm.close()
    s.remove()
    proxy.close()


_names = iter(range(1, 1 << 30))


def tokens(service, n):
    return [service.token(f"c{next(_names)}") for _ in range(n)]


def outcome(word):
    return f'hongbao_gate_total{{outcome="{word}"}}'


def rose(service, before, name):
    return service.metrics()[name] - before[name]


def test_lost_cas_and_grabs_let_through(proxied, report):
    before = proxied.metrics()
    for _ in range(50):
        envelope = proxied.alice.send(200, 100).json["id"]
        crowd = tokens(proxied, 90)
        answers = proxied.swarm.fire([grab_request(t, envelope) for t in crowd])
        opened = proxied.swarm.fire([open_request(t, envelope, a.json["ticket"])
                                     for t, a in zip(crowd, answers) if a.state == "grabbed"])
        assert {a.state for a in opened} == {"opened"}
        if rose(proxied, before, outcome("let_through")) >= 10:
            break
    lost, through = rose(proxied, before, outcome("lost")), rose(proxied, before, outcome("let_through"))
    report(f"lost cas {lost:.0f}, let through {through:.0f}")
    assert lost > 0 and through > 0
    assert proxied.audit() == {}


def test_requests_share_batches(proxied, report):
    """Send waves of requests until some of each kind have shared a batch."""
    def over_one(kind):
        now = proxied.metrics()
        name = 'hongbao_batch_size_{}{{kind="{}"}}'
        return now[name.format("sum", kind)] - now[name.format("count", kind)]
    for wave in range(40):
        made = proxied.swarm.fire([send_request(proxied.alice.token, 10, 2, f"batch{wave}-{i}") for i in range(60)])
        assert len({a.json["id"] for a in made}) == 60
        envelope, crowd = proxied.alice.send(1000, 100).json["id"], tokens(proxied, 60)
        answers = proxied.swarm.fire([grab_request(t, envelope) for t in crowd])
        proxied.swarm.fire([open_request(t, envelope, a.json["ticket"]) for t, a in zip(crowd, answers)])
        if all(over_one(kind) > 0 for kind in ("send", "grab", "open")):
            break
    for kind in ("send", "grab", "open"):
        report(f"{kind}: {over_one(kind):.0f} requests joined another's batch, after {wave + 1} waves")
        assert over_one(kind) > 0


def test_empty_gate_is_busy_then_refilled(proxied, report):
    before = proxied.metrics()
    envelope = proxied.alice.send(10, 2).json["id"]
    hoarders = proxied.swarm.fire([grab_request(t, envelope) for t in tokens(proxied, 40)])
    assert {a.state for a in hoarders} <= {"grabbed", "busy"} and any(a.state == "busy" for a in hoarders)
    late = Client(proxied, tokens(proxied, 1)[0])
    assert late.grab_and_open(envelope, 10).state == "opened"
    busy, refilled = rose(proxied, before, outcome("busy")), rose(proxied, before, outcome("refilled"))
    report(f"busy {busy:.0f}, refilled {refilled:.0f}")
    assert busy > 0 and refilled > 0


def test_missing_gate_is_rebuilt(proxied, report):
    before = proxied.metrics()
    envelope = proxied.alice.send(100, 10).json["id"]
    crowd = tokens(proxied, 20)
    first = proxied.swarm.fire([grab_request(t, envelope) for t in crowd[:5]])
    proxied.swarm.fire([open_request(t, envelope, a.json["ticket"]) for t, a in zip(crowd, first)])
    proxied.kill_and_wait("memcached")
    winners = [Client(proxied, t).grab_and_open(envelope) for t in crowd[5:10]]
    assert [a.state for a in winners] == ["opened"] * 5
    assert Client(proxied, crowd[11]).grab_and_open(envelope).state == "sold_out"
    created = rose(proxied, before, outcome("created"))
    report(f"created {created:.0f}")
    assert created > 0


@pytest.mark.parametrize("when", ["after", "before"])
def test_open_with_lost_commit_reply(proxied, report, when):
    """The database connection breaks at COMMIT. The client gets its one claim and notices nothing."""
    before = proxied.metrics()
    for n in (1, 1, 1, 30):
        envelope = proxied.alice.send(300, 50).json["id"]
        crowd = tokens(proxied, n)
        tickets = [a.json["ticket"] for a in proxied.swarm.fire([grab_request(t, envelope) for t in crowd])]
        proxied.proxy.cut("hongbao_open", when)
        opens = [open_request(t, envelope, k) for t, k in zip(crowd, tickets)]
        first = proxied.swarm.fire(opens)
        assert {a.state for a in first} == {"opened"}
        assert [a.json for a in proxied.swarm.fire(opens)] == [a.json for a in first]
        assert sorted(a.json["seq"] for a in first) == list(range(1, n + 1))
    unknown = rose(proxied, before, "hongbao_commits_uncertain_total")
    report(f"unknown commits of opens, cut {when} the server: {unknown:.0f}")
    assert unknown >= 4 and not proxied.proxy.orders
    assert proxied.audit() == {}


def test_repeated_open_costs_one_rerun(proxied):
    """A batch looks up claims only for users known to have one. A process that does not know reruns the batch once,
    and then remembers the user."""
    envelope = proxied.alice.send(300, 50).json["id"]
    crowd = tokens(proxied, 2)
    grabs = proxied.swarm.fire([grab_request(t, envelope) for t in crowd])
    opens = [open_request(t, envelope, a.json["ticket"]) for t, a in zip(crowd, grabs)]
    first = proxied.swarm.fire(opens[:1])[0]
    before = proxied.metrics()
    proxied.kill_and_wait("open")
    wait_until(lambda: proxied.swarm.fire(opens[:1])[0].status == 200, 10, "opens are answered again")
    assert [proxied.swarm.fire(opens[:1])[0].json for _ in range(20)] == [first.json] * 20
    assert rose(proxied, before, "hongbao_batch_lookups_total") == 1
    assert [proxied.swarm.fire(opens[1:])[0].json["seq"] for _ in range(20)] == [2] * 20
    assert rose(proxied, before, "hongbao_batch_lookups_total") == 1
    assert proxied.audit() == {}


def test_new_process_repeats_the_answer_of_a_winner(proxied):
    envelope = proxied.alice.send(100, 1).json["id"]
    winner, = tokens(proxied, 1)
    grab, = proxied.swarm.fire([grab_request(winner, envelope)])
    again = [open_request(winner, envelope, grab.json["ticket"])]
    first, = proxied.swarm.fire(again)
    assert first.json["amount"] == 100 and proxied.alice.envelope(envelope).json["state"] == "sold_out"
    before = proxied.metrics()
    proxied.kill_and_wait("open")
    wait_until(lambda: proxied.swarm.fire(again)[0].status == 200, 10, "opens are answered again")
    assert proxied.swarm.fire(again)[0].json == first.json
    assert rose(proxied, before, "hongbao_batch_lookups_total") == 0


@pytest.mark.parametrize("when", ["after", "before"])
def test_send_with_lost_commit_reply(proxied, report, when):
    before = proxied.metrics()
    balance = proxied.alice.get("/v1/me").json["balance"]
    for i in range(3):
        proxied.proxy.cut("hongbao_send", when)
        sent = proxied.alice.send(10, 1, key=f"unknown-{when}-{i}")
        assert sent.status == 201
        assert proxied.alice.send(10, 1, key=f"unknown-{when}-{i}").json == sent.json
    assert proxied.alice.get("/v1/me").json["balance"] == balance - 30
    unknown = rose(proxied, before, "hongbao_commits_uncertain_total")
    report(f"unknown commits of sends, cut {when} the server: {unknown:.0f}")
    assert unknown >= 3
    assert proxied.audit() == {}


def test_credit_with_lost_commit_reply(proxied):
    """A credit is booked once, whether or not its commit took effect."""
    for when in ("after", "before", "after", "before"):
        envelope, bob = proxied.alice.send(10, 1).json["id"], Client(proxied, tokens(proxied, 1)[0])
        proxied.proxy.cut("hongbao_settle", when)
        bob.grab_and_open(envelope)
        wait_until(lambda: bob.get("/v1/me").json["balance"] == 10, 5, "credited")
        wait_until(lambda: not proxied.proxy.orders, 5, "the connection was cut")
    assert proxied.audit() == {}


def opens_at(service, envelope, n):
    """Return open requests of n users who have grabbed a ticket."""
    crowd = tokens(service, n)
    tickets = [service.swarm.fire([grab_request(t, envelope)])[0].json["ticket"] for t in crowd]
    return [open_request(t, envelope, k) for t, k in zip(crowd, tickets)]


def lock(foreign, envelope):
    foreign.run(f"SELECT state FROM envelope WHERE id = X'{envelope.replace('-', '')}' FOR UPDATE")


def fire_behind(service, plug, requests):
    """Send requests while the only open process is held up by a short lock, so that they share the next batch."""
    swarm = Swarm(service)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with Foreign(service) as other:
            lock(other, plug)
            first = pool.submit(swarm.fire, opens_at(service, plug, 1))
            seen = time.monotonic() + 1  # on a busy machine the wait may end unseen; callers repeat
            while time.monotonic() < seen and not service.sql("SELECT 1 FROM information_schema.innodb_lock_waits"):
                time.sleep(0.02)
            answers = pool.submit(service.swarm.fire, requests)
            time.sleep(0.1)  # let them queue; a batch held for 0.5 s would make them fail
        first.result()
        answers = answers.result()
    swarm.close()
    return answers


def test_locked_envelope_does_not_delay_its_batch(proxied, report):
    """One envelope is locked by another session: its opens get 503 in time, and opens of another envelope in the
    same batch succeed."""
    before = proxied.metrics()
    for _ in range(5):
        plug, locked, free = (proxied.alice.send(300, 30).json["id"] for _ in range(3))
        requests = [r for pair in zip(opens_at(proxied, locked, 10), opens_at(proxied, free, 10)) for r in pair]
        with Foreign(proxied) as other:
            lock(other, locked)
            began = time.monotonic()
            answers = fire_behind(proxied, plug, requests)
            assert time.monotonic() - began < 5 * SLOW
            assert {a.code for a in answers[0::2]} == {"unavailable"}
            if SLOW == 1:  # the lock time-out is shorter than the stall limit
                assert {a.state or a.code for a in answers[1::2]} == {"opened"}
            again = [r for r, a in zip(requests[1::2], answers[1::2]) if a.state != "opened"]
            for request in again:  # parked: later batches leave the locked envelope out
                wait_until(lambda r=request: proxied.swarm.fire([r])[0].state == "opened", 5, "other opens succeed")
        for request in requests[0::2]:
            wait_until(lambda r=request: proxied.swarm.fire([r])[0].state == "opened", 5, "unlocked")
        assert len(proxied.alice.envelope(locked).json["claims"]) == 10
        out = rose(proxied, before, "hongbao_batch_locked_total")
        report(f"turned out {out:.0f}, {10 - len(again)} of 10 others opened at once")
        if out > 0 and len(again) < 10:
            break
    assert out > 0 and len(again) < 10
    assert proxied.audit() == {}


def test_every_event_was_counted(proxied, report):
    m = proxied.metrics()
    names = [outcome(w) for w in ("won", "lost", "let_through", "busy", "refilled", "created")]
    names += ["hongbao_commits_uncertain_total", "hongbao_batch_locked_total"]
    for name in names:
        report(f"{name} {m[name]:.0f}")
    assert all(m[name] > 0 for name in names)
