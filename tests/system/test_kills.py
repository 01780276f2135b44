"""Kill processes under load; every acknowledged send and open must be in the database afterwards."""
import http.client
import os
import queue
import random
import signal
import threading
import time
import uuid

import pytest

from client import Client
from seed import SEED
from service import SLOW, Service, wait_until

KILLS = {"worker": 100, "settle": 50, "memcached": 20, "mariadb": 5}
POOLS = ("send", "grab", "open", "query")


class Load:
    """Senders and openers that repeat unanswered requests and record acknowledged ones."""

    def __init__(self, service, users):
        self.service, self.ending = service, threading.Event()
        self.sent, self.opened, self.failures, self.errors = [], [], 0, []
        self.envelopes = queue.Queue(maxsize=50)
        self.threads = [threading.Thread(target=self.guard, args=(self.send, f"sender{i}")) for i in range(3)]
        self.threads += [threading.Thread(target=self.guard, args=(self.open, users[i::6])) for i in range(6)]

    def guard(self, work, argument):
        try:
            work(argument)
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(repr(error))
            raise

    def insist(self, client, method, path, body=None, key=None):
        """Repeat an identical request until it is answered."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                answer = client.request(method, path, body, {"Idempotency-Key": key} if key else None, raw=True)
                if answer.status < 500 and answer.status != 429 and answer.code != "idempotency_in_progress":
                    return answer
            except (OSError, http.client.HTTPException):
                client.close()
            self.failures += 1
            time.sleep(0.02)
        raise AssertionError(f"no answer in 90 s: {method} {path}")

    def send(self, user):
        chance, client = random.Random(f"{SEED} {user}"), Client(self.service, self.service.token(user))
        while not self.ending.is_set():
            shares = chance.randint(1, 5)
            total = chance.randint(shares, 100)
            body = {"mode": chance.choice(("lucky", "equal")), "total": total, "shares": shares}
            answer = self.insist(client, "POST", "/v1/envelopes", body, uuid.uuid4().hex)
            assert answer.status == 201, answer
            self.sent.append((answer.json["id"], user, total, shares))
            while not self.ending.is_set():
                try:
                    self.envelopes.put(answer.json["id"], timeout=0.2)
                    break
                except queue.Full:
                    pass

    def open(self, users):
        clients = [(u, Client(self.service, self.service.token(u))) for u in users]
        while not self.ending.is_set():
            try:
                envelope = self.envelopes.get(timeout=0.2)
            except queue.Empty:
                continue
            for user, client in clients:
                self.open_one(envelope, user, client)

    def open_one(self, envelope, user, client):
        answer = self.insist(client, "POST", f"/v1/envelopes/{envelope}/grab")
        if answer.state != "grabbed":
            return
        answer = self.insist(client, "POST", f"/v1/envelopes/{envelope}/open", {"ticket": answer.json["ticket"]})
        if answer.state == "opened":
            self.opened.append((envelope, user, answer.json["amount"], answer.json["seq"]))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join()


@pytest.fixture(scope="module")
def killed():
    s = Service(["limits.sent_per_day=1000000000", "limits.grabs_burst=100000", "limits.grabs_per_second=10000"])
    s.start()
    for i in range(3):
        s.ctl("topup", f"sender{i}", 100000000)
    yield s
    s.remove()


def kill_worker(service, chance):
    workers = service.workers(chance.choice(POOLS))
    if not workers:
        return False
    try:
        os.kill(chance.choice(workers), signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def kill_all(service, load, chance):
    """Perform all kills in random order; the seed makes the order repeatable."""
    orders = [name for name, n in KILLS.items() for _ in range(n)]
    chance.shuffle(orders)
    for name in orders:
        assert not load.errors, load.errors
        if name == "worker":
            wait_until(lambda: kill_worker(service, chance), 30, "there is a worker to kill")
        else:
            service.kill_and_wait(name)
        time.sleep(chance.uniform(0, 0.1))  # let requests run in between


def test_nothing_acknowledged_is_lost(killed, capsys):
    chance = random.Random(SEED)
    with Load(killed, [f"opener{i}" for i in range(18)]) as load:
        kill_all(killed, load, chance)
    assert not load.errors, load.errors
    with capsys.disabled():
        print(f"\n  killed {KILLS}; acknowledged {len(load.sent)} sends and {len(load.opened)} opens; "
              f"{load.failures} requests without an answer, or with a 5xx, were repeated", end="")
    assert len(load.sent) > 50 and len(load.opened) > 100 and load.failures > 0
    wait_until(lambda: killed.sql("SELECT COUNT(*) FROM credit") == [["0"]], 20 * SLOW, "all claims are credited")
    rows = killed.sql("SELECT LOWER(HEX(id)), sender, total_fen, shares FROM envelope")
    stored = {(i, sender, int(total), int(shares)) for i, sender, total, shares in rows}
    missing = [s for s in load.sent if (s[0].replace("-", ""), *s[1:]) not in stored]
    assert missing == []
    rows = killed.sql("SELECT LOWER(HEX(envelope_id)), user_id, amount_fen, seq FROM claim")
    claims = {(i, user): (int(amount), int(seq)) for i, user, amount, seq in rows}
    wrong = [o for o in load.opened if claims.get((o[0].replace("-", ""), o[1])) != o[2:]]
    assert wrong == []
    assert len(set(load.sent)) == len(load.sent) and len(stored) <= len(load.sent) + 3  # one in flight per sender
    assert killed.audit() == {}
