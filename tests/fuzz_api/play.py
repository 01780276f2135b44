"""One sequence: each step is a request, whose answer is compared with the model."""
import concurrent.futures
import time

from client import Client
from model import GROUP, Envelope, Model, need
from reader import Reader
from service import SLOW, wait_until

LIFE_S = 3 * SLOW  # of a short envelope
MARGIN_S = 2 * SLOW  # no step uses an envelope this close to its end
LONG_S = 3600


class Player(Reader):
    """New users with names of their own, so that sequences do not meet."""

    def __init__(self, service, name, users):
        self.service = service
        self.model = Model()
        self.names = [f"{name}-u{number}" for number in range(users)]
        self.prefix = name
        group = [f"{name}-group"]
        self.users = [Client(service, service.token(user, name=user, groups=group if number in GROUP else []))
                      for number, user in enumerate(self.names)]
        self.shops = [Client(service, service.token(f"{name}-shop{number}", kind="wallet")) for number in range(2)]
        self.tags = {}  # of looks: what a tag stands for
        self.ledgers = {}  # by user: ids of the rows seen last, newest first

    def close(self):
        for client in self.users + self.shops:
            client.close()

    def step(self, step):
        kind = "take" if step["kind"] == "again" else step["kind"]
        envelope = self.pick(step)
        if envelope or kind in ("send", "me", "sent", "received", "ledger", "topup", "withdraw", "settle"):
            getattr(self, "step_" + kind)(step, envelope)

    def pick(self, step):
        """Return the envelope of a step, or None. One close to its end is waited for."""
        if "envelope" not in step or not self.model.envelopes:
            return None
        envelope = self.model.envelopes[-1 - step["envelope"] % len(self.model.envelopes)]
        self.wait_for_end(envelope)
        return envelope

    def wait_for_end(self, envelope, margin_s=MARGIN_S):
        """Wait until an envelope that is open, and that close to its end, is expired."""
        if envelope.state != "open" or time.time() < envelope.deadline - margin_s:
            return
        sender = self.users[envelope.sender]
        wait_until(lambda: sender.envelope(envelope.id).state == "expired", 10 * SLOW, "the envelope is expired")
        self.model.expired(envelope)

    def wait_for_ends(self, margin_s=MARGIN_S):
        for envelope in self.model.envelopes:
            self.wait_for_end(envelope, margin_s)

    # ---- money ----
    def check_repeat(self, answer, first):
        need((answer.status, answer.json) == (201, first), "a repeat is answered with", answer, "after", first)
        self.check_replayed(answer, True)

    def check_replayed(self, answer, replayed):
        need(answer.headers["Idempotent-Replayed"] == ("true" if replayed else None), "Idempotent-Replayed:", answer.headers.items())

    def repeated(self, answer, key, body):
        """Check an answer whose key was used before. Return True if it was."""
        if key not in self.model.known:
            return False
        first_body, first = self.model.known[key]
        if first_body == body:
            self.check_repeat(answer, first)
        else:
            need(answer.code == "idempotency_key_reused", "another body with a key is answered with", answer)
        return True

    def post(self, step, client, path, body, key):
        """Send a request, once or twice at the same time. Return the answer to the first and, or None, to the other."""
        def once(sender):
            return sender.request("POST", path, body, {"Idempotency-Key": key})
        if not step["twice"]:
            return once(client), None
        other = Client(self.service, client.token)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(once, (client, other)))
        other.close()
        return sorted(answers, key=lambda answer: (answer.status != 201, answer.headers["Idempotent-Replayed"] is not None))

    def check_other(self, other, key, body, can_pay):
        """Check the other answer to a request that was sent twice at the same time."""
        if other is not None and other.code != "idempotency_in_progress" and (other.code != "insufficient_funds" or can_pay):
            need(self.repeated(other, key, body), "sent twice at once, the other is answered with", other)

    def step_send(self, step, _):
        to = step["to"]
        body = {name: step[name] for name in ("mode", "total", "shares")} | {"expires_in": LIFE_S if step["short"] else LONG_S}
        if step.get("theme"):
            body["theme"] = step["theme"]
        if to is not None:
            body["to"] = {"group": self.prefix + "-group"} if to == "group" else {"users": [self.names[user] for user in to]}
        self.wait_for_ends()
        user, key = step["user"], f"{self.prefix}-{step['key']}"
        can_pay = self.model.can_pay(user, body["total"])
        answer, other = self.post(step, self.users[user], "/v1/envelopes", body, key)
        if not self.repeated(answer, ("send", user, key), body):
            self.first_send(answer, step, body, can_pay)
        self.check_other(other, ("send", user, key), body, can_pay)

    def first_send(self, answer, step, body, can_pay):
        to, user, key = step["to"], step["user"], f"{self.prefix}-{step['key']}"
        if answer.status != 201:
            need(answer.code == "insufficient_funds" and not can_pay, "a send is answered with", answer)
            return
        need(can_pay is not False, "an envelope was sent without the money")
        self.check_replayed(answer, False)
        it = answer.json
        need(it["state"] == "open" and it["claims"] == [] and it["seed"] is None, "a new envelope is", it)
        need(it["theme"] == (step.get("theme") or "plain"), "the theme of a new envelope is", it["theme"])
        self.model.known["send", user, key] = (body, it)
        self.model.sent(Envelope(it["id"], user, it["mode"], it["theme"], it["total"], it["shares"], it["cap"],
                                 set(to) if isinstance(to, list) else to, time.time() + body["expires_in"]))

    def step_topup(self, step, _):
        self.move_money(step, "topup", "/v1/topups", 1)

    def step_withdraw(self, step, _):
        self.move_money(step, "withdraw", "/v1/withdrawals", -1)

    def move_money(self, step, kind, path, sign):
        self.wait_for_ends()
        user, amount, shop = step["user"], step["amount"], step["shop"]
        key, reference = f"{self.prefix}-{step['key']}", f"{self.prefix}-{step['reference']}"
        body = {"user": self.names[user], "amount": amount, "reference": reference}
        can_pay = self.model.can_pay(user, -sign * amount)
        answer, other = self.post(step, self.shops[shop], path, body, key)
        if self.repeated(answer, (kind, shop, key), body):
            self.check_other(other, (kind, shop, key), body, can_pay)
            return
        earlier = self.model.known.get(("reference", kind, shop, reference))
        if earlier:
            if earlier[0] == (user, amount):
                self.check_repeat(answer, earlier[1])
            else:
                need(answer.code == "reference_reused", "another amount with a reference is answered with", answer)
            return
        if answer.status != 201:
            need(answer.code == "insufficient_funds" and not can_pay, kind, "is answered with", answer)
            return
        need(can_pay is not False, "a withdrawal without the money")
        self.check_replayed(answer, False)
        self.model.book(user, kind, sign * amount)
        self.model.known[kind, shop, key] = (body, answer.json)
        self.model.known["reference", kind, shop, reference] = ((user, amount), answer.json)
        need(self.model.least(user) <= answer.json["balance"] <= self.model.money[user], kind, "leaves", answer.json["balance"])
        self.check_other(other, (kind, shop, key), body, can_pay)

    # ---- shares ----
    def check_end(self, answer, envelope):
        need(answer.status == 200 and answer.state == envelope.state != "open", "of an envelope that is", envelope.state, "is said", answer)

    def check_claim(self, answer, claim):
        for name in ("amount", "seq", "opened_at"):
            need(answer.json.get(name, getattr(claim, name)) == getattr(claim, name), name, "of a claim is", answer, "and was", claim)

    def step_grab(self, step, envelope):
        user = step["user"]
        answer = self.users[user].grab(envelope.id)
        claim = envelope.claim_of(user)
        if not envelope.admits(user):
            need(answer.code == "not_recipient", "a grab by no recipient is answered with", answer)
        elif claim and answer.state == "opened":
            self.check_claim(answer, claim)
        elif claim or envelope.state != "open":
            self.check_end(answer, envelope)
        elif answer.state == "busy":
            need(envelope.may_be_busy(user), "busy, with", envelope)
        else:
            need(answer.state == "grabbed", "a grab is answered with", answer)
            envelope.tickets[user] = answer.json["ticket"]

    def step_open(self, step, envelope):
        user = step["user"]
        if user in envelope.tickets:
            claim, answer = envelope.claim_of(user), self.users[user].open(envelope.id, envelope.tickets[user])
            self.check_open(answer, envelope, user)
            self.check_replayed(answer, claim is not None)

    def check_open(self, answer, envelope, user):
        claim = envelope.claim_of(user)
        if claim:
            need(answer.state == "opened", "a second open is answered with", answer)
            self.check_claim(answer, claim)
        elif envelope.state != "open":
            self.check_end(answer, envelope)
        else:
            need(answer.state == "opened", "an open is answered with", answer)
            self.model.opened(envelope, user, *(answer.json[name] for name in ("amount", "seq", "opened_at")))

    def step_take(self, step, envelope):
        """Claim, or grab and open."""
        if step["limit"] % 2:
            self.step_grab(step, envelope)
            self.step_open(step, envelope)
            return
        user = step["user"]
        answer = self.users[user].claim(envelope.id)
        if not envelope.admits(user):
            need(answer.code == "not_recipient", "a claim by no recipient is answered with", answer)
        elif answer.state == "busy":
            need(not envelope.claim_of(user) and envelope.state == "open" and envelope.may_be_busy(user), "busy, with", envelope)
        elif envelope.claim_of(user) and answer.state == envelope.state:
            self.check_end(answer, envelope)  # answered by the web server, which knows no user
        else:
            self.check_open(answer, envelope, user)

    def step_rush(self, _, envelope):
        """All users grab and open at once; the order is that of seq."""
        def take(client):
            grabbed = client.grab(envelope.id)
            return grabbed, client.open(envelope.id, grabbed.json["ticket"]) if grabbed.state == "grabbed" else None
        before = {user: envelope.claim_of(user) for user in range(len(self.users))}
        left = envelope.shares - len(envelope.claims)
        with concurrent.futures.ThreadPoolExecutor(len(self.users)) as pool:
            answers = dict(enumerate(pool.map(take, self.users)))
        envelope.tickets |= {user: grabbed.json["ticket"] for user, (grabbed, _) in answers.items() if grabbed.state == "grabbed"}
        waiting = [user for user in envelope.tickets if not before[user]]
        opened = {user: answer for user, (_, answer) in answers.items() if answer is not None}
        for user in sorted(opened, key=lambda user: opened[user].json.get("seq", envelope.shares + 1)):
            self.check_open(opened[user], envelope, user)
        for user, (grabbed, _) in answers.items():
            if not envelope.admits(user):
                need(grabbed.code == "not_recipient", "a grab by no recipient is answered with", grabbed)
            elif grabbed.state == "opened":
                need(before[user], "opened before it was", grabbed)
                self.check_claim(grabbed, before[user])
            elif grabbed.state == "busy":
                need(not before[user] and left and len([other for other in waiting if other != user]) >= left, "busy, with", envelope)
            elif grabbed.state != "grabbed":
                self.check_end(grabbed, envelope)

    def step_steal(self, step, envelope):
        """Open with another user's ticket."""
        others = [user for user in envelope.tickets if user != step["user"]]
        if others:
            answer = self.users[step["user"]].open(envelope.id, envelope.tickets[others[0]])
            need(answer.code == "ticket_invalid", "another user's ticket is answered with", answer)

    def step_close(self, _, envelope):
        if envelope.state == "open":
            self.service.ctl("close", envelope.id)
            self.model.expired(envelope, "operator")

    def step_recall(self, step, envelope):
        answer, was = self.users[step["user"]].request("POST", f"/v1/envelopes/{envelope.id}/recall"), envelope.closed_by
        if step["user"] != envelope.sender:
            need(answer.code == "not_sender", "a recall by another user is answered with", answer)
            return
        self.model.expired(envelope, "sender")
        shown = (envelope.state, envelope.closed_by, envelope.refunded)
        got = tuple(answer.json[name] for name in ("state", "closed_by", "refunded"))
        need(answer.status == 200 and got == shown, "a recall is answered with", answer, "of", shown)
        self.check_replayed(answer, was == "sender")

    def step_thanks(self, step, envelope):
        claim = envelope.claim_of(step["user"])
        word = ("thanks", "hug", "luck", "cheers", "wow")[step["limit"] % 5]
        answer = self.users[step["user"]].request("POST", f"/v1/envelopes/{envelope.id}/thanks", {"thanks": word})
        if not claim:
            need(answer.code == "not_opened", "thanks without a share are answered with", answer)
            return
        need(answer.json == {"seq": claim.seq, "thanks": word}, "thanks are answered with", answer)
        self.check_replayed(answer, claim.thanks == word)
        envelope.thanked += claim.thanks != word
        claim.thanks = word

    def finish(self):
        """Compare everything. Return the closed envelopes, as shown with all claims."""
        self.wait_for_ends(LONG_S / 2)
        for user in range(len(self.users)):
            step = {"user": user, "limit": 100}
            self.step_settle(step, None)
            for kind in ("sent", "received", "ledger"):
                getattr(self, "step_" + kind)(step, None)
            for envelope in self.model.envelopes:
                self.step_look(step, envelope)
        senders = [(self.users[e.sender], e.id) for e in self.model.envelopes if e.state != "open"]
        return [sender.envelope(envelope + "?limit=100").json for sender, envelope in senders]
