"""Several settle daemons share the work: each credit and refund is booked once."""
import pathlib
import signal
import subprocess

import pytest
from client import Client
from service import BUILD, SLOW, Service, wait_until

ENVELOPES, SHARES, OPENED = 50 // SLOW, 4, 3


@pytest.fixture
def two_more(service):
    """Run two settle daemons besides the one that ./start runs."""
    command = [pathlib.Path(BUILD) / "hongbao-settle", "--config", service.directory / "hongbao.conf"]
    daemons = [subprocess.Popen(command) for _ in range(2)]
    yield daemons
    for daemon in daemons:
        daemon.terminate()
    assert [daemon.wait(20) for daemon in daemons] == [0, 0]


def money(client):
    me = client.get("/v1/me").json
    return me["balance"], me["pending"]


def test_three_daemons_book_everything_once(user, service, two_more):
    alice, winners = user(money=100 * ENVELOPES), [user() for _ in range(OPENED)]
    booked = ["hongbao_claims_credited_total", "hongbao_envelopes_expired_total"]
    before = service.metrics()
    won, opened = dict.fromkeys(winners, 0), 0
    envelopes = [alice.send(100, SHARES, expires_in=5 * SLOW).json["id"] for _ in range(ENVELOPES)]
    for envelope in envelopes:
        for winner in winners:
            answer = winner.grab_and_open(envelope)  # on a slow machine the last opens are too late
            won[winner] += answer.json.get("amount", 0)
            opened += answer.state == "opened"
    wait_until(lambda: all(alice.envelope(e).json["state"] == "expired" for e in envelopes), 20 * SLOW, "all closed")
    wait_until(lambda: all(money(w) == (won[w], 0) for w in winners), 10 * SLOW, "all credited")
    assert money(alice) == (100 * ENVELOPES - sum(won.values()), 0)
    after = service.metrics()
    assert [after[name] - before[name] for name in booked] == [opened, ENVELOPES] and opened > ENVELOPES
    assert all(daemon.poll() is None for daemon in two_more) and service.audit() == {}


def deletes(s):
    return int(s.sql("SHOW GLOBAL STATUS LIKE 'Com_delete'")[0][1])


@pytest.mark.parametrize("batch, least, most", [(500, 1, 4), (10, 6, 100)])
def test_near_empty_lanes_share_a_transaction(batch, least, most):
    """Less than a batch in all lanes together is booked in one transaction (one DELETE); more takes at least one per
    lane."""
    s = Service([f"settle.batch={batch}"])
    s.start()
    try:
        s.ctl("topup", "alice", 100000)
        envelope = Client(s, s.token("alice")).send(6000, 60).json["id"]
        winners = [Client(s, s.token(f"winner{i}")) for i in range(59)]
        s.signal("settle", signal.SIGSTOP)
        won = sum(w.grab_and_open(envelope).json["amount"] for w in winners)
        before = deletes(s)
        assert sum(money(w)[1] for w in winners) == won
        s.signal("settle", signal.SIGCONT)
        wait_until(lambda: all(money(w)[1] == 0 for w in winners), 5 * SLOW, "all credited")
        assert sum(money(w)[0] for w in winners) == won and s.audit() == {}
        assert least <= deletes(s) - before <= most
    finally:
        s.remove()


def test_unbookable_credit_does_not_delay_others():
    """The transfer of one credit already exists: the credit is postponed, all others are booked. Reconciliation would
    freeze the envelope, so it runs only once, at the start."""
    s = Service(["settle.reconcile_interval=3600000"])
    s.start()
    try:
        s.ctl("topup", "alice", 1000)
        envelope = Client(s, s.token("alice")).send(1000, 21).json["id"]
        winners = [Client(s, s.token(f"winner{i}")) for i in range(20)]
        others = winners[:6] + winners[7:]
        entry = f"kind = 4 AND ref = CONCAT(X'{envelope.replace('-', '')}', UNHEX(LPAD(HEX(7), 8, '0')))"
        s.signal("settle", signal.SIGSTOP)
        s.sql(f"INSERT INTO transfer SET user_id = 'nobody', id = X'07', amount_fen = 1, at_us = 1, "
              f"{entry.replace(' AND ', ', ')}")
        won = {w: w.grab_and_open(envelope).json["amount"] for w in winners}
        before = s.metrics()["hongbao_credits_postponed_total"]
        s.signal("settle", signal.SIGCONT)
        wait_until(lambda: all(money(w) == (won[w], 0) for w in others), 5 * SLOW, "the others are credited")
        assert money(winners[6]) == (0, won[winners[6]])
        assert s.metrics()["hongbao_credits_postponed_total"] > before
        s.sql(f"DELETE FROM transfer WHERE user_id = 'nobody' AND {entry}")
        wait_until(lambda: money(winners[6]) == (won[winners[6]], 0), 20 * SLOW, "the postponed credit is booked")
        assert s.audit() == {}
    finally:
        s.remove()


def test_a_step_of_the_clock_refunds_nothing_early():
    """The database's clock is set ahead by two hours: for every session that begins from now on."""
    s = Service(["limits.expires_min=1", "settle.clock_steady=3600"]).start()

    def set_clock(ahead_s):
        statement = f"SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + {ahead_s}" if ahead_s else ""
        s.sql(f"SET GLOBAL init_connect = '{statement}'")
        for row in s.sql("SELECT id FROM information_schema.processlist WHERE user LIKE 'hongbao%'"):
            subprocess.run(["mariadb", "--no-defaults", "-S", str(s.directory / "run/db.sock"), "-e", f"KILL {row[0]}"],
                           check=False, stderr=subprocess.DEVNULL)

    try:
        s.ctl("topup", "alice", 1000)
        alice, bob = Client(s, s.token("alice")), Client(s, s.token("bob"))
        envelope = alice.send(100, 2, key="once", expires_in=1800).json["id"]
        ticket = bob.grab(envelope).json["ticket"]
        wait_until(lambda: s.sql("SELECT seen_us > 0 FROM clock") == [["1"]], 10, "settle has looked at the clock")
        set_clock(7200)
        wait_until(lambda: s.metrics()["hongbao_clock_held"] == 1, 10, "settle has seen the step")
        assert alice.get("/readyz").json == {"status": "ok", "clock": "held"}
        assert bob.open(envelope, ticket).status == 503  # past due, says the clock
        assert alice.send(100, 2, key="once", expires_in=1800).json["id"] == envelope
        assert "clock_stepped" in (s.directory / "log/settle.log").read_text()
        assert alice.envelope(envelope).json["state"] == "open"
        set_clock(0)
        wait_until(lambda: s.metrics()["hongbao_clock_held"] == 0, 10, "the clock is back")
        assert alice.get("/readyz").json == {"status": "ok"}
        assert bob.grab_and_open(envelope).state == "opened"
        short = alice.send(100, 2, expires_in=1).json["id"]
        wait_until(lambda: alice.envelope(short).json["state"] == "expired", 10, "refunds go on")
        assert alice.envelope(envelope).json["state"] == "open"
        assert s.audit() == {}
    finally:
        s.remove()
