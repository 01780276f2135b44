"""Traffic that goes on while a test does something that must not be noticed."""
import threading
import uuid

from client import Client


class Load:
    """Four users that send, look and are topped up until stopped. Keep the status of each answer, and
    the ids of the envelopes that were acknowledged."""

    def __init__(self, service):
        self.service, self.ending, self.statuses, self.envelopes = service, threading.Event(), [], []
        self.threads = [threading.Thread(target=self.run, args=(f"sender{i}",)) for i in range(4)]

    def run(self, user):
        client = Client(self.service, self.service.token(user))
        backend = Client(self.service, self.service.token("backend", kind="wallet"))
        while not self.ending.is_set():
            put = backend.request("POST", "/v1/topups", {"user": user, "amount": 1, "reference": uuid.uuid4().hex},
                                  {"Idempotency-Key": uuid.uuid4().hex})
            sent = client.send(1, 1)
            if sent.status == 201:
                self.envelopes.append(sent.json["id"])
            self.statuses += [sent.status, client.get("/v1/me").status, put.status]
        client.close()
        backend.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def __exit__(self, *_):
        self.stop()
