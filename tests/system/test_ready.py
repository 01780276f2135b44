"""GET /readyz: 503 exactly when this host cannot serve, and what is only slower is named."""
import os
import signal

import pytest

from client import Client
from service import Service, wait_until


@pytest.fixture(scope="module")
def own():
    s = Service()
    s.start()
    yield s
    s.remove()


def ready(service):
    client = Client(service)
    answer = client.get("/readyz")
    client.close()
    return answer


def well(service):
    wait_until(lambda: ready(service).json == {"status": "ok"}, 20, "all is well")


@pytest.mark.parametrize("pool", ["send", "grab", "open"])
def test_pool_that_stops_is_named(own, pool):
    well(own)
    own.signal(pool, signal.SIGSTOP)
    for pid in own.workers(pool):
        os.kill(pid, signal.SIGSTOP)
    try:
        answer = wait_until(lambda: (a := ready(own)).status == 503 and a, 15, "503")
        assert answer.json["detail"] == f"the {pool} pool is down"
    finally:
        for pid in own.workers(pool):
            os.kill(pid, signal.SIGCONT)
        own.signal(pool, signal.SIGCONT)
    well(own)


def test_without_cache_or_settle_it_is_degraded(own):
    well(own)
    own.signal("memcached", signal.SIGSTOP)
    own.signal("settle", signal.SIGSTOP)
    try:
        wait_until(lambda: ready(own).json.get("degraded") == ["cache", "settle"], 15, "degraded")
        assert ready(own).status == 200
        metrics = own.metrics()
        assert metrics["hongbao_cache_up"] == 0 and metrics['hongbao_workers{program="settle"}'] == 0
        own.ctl("topup", "alice", 100)
        alice = Client(own, own.token("alice"))
        assert alice.send(10, 1).status == 201  # it does serve
        alice.close()
    finally:
        own.signal("memcached", signal.SIGCONT)
        own.signal("settle", signal.SIGCONT)
    well(own)
    assert own.metrics()["hongbao_cache_up"] == 1


def test_read_only_database_is_not_ready(own):
    well(own)
    own.sql("SET GLOBAL read_only = 1")
    try:
        answer = wait_until(lambda: (a := ready(own)).status == 503 and a, 5, "503")
        assert answer.json["detail"] == "the database cannot be written"
    finally:
        own.sql("SET GLOBAL read_only = 0")
    well(own)


def test_database_away(own):
    well(own)
    own.signal("mariadb", signal.SIGSTOP)
    try:
        assert wait_until(lambda: (a := ready(own)).status == 503 and a, 10, "503").json["detail"] == "the database cannot be read"
    finally:
        own.signal("mariadb", signal.SIGCONT)
    well(own)
