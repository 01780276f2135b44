"""The steps of a sequence that only read: envelopes, balances and lists are those of the model."""
from model import need
from service import SLOW, wait_until


class Reader:
    """Needs the members of a Player."""

    def check_shown(self, it, envelope, veiled=False):
        """Compare what is shown of an envelope, without its claims, with the model. veiled: the reader may still open it."""
        best = envelope.luckiest()
        shown = {name: getattr(envelope, name) for name in ("id", "state", "closed_by", "mode", "theme", "shares", "total", "refunded")}
        shown |= {"opened_shares": len(envelope.claims), "opened_total": None if veiled else envelope.opened}
        for name, value in shown.items():
            need(it[name] == value, name, "is shown as", it[name], "and is", value)
        need((it["seed"] is None) == (it["closed_at"] is None) == (envelope.state == "open"), "seed or time of the end:", it)
        need(it["sender"]["user"] == self.names[envelope.sender], "sender:", it)
        got = it["luckiest"] and (it["luckiest"]["user"], it["luckiest"]["amount"], it["luckiest"]["seq"])
        need(got == (best and (self.names[best.user], best.amount, best.seq)), "luckiest is shown as", it["luckiest"], "and is", best)

    def step_look(self, step, envelope):
        user, claims, after = step["user"], [], ""
        mine = envelope.claim_of(user)
        veiled = envelope.state == "open" and not mine and user != envelope.sender
        while True:
            answer = self.users[user].envelope(f"{envelope.id}?limit={step['limit']}{after}")
            if not envelope.admits(user) and user != envelope.sender:
                need(answer.code == "not_recipient", "a look by no recipient is answered with", answer)
                return
            self.check_shown(answer.json, envelope, veiled)
            need(answer.json["mine"] == (mine and {"amount": mine.amount, "seq": mine.seq, "opened_at": mine.opened_at}), "mine:", answer)
            claims += answer.json["claims"]
            if not answer.json["next"]:
                break
            after = "&after=" + answer.json["next"]
        want = [(self.names[c.user], c.amount, c.seq, c.opened_at, c.thanks) for c in envelope.claims if not veiled]
        got = [(c["user"], c["amount"], c["seq"], c["opened_at"], c["thanks"]) for c in claims]
        need(sorted(got, key=lambda c: c[2]) == want, "claims are shown as", got, "and are", want)
        self.check_tag(user, envelope)

    def check_tag(self, user, envelope):
        """Look with the tag of an earlier look: 304 if and only if nothing has changed."""
        key, now = (user, envelope.id), (envelope.state, len(envelope.claims), envelope.thanked)
        tag, then = self.tags.get(key, ('"none"', None))
        answer = self.users[user].envelope(envelope.id, headers={"If-None-Match": tag})
        need(answer.status == (304 if then == now else 200), "If-None-Match of", then, "is answered with", answer, "for", now)
        self.tags[key] = (answer.headers["ETag"], now)

    def step_preview(self, _, envelope):
        answer = self.users[0].envelope(envelope.id, token="")
        if envelope.to is None:
            need(answer.status == 200 and answer.state == envelope.state, "a preview is", answer)
            need(answer.json["theme"] == envelope.theme, "the theme of a preview is", answer)
            need(answer.json["left"] == envelope.shares - len(envelope.claims) and not answer.json["guests"], "a preview is", answer)
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
        need((first["count"], first["total"], first["luckiest_count"]) == sums, "sums of what was received are", first, "not", sums)
        need(len(items) == len(mine) and {item["envelope"] for item in items} == mine.keys(), "received:", items)
        for item in items:
            envelope, claim = mine[item["envelope"]]
            need(item["theme"] == envelope.theme, "theme:", item)
            need((item["amount"], item["seq"], item["opened_at"]) == (claim.amount, claim.seq, claim.opened_at), "received:", item, claim)
            need(item["luckiest"] == (item["envelope"] in lucky), "luckiest:", item)
            need(item["credited"] or item["envelope"] in self.model.pending[user], "not credited:", item)

    def envelope_of(self, identifier):
        found = [envelope for envelope in self.model.envelopes if envelope.id == identifier]
        need(found, "no envelope", identifier)
        return found[0]

    def step_ledger(self, step, _):
        self.wait_for_ends()
        user = step["user"]
        first, items = self.pages(user, "/v1/me/ledger", step["limit"])
        rows = [(item["kind"], item["amount"], item["envelope"]) for item in items]
        ids = [item["id"] for item in items]
        old = self.ledgers.get(user, [])
        need(len(set(ids)) == len(ids), "a row of the ledger is there twice:", ids)
        need(ids[len(ids) - len(old):] == old, "rows in front of", old, "became", ids)
        self.ledgers[user] = ids
        for item in items:
            claim = item["kind"] == "claim" and self.envelope_of(item["envelope"]).claim_of(user)
            need(item.get("opened_at") == (claim.opened_at if claim else None), "opened_at of a row:", item, claim)
            need(not claim or item["at"] >= claim.opened_at, "booked before it was opened:", item)
        missing = list(self.model.rows[user])
        for row in rows:
            need(row in missing, "the ledger has a row", row, "which the model does not have")
            missing.remove(row)
        open_rows = {("claim", amount, envelope) for envelope, amount in self.model.pending[user].items()}
        need(set(missing) <= open_rows, "the ledger lacks", set(missing) - open_rows)
        if first["next"] is None:  # otherwise credits may be booked between the pages
            need(sum(row[1] for row in rows) == first["balance"], "the balance is", first["balance"], "after", rows)
