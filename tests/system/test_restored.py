"""The database is restored from a backup: cached state of the lost period must be invalidated."""
import os
import signal
import socket
import subprocess

import pytest

from client import Client
from second_host import POOLS, SecondHost
from service import Service, new_directory, wait_until


@pytest.fixture
def outliving():
    """An installation whose memcached keeps running while the installation is stopped."""
    directory = new_directory()
    path = f"{directory}/outside.sock"
    with subprocess.Popen(["memcached", "-u", "root", "-s", path, "-a", "0660", "-U", "0", "-F", "-m", "64"]) as cache:
        s = Service([f"cache.servers={path}"], directory=directory)
        s.cache_path = path
        try:
            s.start()
            yield s
            s.stop()
        finally:
            cache.terminate()  # leaving the block waits for it
    s.remove()


@pytest.fixture
def service_of_two():
    """An installation, and a second host with the same database and memcached."""
    first = Service(["site.host=first"])
    first.start()
    second = SecondHost(first)
    yield first, second
    second.remove()
    first.remove()


def cached_items(service):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(service.cache_path)
        s.sendall(b"stats\r\n")
        text = b""
        while not text.endswith(b"END\r\n"):
            text += s.recv(4096)
    return int(next(line.split()[2] for line in text.splitlines() if b" curr_items " in line))


def database_only(service):
    """Run only the database server, as an operator does during a restore."""
    d = service.directory
    process = subprocess.Popen(["mariadbd", "--no-defaults", "--user=root", f"--datadir={d}/db",
                                f"--socket={d}/run/db.sock", "--skip-networking"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ping = ["mariadb-admin", "--no-defaults", f"--socket={d}/run/db.sock", "ping"]
    wait_until(lambda: subprocess.run(ping, capture_output=True, check=False).returncode == 0, 30, "mariadbd")
    return process


def test_restored_dump_invalidates_caches(outliving):
    s = outliving
    s.ctl("topup", "alice", 1000)
    alice, bob, carol = (Client(s, s.token(name)) for name in ("alice", "bob", "carol"))
    envelope = alice.send(100, 2).json["id"]
    first = bob.grab_and_open(envelope).json
    wait_until(lambda: bob.get("/v1/me").json["pending"] == 0, 5, "credited")
    old_ticket = carol.grab(envelope).json["ticket"]
    socket_option = f"--socket={s.directory}/run/db.sock"
    dump = subprocess.run(["mariadb-dump", "--no-defaults", socket_option, "--single-transaction", "hongbao"],
                          capture_output=True, check=True).stdout
    assert carol.grab_and_open(envelope).state == "opened"  # after the dump, so lost
    answer = Client(s, s.token("dora")).grab(envelope)
    assert answer.state == "sold_out" and "X-Request-Id" not in answer.headers  # answered by the web server
    old_tree = (s.directory / "markers/current").resolve()

    s.stop()
    assert cached_items(s) > 0  # including the gate that is sold out
    server = database_only(s)
    subprocess.run(["mariadb", "--no-defaults", socket_option, "hongbao"], input=dump, check=True)
    assert s.audit()["markers"]["violations"] == 1  # a restore without `restored` is found out
    assert "1 of 1 state an end that the database does not have, e.g. " + envelope in s.ctl("doctor", check=False).stdout
    assert "new generation" in s.ctl("restored").stdout
    assert s.audit() == {}
    assert (s.directory / "markers/current").resolve() != old_tree and old_tree.exists()
    server.terminate()
    server.wait()
    s.start()

    bob, carol, dora = (Client(s, s.token(name)) for name in ("bob", "carol", "dora"))
    assert carol.open(envelope, old_ticket).code == "ticket_invalid"
    assert bob.envelope(envelope).json["mine"]["amount"] == first["amount"]
    assert dora.grab_and_open(envelope).json["amount"] == 100 - first["amount"]
    answer = carol.grab(envelope)
    assert answer.state == "sold_out" and "X-Request-Id" not in answer.headers
    wait_until(lambda: not old_tree.exists(), 20, "markers of the old generation are removed")
    assert carol.envelope(envelope).json["mine"] is None
    wait_until(lambda: dora.get("/v1/me").json["pending"] == 0, 5, "credited")
    assert s.audit() == {}


def test_running_hosts_follow(service_of_two):
    """A promoted replica, or a dump loaded under running programs: every host forgets what it knows, by itself."""
    a, b = service_of_two
    a.ctl("topup", "alice", 1000)
    alice, bob = Client(a, a.token("alice")), Client(a, a.token("bob"))
    envelope = alice.send(100, 3).json["id"]
    ticket = bob.grab(envelope).json["ticket"]
    dump = subprocess.run(["mariadb-dump", "--no-defaults", f"--socket={a.directory}/run/db.sock", "--single-transaction", "hongbao"],
                          capture_output=True, check=True).stdout
    for user in ("u1", "u2", "u3"):
        assert Client(b, a.token(user)).claim_until_final(envelope).state == "opened"
    eve = Client(b, a.token("eve"))
    wait_until(lambda: "X-Request-Id" not in eve.claim(envelope).headers, 10, "host b answers from a marker")
    wait_until(lambda: all(Client(a, a.token(user)).get("/v1/me").json["pending"] == 0 for user in ("u1", "u2", "u3")), 10, "credits are booked")
    pids = b.pids() + [pid for name in (*POOLS, "settle") for pid in (a.pid(name), *a.workers(name))]
    for pid in pids:  # as if the database alone had lost what was last
        os.kill(pid, signal.SIGSTOP)
    subprocess.run(["mariadb", "--no-defaults", f"--socket={a.directory}/run/db.sock", "hongbao"], input=dump, check=True)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    done = a.ctl("restored", check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    for host in (a, b):
        assert Client(host, a.token("bob")).open(envelope, ticket).code == "ticket_invalid"
    answers = [Client(b, a.token(user)).claim_until_final(envelope).state for user in ("u1", "u2", "eve", "late")]
    assert sorted(answers) == ["opened", "opened", "opened", "sold_out"]
    assert {row[0] for row in a.sql("SELECT name FROM host")} == {"first", "second"}
    assert wait_until(lambda: a.audit() == {}, 10, lambda: f"the books agree: {a.audit()}")


def test_a_host_that_does_not_follow_is_named(service_of_two):
    a, b = service_of_two
    for pid in b.workers("grab"):
        os.kill(pid, signal.SIGSTOP)
    b_settle = b.pid("settle")
    done = a.ctl("restored", check=False)
    for pid in b.workers("grab"):
        os.kill(pid, signal.SIGCONT)
    assert done.returncode == 1 and "second has not followed" in done.stderr and "first" not in done.stderr, done.stderr
    assert b_settle == b.pid("settle")
    assert a.ctl("restored").returncode == 0
