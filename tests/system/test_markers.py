"""Markers: the web server answers grabs of closed envelopes, and only those."""
import collections
import datetime
import json
import os
import pathlib
import signal
import time

import pytest

from client import Client
from service import Service, wait_until


@pytest.fixture
def grab_stopped(service):
    """Return a function that stops the grab pool, so that only the web server can answer a grab."""
    pids = []

    def stop():
        pids.extend(service.workers("grab"))
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    yield stop
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def current(service):
    return service.directory / "markers/current"


def marker(service, envelope):
    return current(service) / envelope[-2:] / envelope


def by_the_web_server(answer):
    return "X-Request-Id" not in answer.headers


def until_closed(client, envelope):
    return wait_until(lambda: (s := client.envelope(envelope).json["state"]) != "open" and s, 5, "closed")


def test_web_server_answers_while_the_grab_pool_is_stopped(service, user, anybody, grab_stopped):
    """The marker exists after the last open, after expiry and after an operator's close; it needs no token."""
    alice, bob, carol = user(money=1000), user(), user()
    sold, closed = (alice.send(100, 1).json["id"] for _ in range(2))
    late = alice.send(100, 2, expires_in=1).json["id"]
    assert bob.grab_and_open(sold).state == "opened"
    service.ctl("close", closed)
    assert until_closed(alice, late) == "expired"
    grab_stopped()
    for client in (bob, carol, anybody):
        for envelope, state in ((sold, "sold_out"), (late, "expired"), (closed, "expired")):
            answer = client.grab(envelope)
            assert answer.json == {"state": state} and by_the_web_server(answer)


def test_late_open_closes_and_puts_the_marker(service, user):
    """While settle is stopped, an open after the deadline closes the envelope and creates its marker."""
    alice, bob = user(money=1000), user()
    service.signal("settle", signal.SIGSTOP)
    try:
        sent = alice.send(100, 2, expires_in=1).json
        ticket = bob.grab(sent["id"]).json["ticket"]
        end = datetime.datetime.fromisoformat(sent["expires_at"].replace("Z", "+00:00"))
        wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > end, 5, "the deadline has passed")
        assert bob.open(sent["id"], ticket).state == "expired"
        assert by_the_web_server(bob.grab(sent["id"]))
    finally:
        service.signal("settle", signal.SIGCONT)


def test_marker_equals_the_answer_of_the_pool(user):
    """Body and headers are identical except for X-Request-Id."""
    alice, bob = user(money=1000), user()
    answers = []
    for to in ({}, {"to": {"users": [bob.user]}}):
        envelope = alice.send(100, 1, **to).json["id"]
        assert bob.grab_and_open(envelope).state == "opened"
        answers.append(bob.grab(envelope))
    assert [by_the_web_server(a) for a in answers] == [True, False]
    headers = [{k: v for k, v in a.headers.items() if k not in ("X-Request-Id", "Date")} for a in answers]
    assert headers[0] == headers[1] and answers[0].body == answers[1].body


def test_restricted_envelopes_have_no_marker(service, user, anybody):
    """Only recipients may learn how a restricted envelope ended."""
    alice, bob, carol = user(money=1000), user(groups=["g"]), user()
    for to in ({"users": [bob.user]}, {"group": "g"}):
        sold, late = alice.send(100, 1, to=to).json["id"], alice.send(100, 1, to=to, expires_in=1).json["id"]
        assert bob.grab_and_open(sold).state == "opened"
        assert until_closed(alice, late) == "expired"
        wait_until(lambda: service.sql("SELECT COUNT(*) FROM closing") == [["0"]], 5, "closings are processed")
        for envelope in (sold, late):
            assert not marker(service, envelope).exists()
            assert carol.grab(envelope).code == "not_recipient"
            assert anybody.grab(envelope).code == "unauthorized"


def test_only_valid_grabs_are_answered_from_markers(service, user):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 1).json["id"]
    path = f"/v1/envelopes/{envelope}/grab"
    bob.grab_and_open(envelope)
    assert bob.request("POST", path, "{}").code == "invalid_request"
    for method in ("GET", "PUT", "DELETE"):
        answer = bob.request(method, path, raw=True)
        assert answer.status == 405 and answer.headers["Allow"] == "POST" and not by_the_web_server(answer)
    assert bob.request("HEAD", path, raw=True).status == 405
    assert bob.request("POST", path.upper(), raw=True).status in (404, 405)
    assert bob.request("POST", path + "/", raw=True).code == "not_found"
    for other in (envelope[:-1] + ("0" if envelope[-1] != "0" else "1"), envelope[:-1], envelope + "0"):
        assert bob.grab(other).code == "not_found"


def test_connection_stays_open_after_a_marker(user):
    alice, bob = user(money=1000), user()
    envelope, live = alice.send(100, 1).json["id"], alice.send(100, 2).json["id"]
    bob.grab_and_open(envelope)
    bob.grab(envelope)
    connection = bob.connection.sock
    for _ in range(50):
        assert by_the_web_server(bob.grab(envelope)) and bob.grab(live).state == "grabbed"
        assert connection is not None and bob.connection.sock is connection


