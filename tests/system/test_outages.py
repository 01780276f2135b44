"""An outage of a server is one event in the log of each process, with the server's error number and text."""
import collections
import json
import os
import signal

import pytest

from client import Client
from foreign import Foreign
from service import Service, wait_until
from swarm import Request, Swarm

POOLS = ("send", "grab", "open", "query", "settle")


@pytest.fixture(scope="module")
def own():
    s = Service(["query.processes=1", "send.processes=1"])
    s.start()
    s.ctl("topup", "alice", 100000)
    s.alice = Client(s, s.token("alice"))
    s.swarm = Swarm(s)
    yield s
    s.alice.close()
    s.swarm.close()
    s.remove()


def events(service, pool, begin):
    lines = (service.directory / f"log/{pool}.log").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line.get("event", "").startswith(begin)]


class Watch:
    """The events that a pool logs while a test runs."""

    def __init__(self, service, pool, begin="database_"):
        self.service, self.pool, self.begin = service, pool, begin
        self.before = len(events(service, pool, begin))

    def names(self):
        return [e["event"] for e in self.all()]

    def all(self):
        return events(self.service, self.pool, self.begin)[self.before:]


def reads(service):
    return service.swarm.fire([Request("GET", "/v1/me", service.alice.token)] * 20)


def recover(service, *watches):
    wait_until(lambda: {a.status for a in reads(service)} == {200}, 20, "reads are answered")
    for watch in watches:
        wait_until(lambda w=watch: reads(service) and w.names()[-1:] == ["database_recovered"], 20, f"{watch.pool} has recovered")


def test_database_unreachable(own):
    query, settle = Watch(own, "query"), Watch(own, "settle")
    before = own.metrics()
    own.kill_and_wait("mariadb")
    recover(own, query, settle)
    assert collections.Counter(query.names())["database_unreachable"] in (1, 2)  # by the killed session, by the new one
    for watch in (query, settle):
        first = watch.all()[0]
        assert first["event"] == "database_unreachable" and first["level"] == "warn"
        assert first["detail"].startswith("error 20") and len(watch.all()) <= 4
    kind = 'hongbao_database_errors_total{kind="unreachable"}'
    assert own.metrics()[kind] > before[kind]


def test_password_changed(own):
    """The server refuses: its number and text are logged once, whatever the number of requests."""
    query = Watch(own, "query")
    own.sql("ALTER USER 'hongbao_query'@'localhost' IDENTIFIED BY 'other'")
    own.kill_and_wait("query")
    try:
        wait_until(lambda: "database_refused" in query.names(), 10, "the new process was refused")
        for _ in range(5):
            assert {a.status for a in reads(own)} == {503}
        refused, = [e for e in query.all() if e["event"] == "database_refused"]
        assert "error 1045: Access denied for user 'hongbao_query'@'localhost'" in refused["detail"]
    finally:
        own.ctl("init")
    wait_until(lambda: {a.status for a in reads(own)} == {200}, 20, "reads are answered")


def test_missing_grant(own):
    send = Watch(own, "send")
    own.sql("REVOKE INSERT ON hongbao.idempotency FROM 'hongbao_send'@'localhost'")
    try:
        answers = [own.alice.send(10, 1, key=f"grant{i}") for i in range(20)]
        assert {a.status for a in answers} == {503}
        refused, = send.all()
        assert refused["event"] == "database_refused"
        assert refused["detail"].startswith("error 1142: INSERT command denied to user 'hongbao_send'@'localhost'")
    finally:
        own.ctl("migrate")  # grants what is missing
    assert [own.alice.send(10, 1, key=f"grant{i}").status for i in range(20)] == [201] * 20


def test_read_only(own):
    send = Watch(own, "send")
    own.sql("SET GLOBAL read_only = 1")
    try:
        assert {own.alice.send(10, 1, key=f"read-only{i}").status for i in range(10)} == {503}
        assert {a.status for a in reads(own)} == {200}
        read_only, = send.all()
        assert read_only["event"] == "database_read_only" and "error 1290" in read_only["detail"]
    finally:
        own.sql("SET GLOBAL read_only = 0")
    wait_until(lambda: own.alice.send(10, 1).status == 201 and send.names()[-1] == "database_recovered", 10, "recovered")
    assert send.names() == ["database_read_only", "database_recovered"]


def test_too_many_connections(own):
    query = Watch(own, "query")
    old = own.sql("SELECT @@GLOBAL.max_connections")[0][0]
    operator = Foreign(own)  # no further session is admitted
    operator.run("SET GLOBAL max_connections = 10")
    own.kill_and_wait("query")
    try:
        wait_until(lambda: reads(own) and "database_too_many_connections" in query.names(), 10, "refused")
        for _ in range(3):
            reads(own)
        found = [e for e in query.all() if e["event"] == "database_too_many_connections"]
        assert len(found) == 1 and "error 1040: Too many connections" in found[0]["detail"]
    finally:
        operator.run(f"SET GLOBAL max_connections = {old}")
        operator.__exit__()
    wait_until(lambda: {a.status for a in reads(own)} == {200}, 20, "reads are answered")


def test_cache_away(own):
    grab = Watch(own, "grab", "cache_")
    envelope = own.alice.send(100, 10).json["id"]
    os.kill(own.pid("memcached"), signal.SIGSTOP)
    try:
        for i in range(5):
            Client(own, own.token(f"cache{i}")).grab(envelope)
        away = grab.all()
        assert {e["event"] for e in away} == {"cache_unreachable"} and len(away) <= len(own.workers("grab"))
        assert "cache.sock: " in away[0]["detail"]
        assert own.metrics()["hongbao_cache_errors_total"] > 0
    finally:
        os.kill(own.pid("memcached"), signal.SIGCONT)

    def recovered():
        Client(own, own.token("cache")).grab(envelope)
        return "cache_recovered" in grab.names()
    wait_until(recovered, 20, "recovered")


def test_refusals_are_warnings(own):
    own.sql("SET GLOBAL read_only = 1")
    try:
        own.alice.send(10, 1, key="warning")
    finally:
        own.sql("SET GLOBAL read_only = 0")
    lines = [json.loads(line) for pool in POOLS for line in (own.directory / f"log/{pool}.log").read_text().splitlines()]
    refused = [line for line in lines if line.get("status", 0) >= 500]
    assert refused and {line["level"] for line in refused} == {"warn"}
    assert {line["level"] for line in lines if 0 < line.get("status", 0) < 500} == {"info"}
