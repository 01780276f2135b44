"""Clients under faults: they send, grab, open, look, top up and withdraw, repeat what was not answered, and record every
attempt in the history."""
import http.client
import json
import queue
import random
import threading
import time

from history import FAILED, OK, UNKNOWN, Operation

TIMEOUT_S = 8
NOT_DEFINITE = {"idempotency_in_progress", "rate_limited"}


class Caller:
    """One keep-alive connection of one user."""

    def __init__(self, service, history, user, kind="token"):
        self.history, self.user = history, user
        self.token = service.token(user, kind=kind)
        self.port = service.port
        self.connection = None

    def _exchange(self, method, path, body, key):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self.token}"}
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        text = "" if method == "POST" and body is None else body and json.dumps(body)
        self.connection.request(method, path, text, headers)
        response = self.connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else {}

    def once(self, kind, key, method, path, body=None, header=None, of=None, **arguments):
        """One attempt, recorded. of: the user that the operation is about."""
        o = Operation(kind, of or self.user, key, arguments, time.monotonic_ns())
        try:
            o.status, o.reply = self._exchange(method, path, body, header)
            definite = o.status < 500 and o.reply.get("code", "") not in NOT_DEFINITE
            o.outcome = OK if o.status in (200, 201) else FAILED if definite else UNKNOWN
        except (OSError, http.client.HTTPException, ValueError):
            if self.connection:
                self.connection.close()
            self.connection = None
        o.returned = time.monotonic_ns()
        self.history.add(o)
        return o

    def insist(self, *request, end, **more):
        """The identical request until the answer is definite, or until end (monotonic s): then the last attempt."""
        while True:
            o = self.once(*request, **more)
            if o.outcome != UNKNOWN or time.monotonic() > end:
                return o
            time.sleep(0.02)


class Load:
    """A number of clients. Leave with finish(): they end what they began, with time to do so."""

    def __init__(self, service, history, seed, name, openers=10, senders=2, life_s=None):
        self.service, self.history, self.seed, self.name = service, history, seed, name
        self.life_s = life_s
        self.ending, self.errors = threading.Event(), []
        self.end = time.monotonic() + 3600
        self.envelopes = queue.Queue(maxsize=30)
        self.recent = []
        self.threads = [threading.Thread(target=self._guard, args=(self._send, f"{name}-s{i}"), daemon=True)
                        for i in range(senders)]
        self.threads += [threading.Thread(target=self._guard, args=(self._open, f"{name}-o{i}"), daemon=True)
                         for i in range(openers)]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def finish(self, grace_s):
        self.end = time.monotonic() + grace_s
        self.ending.set()
        for t in self.threads:
            t.join(grace_s + 2 * TIMEOUT_S)
        assert not any(t.is_alive() for t in self.threads), "a client does not end"
        assert not self.errors, self.errors

    def _guard(self, work, user):
        try:
            work(user, random.Random(f"{self.seed} {user}"))
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(repr(error))
            raise

    def _money(self, wallet, user, chance, kind, amount):
        path = "/v1/topups" if kind == "topup" else "/v1/withdrawals"
        reference = f"{user}-{chance.randrange(1 << 60):x}"
        return wallet.insist(kind, reference, "POST", path, {"user": user, "amount": amount, "reference": reference},
                             reference, end=self.end, of=user, amount=amount)

    def _send(self, user, chance):
        wallet = Caller(self.service, self.history, "back-end", "wallet")
        caller = Caller(self.service, self.history, user)
        money = 0
        while not self.ending.is_set():
            if money < 1000:
                money += 5000 if self._money(wallet, user, chance, "topup", 5000).outcome == OK else 0
            if chance.random() < 0.1:
                money -= 7 if self._money(wallet, user, chance, "withdraw", 7).outcome == OK else 0
            shares = chance.randint(1, 6)
            total = chance.randint(shares, 200)
            key = f"{user}-{chance.randrange(1 << 60):x}"
            body = {"mode": chance.choice(("lucky", "equal")), "total": total, "shares": shares, "greeting": key}
            if self.life_s:
                body["expires_in"] = self.life_s
            o = caller.insist("send", key, "POST", "/v1/envelopes", body, key, end=self.end, **body)
            money -= total
            if o.outcome != OK:
                continue
            for _ in range(shares + 1):  # one more than it has shares
                self._offer(o.reply["id"])

    def _offer(self, envelope):
        while not self.ending.is_set():
            try:
                self.envelopes.put(envelope, timeout=0.1)
                return
            except queue.Full:
                pass

    def _open(self, user, chance):
        number, callers = 0, {}
        while not self.ending.is_set():
            try:
                envelope = self.envelopes.get(timeout=0.1)
            except queue.Empty:
                continue
            number = (number + 1) % 5  # five users a thread: the same one meets an envelope twice now and then
            name = f"{user}-{number}"
            if name not in callers:
                callers[name] = Caller(self.service, self.history, name)
            if chance.random() < 0.5:
                self.claim(callers[name], envelope)
            else:
                self.grab_and_open(callers[name], envelope)
            if chance.random() < 0.2:
                self.look(callers[name], envelope)

    def grab_and_open(self, caller, envelope):
        """Until opened, sold_out, expired or refused."""
        while time.monotonic() < self.end:
            o = caller.insist("grab", envelope, "POST", f"/v1/envelopes/{envelope}/grab", end=self.end)
            if o.outcome == OK and o.reply["state"] == "grabbed":
                ticket = {"ticket": o.reply["ticket"]}
                o = caller.insist("open", envelope, "POST", f"/v1/envelopes/{envelope}/open", ticket, end=self.end)
            if o.outcome == FAILED and o.reply.get("code") == "ticket_expired":
                continue
            if o.outcome != OK or o.reply["state"] != "busy":
                return o
            if self.ending.is_set() and self.life_s is None:
                return o
            time.sleep(0.1)
        return None

    def claim(self, caller, envelope):
        """The same by one request, which the checker judges as an open."""
        while time.monotonic() < self.end:
            o = caller.insist("open", envelope, "POST", f"/v1/envelopes/{envelope}/claim", end=self.end)
            if o.outcome != OK or o.reply["state"] != "busy" or (self.ending.is_set() and self.life_s is None):
                return o
            time.sleep(0.1)
        return None

    def look(self, caller, envelope):
        return caller.once("look", envelope, "GET", f"/v1/envelopes/{envelope}")