def test_settle_restores_a_missing_marker(service, user):
    """A process died between commit and marker: settle creates the marker."""
    alice = user(money=1000)
    service.signal("settle", signal.SIGSTOP)
    try:
        before = service.metrics()['hongbao_markers_total{outcome="repaired"}']
        sold = [alice.send(100, 1).json["id"] for _ in range(3)]
        for envelope in sold:
            user().grab_and_open(envelope)
        for envelope in sold[1:]:
            marker(service, envelope).unlink()
    finally:
        service.signal("settle", signal.SIGCONT)
    for envelope in sold:
        wait_until(lambda e=envelope: marker(service, e).exists(), 5, "the marker exists")
        assert by_the_web_server(user().grab(envelope))
    assert service.metrics()['hongbao_markers_total{outcome="repaired"}'] == before + 2


def test_markers_after_open_workers_are_killed(service, user):
    """Every closed envelope gets its marker, and no open one has a marker."""
    alice = user(money=100000)
    live, sold = [alice.send(100, 2).json["id"] for _ in range(5)], []
    for round_ in range(20):
        envelope = alice.send(100, 1).json["id"]
        sold.append(envelope)
        if round_ % 2:
            os.kill(service.workers("open")[0], signal.SIGKILL)
        assert user().grab_and_open(envelope).state == "opened"
        user().grab_and_open(live[round_ % 5]) if round_ < 5 else None
    wait_until(lambda: all(marker(service, e).exists() for e in sold), 5, "every closed envelope has a marker")
    assert not any(marker(service, e).exists() for e in live)


def test_missing_directory_costs_speed_only(service, user):
    """Without the directory the pool answers, and each process logs the failure once."""
    alice, bob = user(money=1000), user()
    tree = current(service).resolve()
    aside = tree.with_name("aside")
    log = service.directory / "log/open.log"
    logged = lambda word: collections.Counter(  # noqa: E731
        line["pid"] for line in map(json.loads, log.read_text().splitlines()) if line.get("event") == word)
    before = logged("markers_failing")
    tree.rename(aside)
    try:
        failed = [alice.send(10, 1).json["id"] for _ in range(10)]
        for envelope in failed:
            assert user().grab_and_open(envelope).state == "opened"
            answer = bob.grab(envelope)
            assert answer.state == "sold_out" and not by_the_web_server(answer)
    finally:
        aside.rename(tree)
    new = logged("markers_failing") - before
    assert new and set(new.values()) == {1}
    assert service.metrics()['hongbao_markers_total{outcome="failed"}'] >= 10
    envelope = alice.send(10, 1).json["id"]
    user().grab_and_open(envelope)
    assert by_the_web_server(bob.grab(envelope))


def test_grab_restores_missing_marker(service, user):
    """Marker and gate are lost: the grab that reads the close from the database restores both."""
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 1).json["id"]
    user().grab_and_open(envelope)
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM closing") == [["0"]], 5, "the closing is processed")
    service.kill_and_wait("memcached")
    for pid in service.workers("grab"):  # and their tables of closed envelopes
        os.kill(pid, signal.SIGKILL)
    marker(service, envelope).unlink()

    def answered():
        answer = bob.grab(envelope)
        return answer.state == "sold_out" and answer
    assert not by_the_web_server(wait_until(answered, 10, "sold out, read from the database"))
    assert by_the_web_server(bob.grab(envelope))


def test_old_markers_are_removed(service, user):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 1).json["id"]
    user().grab_and_open(envelope)
    assert by_the_web_server(bob.grab(envelope))
    then = time.time() - 9 * 86400
    os.utime(current(service) / "sold_out", (then, then))  # the markers are hard links to this file
    wait_until(lambda: not marker(service, envelope).exists(), 30, "removed")
    wait_until(lambda: not by_the_web_server(bob.grab(envelope)), 5, "the web server notices that the file is gone")
    assert bob.grab(envelope).state == "sold_out"
    assert service.metrics()['hongbao_markers_total{outcome="removed"}'] >= 1


def test_doctor_checks_markers(service):
    link = current(service)
    generation = os.readlink(link)

    def found():
        report = json.loads(service.ctl("doctor", "--json", check=False).stdout)
        return [f["what"] for f in report["findings"] if "marker" in f["what"]]
    assert found() == []
    service.ctl("init")  # again, while everything runs
    assert os.readlink(link) == generation and found() == []
    link.unlink()
    assert found() != []
    link.symlink_to("0" * 32)
    assert found() != []
    service.ctl("init")
    assert os.readlink(link) == generation and found() == []
    top = pathlib.Path(link.parent)
    top.chmod(0o700)
    assert found() != []
    top.chmod(0o755)
    assert found() == []


def test_markers_switched_off_and_on():
    """When off, no markers are created and existing ones are not served."""
    s = Service()
    s.start()
    try:
        s.ctl("topup", "alice", 1000)
        alice, bob = Client(s, s.token("alice")), Client(s, s.token("bob"))
        first, second = (alice.send(100, 1).json["id"] for _ in range(2))
        bob.grab_and_open(first)
        assert by_the_web_server(bob.grab(first))
        s.stop()
        s.settings = ["site.markers=no"]
        s.start()
        bob.close()
        bob.grab_and_open(second)
        for envelope in (first, second):
            answer = bob.grab(envelope)
            assert answer.state == "sold_out" and not by_the_web_server(answer)
        assert not current(s).exists()
        s.stop()
        s.settings = []
        s.start()
        bob.close()
        assert by_the_web_server(bob.grab(first)) and bob.grab(second).state == "sold_out"
    finally:
        s.remove()
