"""hongbaoctl rotate: keys and passwords are replaced under traffic, and the old ones are refused in the end."""
import re
import signal
import subprocess

import pytest

from client import Client
from load import Load
from service import SLOW, Service, wait_until

POOLS = ("send", "grab", "open", "query")


@pytest.fixture(scope="module")
def own():
    s = Service()
    s.start()
    s.ctl("topup", "alice", "100000.00")
    yield s
    s.remove()


def reload_all(service):
    old = {pool: set(service.workers(pool)) for pool in POOLS}
    for pool in POOLS:
        service.signal(pool, signal.SIGHUP)
    return old


def replaced(service, old, pools):
    for pool in pools:
        wait_until(lambda p=pool: not old[p] & set(service.workers(p)), 20 * SLOW, f"workers of {pool} are replaced")


def lines(service, name):
    return (service.directory / f"secrets/{name}.key").read_text().split()


def sign_with(service, name):
    """Let the back end of the tests use the current key."""
    service.keys[name] = bytes.fromhex(lines(service, name)[0])


USERS = {"token": POOLS, "wallet": ("send",), "guest": POOLS, "ticket": ("grab", "open")}


@pytest.mark.parametrize("name", sorted(USERS))
def test_key(own, name):
    """Both keys are accepted between add and drop; grabs and opens go on, whichever pool reloads first."""
    path = own.directory / f"secrets/{name}.key"
    before, mode = lines(own, name), path.stat().st_mode
    old_token = own.token("alice", kind=name) if name in ("token", "wallet") else None
    alice = Client(own, own.token("alice"))
    held = alice.send(100, 4).json["id"]
    bob = Client(own, own.token("bob"))
    ticket = bob.grab(held).json["ticket"]
    with Load(own) as load:
        for step in ("add", "swap", "drop"):
            if step == "drop" and old_token:
                sign_with(own, name)  # new clients use the new key; those of the load end before the old one does
                load.stop()
            own.ctl("rotate", name, step)
            replaced(own, reload_all(own), USERS[name])
            if step == "swap":
                assert lines(own, name)[1] == before[0]
                assert bob.open(held, ticket).state == "opened"  # a ticket of the old key
            assert path.stat().st_mode == mode
            other = Client(own, own.token("carol", kind="token"))
            if step != "drop":
                assert other.grab_and_open(alice.send(10, 1).json["id"]).state == "opened"
            other.close()
    assert len(load.statuses) > 30 and set(load.statuses) == {200, 201}
    assert len(lines(own, name)) == 1 and lines(own, name) != before
    old = Client(own, old_token)
    if name == "token":
        assert old.get("/v1/me").status == 401 and Client(own, own.token("alice")).get("/v1/me").status == 200
    if name == "wallet":
        topup = {"user": "alice", "amount": 1, "reference": "r"}
        assert old.request("POST", "/v1/topups", topup, {"Idempotency-Key": "k"}).status == 401
        old.token = own.token("backend", kind="wallet")
        assert old.request("POST", "/v1/topups", topup, {"Idempotency-Key": "k"}).status in (200, 201)
    for client in (alice, bob, old):
        client.close()


def connects(service, user, password):
    done = subprocess.run(["mariadb", "--no-defaults", f"--socket={service.directory}/run/db.sock", f"--user=hongbao_{user}",
                           f"--password={password}", "-e", "SELECT 1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "1045" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("user", ["send", "grab", "open", "query", "settle", "audit", "support", "desk"])
def test_password(own, user):
    path = own.directory / f"secrets/{user}.cnf"
    password = re.search("password=(.*)", path.read_text()).group(1)
    with Load(own) as load:
        own.ctl("rotate", user, "add")
        fresh = re.search("password=(.*)", path.read_text()).group(1)
        assert fresh != password and connects(own, user, password) and connects(own, user, fresh)
        own.ctl("rotate", user, "drop")
        assert not connects(own, user, password) and connects(own, user, fresh)
        seen = len(load.statuses)
        wait_until(lambda: len(load.statuses) > seen + 10, 20 * SLOW, "requests are answered")
    assert set(load.statuses) == {200, 201}
    wait_until(lambda: own.ctl("doctor", check=False).returncode == 0, 20 * SLOW, own.ctl("doctor", check=False).stdout)


def test_steps_out_of_order_change_nothing(own):
    before = lines(own, "token")
    for step in ("swap", "drop"):
        done = own.ctl("rotate", "token", step, check=False)
        assert done.returncode == 1 and "add one first" in done.stderr
    own.ctl("rotate", "token", "add")
    assert "two keys already" in own.ctl("rotate", "token", "add", check=False).stderr
    own.ctl("rotate", "token", "drop")  # before swap: the new one goes
    assert lines(own, "token") == before
    for words in (["token"], ["token", "turn"], ["nothing", "add"], ["send", "swap"]):
        assert own.ctl("rotate", *words, check=False).returncode == 2
