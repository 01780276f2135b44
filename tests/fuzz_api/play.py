"""One sequence: each step is a request, whose answer is compared with the model."""
import concurrent.futures
import time

from client import API, Client
from model import GROUP, Envelope, Model, need
from service import SLOW, wait_until

LIFE_S = 2 * SLOW  # of a short envelope
MARGIN_S = SLOW  # no step uses an envelope this close to its end
# What the description has.
CLAIM = "/v1/envelopes/{id}/claim" in API["paths"]
REPLAYED = "Idempotent-Replayed" in API["paths"]["/v1/envelopes"]["post"]["responses"]["201"]["headers"]
BOOKED_ORDER = "opened_at" in API["components"]["schemas"]["Ledger"]["properties"]["items"]["items"]["properties"]


class Player:
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

    def wait_for_end(self, envelope):
        if envelope.state != "open" or time.time() < envelope.deadline - MARGIN_S:
            return
        sender = self.users[envelope.sender]
        wait_until(lambda: sender.envelope(envelope.id).state == "expired", 10 * SLOW, "the envelope is expired")
        self.model.expired(envelope)

    def wait_for_ends(self):
        for envelope in self.model.envelopes:
            self.wait_for_end(envelope)

    # ---- money ----
    def check_repeat(self, answer, first):
        need((answer.status, answer.json) == (201, first), "a repeat is answered with", answer, "after", first)
        need(not REPLAYED or answer.headers["Idempotent-Replayed"] == "true", "a repeat does not say so", answer)

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

    def step_send(self, step, _):
        to = step["to"]
        body = {name: step[name] for name in ("mode", "total", "shares")} | {"expires_in": LIFE_S if step["short"] else 3600}
        if to is not None:
            body["to"] = {"group": self.prefix + "-group"} if to == "group" else {"users": [self.names[user] for user in to]}
        self.wait_for_ends()
        user, key = step["user"], f"{self.prefix}-{step['key']}"
        answer = self.users[user].request("POST", "/v1/envelopes", body, {"Idempotency-Key": key})
        if self.repeated(answer, ("send", user, key), body):
            return
        can_pay = self.model.can_pay(user, body["total"])
        if answer.status != 201:
            need(answer.code == "insufficient_funds" and not can_pay, "a send is answered with", answer)
            return
        need(can_pay is not False, "an envelope was sent without the money")
        it = answer.json
        need(it["state"] == "open" and it["claims"] == [] and it["seed"] is None, "a new envelope is", it)
        self.model.known["send", user, key] = (body, it)
        self.model.sent(Envelope(it["id"], user, it["mode"], it["total"], it["shares"], it["cap"], set(to) if isinstance(to, list) else to,
                                 time.time() + body["expires_in"]))

    def step_topup(self, step, _):
        self.move_money(step, "topup", "/v1/topups", 1)

    def step_withdraw(self, step, _):
        self.move_money(step, "withdraw", "/v1/withdrawals", -1)

    def move_money(self, step, kind, path, sign):
        self.wait_for_ends()
        user, amount, shop = step["user"], step["amount"], step["shop"]
        key, reference = f"{self.prefix}-{step['key']}", f"{self.prefix}-{step['reference']}"
        body = {"user": self.names[user], "amount": amount, "reference": reference}
        answer = self.shops[shop].request("POST", path, body, {"Idempotency-Key": key})
        if self.repeated(answer, (kind, shop, key), body):
            return
        earlier = self.model.known.get(("reference", kind, shop, reference))
        if earlier:
            if earlier[0] == (user, amount):
                self.check_repeat(answer, earlier[1])
            else:
                need(answer.code == "reference_reused", "another amount with a reference is answered with", answer)
            return
        can_pay = self.model.can_pay(user, -sign * amount)
        if answer.status != 201:
            need(answer.code == "insufficient_funds" and not can_pay, kind, "is answered with", answer)
            return
        need(can_pay is not False, "a withdrawal without the money")
        self.model.book(user, kind, sign * amount)
        self.model.known[kind, shop, key] = (body, answer.json)
        self.model.known["reference", kind, shop, reference] = ((user, amount), answer.json)
        need(self.model.least(user) <= answer.json["balance"] <= self.model.money[user], kind, "leaves", answer.json["balance"])

    # ---- shares ----
    def check_end(self, answer, envelope):
        need(answer.status == 200 and answer.state == envelope.state != "open", "an envelope that is", envelope.state, "is answered with", answer)

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
            self.check_open(self.users[user].open(envelope.id, envelope.tickets[user]), envelope, user)

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
        if not CLAIM or step["limit"] % 2:
            self.step_grab(step, envelope)
            self.step_open(step, envelope)
            return
        user = step["user"]
        answer = self.users[user].request("POST", f"/v1/envelopes/{envelope.id}/claim")
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
            self.model.expired(envelope)

    # ---- looks and lists ----
    def check_shown(self, it, envelope):
        """Compare what is shown of an envelope, without its claims, with the model."""
        best = envelope.luckiest()
        shown = {"state": envelope.state, "opened_shares": len(envelope.claims), "opened_total": envelope.opened, "total": envelope.total,
                 "refunded": envelope.refunded, "mode": envelope.mode, "shares": envelope.shares, "id": envelope.id}
        for name, value in shown.items():
            need(it[name] == value, name, "is shown as", it[name], "and is", value)
        need((it["seed"] is None) == (it["closed_at"] is None) == (envelope.state == "open"), "seed or time of the end:", it)
        need(it["sender"]["user"] == self.names[envelope.sender], "sender:", it)
        got = it["luckiest"] and (it["luckiest"]["user"], it["luckiest"]["amount"], it["luckiest"]["seq"])
        need(got == (best and (self.names[best.user], best.amount, best.seq)), "luckiest is shown as", it["luckiest"], "and is", best)

    def step_look(self, step, envelope):
        user, claims, after = step["user"], [], ""
        mine = envelope.claim_of(user)
        while True:
            answer = self.users[user].envelope(f"{envelope.id}?limit={step['limit']}{after}")
            if not envelope.admits(user) and user != envelope.sender:
                need(answer.code == "not_recipient", "a look by no recipient is answered with", answer)
                return
            self.check_shown(answer.json, envelope)
            need(answer.json["mine"] == (mine and {"amount": mine.amount, "seq": mine.seq, "opened_at": mine.opened_at}), "mine:", answer)
            claims += answer.json["claims"]
            if not answer.json["next"]:
                break
            after = "&after=" + answer.json["next"]
        want = [(self.names[c.user], c.amount, c.seq, c.opened_at) for c in envelope.claims]
        got = [(c["user"], c["amount"], c["seq"], c["opened_at"]) for c in claims]
        need(sorted(got, key=lambda c: c[2]) == want, "claims are shown as", got, "and are", want)
        self.check_tag(user, envelope)

    def check_tag(self, user, envelope):
        """Look with the tag of an earlier look: 304 if and only if nothing has changed."""
        key, now = (user, envelope.id), (envelope.state, len(envelope.claims))
        tag, then = self.tags.get(key, ('"none"', None))
        answer = self.users[user].envelope(envelope.id, headers={"If-None-Match": tag})
        need(answer.status == (304 if then == now else 200), "If-None-Match of", then, "is answered with", answer, "for", now)
        self.tags[key] = (answer.headers["ETag"], now)

    def step_preview(self, _, envelope):
        answer = self.users[0].envelope(envelope.id, token="")
        if envelope.to is None:
            need(answer.status == 200 and answer.state == envelope.state, "a preview is", answer)
        else:
            need(answer.status in (200, 401), "a preview of a restricted envelope is", answer)

    def step_me(self, step, _):
        self.wait_for_ends()
        user = step["user"]
        it = self.users[user].get("/v1/me").json
        need(it["balance"] + it["pending"] == self.model.money[user], "balance and pending are", it, "together", self.model.money[user])
        need(it["balance"] >= self.model.least(user), "the balance is", it, "at least", self.model.least(user))
        if it["pending"] == 0:
            self.model.credited(user)
        return it

    def step_settle(self, step, _):
        wait_until(lambda: self.step_me(step, None)["pending"] == 0, 20 * SLOW, "all is credited")

    def pages(self, user, path, limit):
        """Return the first page and the items of all."""
        first = page = self.users[user].get(f"{path}?limit={limit}").json
        items = list(first["items"])
        while page["next"]:
            need(len(page["items"]) == limit, "a page of", len(page["items"]), "has a next one")
            page = self.users[user].get(f"{path}?limit={limit}&after={page['next']}").json
            items += page["items"]
        return first, items

    def step_sent(self, step, _):
        self.wait_for_ends()
        user = step["user"]
        first, items = self.pages(user, "/v1/me/sent", step["limit"])
        mine = {e.id: e for e in self.model.envelopes if e.sender == user}
        sums = (len(mine), sum(e.total for e in mine.values()), sum(e.refunded for e in mine.values()))
        need((first["count"], first["total"], first["refunded"]) == sums, "sums of what was sent are", first, "and should be", sums)
        need(len(items) == len(mine) and {item["id"] for item in items} == mine.keys(), "sent:", [item["id"] for item in items])
        for item in items:
            self.check_shown(item, mine[item["id"]])

    def step_received(self, step, _):
        self.wait_for_ends()
        user = step["user"]
        first, items = self.pages(user, "/v1/me/received", step["limit"])
        mine = {e.id: (e, e.claim_of(user)) for e in self.model.envelopes if e.claim_of(user)}
        lucky = {e.id for e, claim in mine.values() if e.luckiest() is claim}
        sums = (len(mine), sum(claim.amount for _, claim in mine.values()), len(lucky))
        need((first["count"], first["total"], first["luckiest_count"]) == sums, "sums of what was received are", first, "and should be", sums)
        need(len(items) == len(mine) and {item["envelope"] for item in items} == mine.keys(), "received:", items)
        for item in items:
            claim = mine[item["envelope"]][1]
            need((item["amount"], item["seq"], item["opened_at"]) == (claim.amount, claim.seq, claim.opened_at), "received:", item, claim)
            need(item["luckiest"] == (item["envelope"] in lucky), "luckiest:", item)
            need(item["credited"] or item["envelope"] in self.model.pending[user], "not credited:", item)

    def step_ledger(self, step, _):
        self.wait_for_ends()
        user = step["user"]
        first, items = self.pages(user, "/v1/me/ledger", step["limit"])
        rows = [(item["kind"], item["amount"], item["envelope"]) for item in items]
        ids = [item["id"] for item in items]
        old = self.ledgers.get(user, [])
        need(len(set(ids)) == len(ids), "a row of the ledger is there twice:", ids)
        need(not BOOKED_ORDER or ids[len(ids) - len(old):] == old, "rows in front of", old, "became", ids)
        self.ledgers[user] = ids
        missing = list(self.model.rows[user])
        for row in rows:
            need(row in missing, "the ledger has a row", row, "which the model does not have")
            missing.remove(row)
        open_rows = {("claim", amount, envelope) for envelope, amount in self.model.pending[user].items()}
        need(set(missing) <= open_rows, "the ledger lacks", set(missing) - open_rows)
        if first["next"] is None:  # otherwise credits may be booked between the pages
            need(sum(row[1] for row in rows) == first["balance"], "the rows make", sum(row[1] for row in rows), "the balance is", first["balance"])

    def finish(self):
        """Compare everything. Return the closed envelopes, as shown with all claims."""
        for user in range(len(self.users)):
            step = {"user": user, "limit": 100}
            self.step_settle(step, None)
            for kind in ("sent", "received", "ledger"):
                getattr(self, "step_" + kind)(step, None)
            for envelope in self.model.envelopes:
                self.step_look(step, envelope)
        senders = [(self.users[e.sender], e.id) for e in self.model.envelopes if e.state != "open"]
        return [sender.envelope(envelope + "?limit=100").json for sender, envelope in senders]
