"""SIGHUP reads the settings again: workers are replaced, and no request fails."""
import collections
import json
import signal

import pytest

from client import Client
from load import Load
from service import SLOW, Service, wait_until


@pytest.fixture(scope="module")
def own():
    s = Service(["limits.shares_max=100"])
    s.start()
    s.ctl("topup", "alice", "100000.00")
    yield s
    s.remove()


def events(service, pool):
    lines = (service.directory / f"log/{pool}.log").read_text().splitlines()
    return [line for line in map(json.loads, lines) if "event" in line]


def write_setting(service, old, new):
    path = service.directory / "hongbao.conf"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_changed_settings_without_a_failed_request(own):
    with Load(own) as load:
        for n in (50, 60, 70):
            old = {pool: set(own.workers(pool)) for pool in ("send", "grab", "open", "query")}
            write_setting(own, f"shares_max = {100 if n == 50 else n - 10}", f"shares_max = {n}")
            for pool in ("send", "grab", "open", "query", "settle"):
                own.signal(pool, signal.SIGHUP)
            for pool, workers in old.items():
                wait_until(lambda p=pool, w=workers: not w & set(own.workers(p)), 15 * SLOW, f"workers of {pool} are replaced")
            seen = len(load.statuses)
            wait_until(lambda count=seen: len(load.statuses) > count + 20, 10 * SLOW, "requests are answered")
    assert collections.Counter(load.statuses).keys() == {200, 201}
    client = Client(own, own.token("alice"))
    assert client.send(100, 71).code == "invalid_request" and client.send(100, 70).status == 201
    client.close()
    assert [e["event"] for e in events(own, "settle") if e["event"].startswith("reload")] == ["reloaded"] * 3
    wait_until(lambda: own.ctl("doctor", check=False).returncode == 0, 10, "every process has the settings of the file")


def test_log_rotation_keeps_the_workers(own):
    old = set(own.workers("grab"))
    log = own.directory / "log/grab.log"
    rotated = log.with_suffix(".log.1")
    log.rename(rotated)
    own.signal("grab", signal.SIGHUP)
    wait_until(log.exists, 5, "the log is opened again")
    assert set(own.workers("grab")) == old
    rotated.unlink()


def test_wrong_settings_change_nothing(own):
    old = set(own.workers("send"))
    write_setting(own, "shares_max = 70", "shares_max = many")
    try:
        own.signal("send", signal.SIGHUP)
        failed = wait_until(lambda: [e for e in events(own, "send") if e["event"] == "reload_failed"], 5, "logged")
        assert "shares_max" in failed[0]["detail"] and set(own.workers("send")) == old
    finally:
        write_setting(own, "shares_max = many", "shares_max = 70")
    client = Client(own, own.token("alice"))
    assert client.send(100, 70).status == 201
    client.close()


def test_number_of_processes_and_what_needs_a_restart(own):
    write_setting(own, "[open]", "[open]\nprocesses = 3")
    write_setting(own, f"run_dir = {own.directory}/run", f"run_dir = {own.directory}/elsewhere")
    try:
        own.signal("open", signal.SIGHUP)
        wait_until(lambda: len(own.workers("open")) == 3, 15 * SLOW, "three workers")
        assert any(e["event"] == "reload_incomplete" and "run_dir" in e["detail"] for e in events(own, "open"))
    finally:
        write_setting(own, "[open]\nprocesses = 3", "[open]")
        write_setting(own, f"run_dir = {own.directory}/elsewhere", f"run_dir = {own.directory}/run")
    own.signal("open", signal.SIGHUP)
    wait_until(lambda: len(own.workers("open")) == 2, 15 * SLOW, "two workers again")
