"""Back ends that follow the retry contract while database servers come and go."""
import threading
import time
import uuid

from client import Client
from service import SLOW, wait_until


class Retrying:
    """Back ends that repeat by the contract what they are told to repeat, and keep how long the slowest operation took."""

    def __init__(self, service):
        self.service, self.ending = service, threading.Event()
        self.done, self.wrong, self.longest_s = [], [], 0
        self.threads = [threading.Thread(target=self.run, args=(f"sender{i}",)) for i in range(4)]

    def until_done(self, call):
        began = time.monotonic()
        while True:
            answer = call()
            if answer.status in (200, 201):
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                return answer
            later = answer.status in (429, 503) or answer.code == "idempotency_in_progress"
            if not later or time.monotonic() - began > 30 * SLOW:
                self.wrong.append((answer, call.__code__.co_names))
                return answer
            time.sleep(0.1)

    def run(self, user):
        client, backend = Client(self.service, self.service.token(user)), Client(self.service, self.service.token("back", kind="wallet"))
        while not self.ending.is_set():
            reference, key = uuid.uuid4().hex, uuid.uuid4().hex
            body = {"user": user, "amount": 2, "reference": reference}
            self.until_done(lambda: backend.request("POST", "/v1/topups", body, {"Idempotency-Key": reference}))
            sent = self.until_done(lambda: client.send(2, 2, key=key))
            if sent.json.get("id"):
                self.done.append(sent.json["id"])
                self.until_done(lambda: client.claim(sent.json["id"]))
                self.until_done(lambda: client.envelope(sent.json["id"]))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def goes_on(self, what):
        seen = len(self.done)
        wait_until(lambda: len(self.done) > seen + 20, 30 * SLOW, what)
