"""A worker that receives SIGTERM finishes its requests: none fails."""
import os
import signal
import threading
import time
import uuid

import pytest

from client import Client
from service import SLOW, wait_until


class Pool:
    """Threads that repeat one kind of request until stopped, and keep the answers that are not 2xx."""

    def __init__(self, service, ask, n=8):
        self.ending, self.count, self.bad = threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.run, args=(service, ask, i)) for i in range(n)]
        for t in self.threads:
            t.start()

    def run(self, service, ask, number):
        client = Client(service, service.token(f"graceful{number}"))
        while not self.ending.is_set():
            try:
                answer = ask(client)
                if answer.status >= 400:
                    self.bad.append(answer)
            except Exception as error:  # pylint: disable=broad-except
                self.bad.append(error)
                client.close()
            self.count += 1
        client.close()

    def finish(self):
        self.ending.set()
        for t in self.threads:
            t.join()


@pytest.fixture(scope="module")
def asks(service):
    for i in range(8):
        service.ctl("topup", f"graceful{i}", 10000000)
    service.ctl("topup", "host", 100000)
    envelope = Client(service, service.token("host")).send(20000, 500).json["id"]
    tickets = {}

    def send(client):
        return client.send(10, 2)

    def grab(client):
        return client.grab(envelope)

    def opens(client):
        if client.token not in tickets:
            tickets[client.token] = client.grab(envelope).json["ticket"]
        return client.open(envelope, tickets[client.token])

    def query(client):
        return client.envelope(envelope)

    return {"send": send, "grab": grab, "open": opens, "query": query}


@pytest.mark.parametrize("pool", ["send", "grab", "open", "query"])
def test_no_request_fails(service, asks, pool):
    load = Pool(service, asks[pool])
    for _ in range(3):
        for old in service.workers(pool):
            start = load.count
            wait_until(lambda n=start: load.count > n + 20, 10 * SLOW, "load")
            os.kill(old, signal.SIGTERM)
            wait_until(lambda pid=old: pid not in service.workers(pool), 10 * SLOW, "the worker has stopped")
        wait_until(lambda: len(service.workers(pool)) == 2, 5 * SLOW, "the workers are replaced")
    load.finish()
    print(f"{load.count} requests while 6 workers ended")
    assert load.bad == []


def test_send_is_not_repeated_by_the_next_worker(service):
    """A stopping worker answers its last sends; repeating them on the next worker sends nothing again."""
    service.ctl("topup", "heir", 1000)
    client, key = Client(service, service.token("heir")), uuid.uuid4().hex
    first = client.send(10, 2, key=key).json
    for old in service.workers("send"):
        os.kill(old, signal.SIGTERM)
        wait_until(lambda pid=old: pid not in service.workers("send"), 10 * SLOW, "it ends")
    time.sleep(0)
    assert client.send(10, 2, key=key).json == first
