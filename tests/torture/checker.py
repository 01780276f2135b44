"""Judge a history against the tables and a sequential model. Returns what is wrong as a list of texts.

`seq` gives the order of opens, so the model replays each envelope once: O(n log n) for n operations. An operation that
was acknowledged is in the tables, one that was refused is not, one that is unknown is there once or not at all."""
import bisect
import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import verify  # noqa: E402
from history import FAILED, OK, UNKNOWN  # noqa: E402

TOPUP, WITHDRAW, SEND, CLAIM, REFUND = range(1, 6)


def plain(identifier):
    return identifier.replace("-", "")


class Judge:
    def __init__(self, history, tables):
        self.operations = sorted(history.operations, key=lambda o: o.invoked)
        self.tables, self.wrong = tables, []
        self.opens = collections.defaultdict(list)      # (envelope, user) -> operations
        self.claims_of = collections.defaultdict(list)  # envelope -> [(seq, user, amount)]
        self.booked = collections.Counter()
        for o in self.operations:
            if o.kind == "open":
                self.opens[plain(o.key), o.user].append(o)
        for (envelope, user), claim in tables.claims.items():
            self.claims_of[envelope].append((claim["seq"], user, claim["amount"]))
        for claims in self.claims_of.values():
            claims.sort()
        for t in tables.transfers:
            self.booked[t["kind"], t["ref"]] += 1

    def report(self, rule, *details):
        self.wrong.append(f"{rule}: {' '.join(map(str, details))}")

    def judge(self):
        self.check_sends()
        self.check_envelopes()
        self.check_opens()
        self.check_order()
        self.check_closed_answers()
        self.check_looks()
        self.check_money_calls()
        self.check_ledger()
        return self.wrong

    # ---- sends: the greeting of an envelope is the key it was sent with ----
    def check_sends(self):
        by_key = collections.defaultdict(list)
        for identifier, e in self.tables.envelopes.items():
            by_key[e["greeting"]].append((identifier, e))
        repeats = collections.defaultdict(list)
        for o in self.operations:
            if o.kind == "send":
                repeats[o.key].append(o)
        for key, operations in repeats.items():
            stored = by_key.get(key, [])
            if len(stored) > 1:
                self.report("one key, two envelopes", key)
            acknowledged = [o for o in operations if o.outcome == OK]
            if {plain(o.reply["id"]) for o in acknowledged} - {identifier for identifier, _ in stored}:
                self.report("acknowledged send is lost", key)
            if len({o.reply["id"] for o in acknowledged}) > 1:
                self.report("one key, two answers", key)
            if stored and all(o.outcome == FAILED for o in operations):
                self.report("refused send is stored", key)
            for _, e in stored:
                asked = operations[0].arguments
                if (e["sender"], e["mode"], e["total"], e["shares"]) != (
                        operations[0].user, asked["mode"], asked["total"], asked["shares"]):
                    self.report("stored envelope is not the one sent", key)

    # ---- each envelope, replayed ----
    def check_envelopes(self):
        for identifier, e in self.tables.envelopes.items():
            claims = self.claims_of[identifier]
            if [seq for seq, _, _ in claims] != list(range(1, len(claims) + 1)):
                self.report("seq has a hole or a double", identifier)
            if len(claims) > e["shares"] or len(claims) != e["opened_shares"]:
                self.report("number of claims", identifier, len(claims), e["opened_shares"], e["shares"])
            if sum(amount for _, _, amount in claims) != e["opened"]:
                self.report("sum of claims", identifier)
            ident, seed = bytes.fromhex(identifier), bytes.fromhex(e["seed"])
            drawn = list(verify.amounts(ident, e["mode"], e["total"], e["shares"], e["cap"], seed,
                                        min(len(claims), e["shares"])))
            if [amount for _, _, amount in claims[:e["shares"]]] != drawn:
                self.report("amount is not the one drawn", identifier)
            if verify.seed_hash(ident, e["mode"], e["total"], e["shares"], e["cap"], seed) != e["seed_hash"]:
                self.report("seed is not the one promised", identifier)
            self.check_state(identifier, e, len(claims))
        for double in self.tables.doubles:
            self.report("user has two claims", *double)

    def check_state(self, identifier, e, claims):
        rest = e["total"] - e["opened"] - e["refunded"]
        good = {"open": claims < e["shares"] and e["refunded"] == 0 and rest > 0,
                "sold_out": claims == e["shares"] and rest == 0 and e["refunded"] == 0,
                "expired": claims < e["shares"] and rest == 0}[e["state"]]
        if not good:
            self.report("state", identifier, e["state"])

    # ---- opens ----
    def check_opens(self):
        for (envelope, user), operations in self.opens.items():
            claim = self.tables.claims.get((envelope, user))
            opened = [o for o in operations if o.outcome == OK and o.reply["state"] == "opened"]
            for o in opened:
                if claim is None:
                    self.report("acknowledged open is lost", envelope, user)
                elif (claim["amount"], claim["seq"]) != (o.reply["amount"], o.reply["seq"]):
                    self.report("acknowledged open differs", envelope, user, claim, o.reply)
            if claim and not opened and all(o.outcome == FAILED for o in operations):
                self.report("refused open is stored", envelope, user)
        for envelope, user in self.tables.claims:
            if self.opens and (envelope, user) not in self.opens:
                self.report("claim that was not asked for", envelope, user)

    def check_order(self):
        """What returned before another was invoked has the lower seq."""
        for envelope, claims in self.claims_of.items():
            latest = 0
            for seq, user, _ in claims:
                operations = self.opens.get((envelope, user), [])
                returned = [o.returned for o in operations if o.outcome == OK and o.reply["state"] == "opened"]
                if returned and min(returned) < latest:
                    self.report("seq against time", envelope, seq)
                if operations:
                    latest = max(latest, min(o.invoked for o in operations))

    def check_closed_answers(self):
        """sold_out is true if the last claim's open was invoked before the answer; expired if the final state is expired."""
        for o in self.operations:
            if o.kind not in ("grab", "open") or o.outcome != OK or o.reply["state"] not in ("sold_out", "expired"):
                continue
            e = self.tables.envelopes.get(plain(o.key))
            if e is None:
                self.report("answer for an envelope that does not exist", o.key)
            elif e["state"] != o.reply["state"]:
                self.report(f"false {o.reply['state']}", o.key, "is", e["state"])
            elif e["state"] == "sold_out":
                _, last, _ = self.claims_of[plain(o.key)][-1]
                operations = self.opens.get((plain(o.key), last), [])
                if operations and min(x.invoked for x in operations) >= o.returned:
                    self.report("sold_out before the last open", o.key)

    # ---- reads ----
    def check_looks(self):
        firsts, lasts = {}, {}
        for envelope, claims in self.claims_of.items():
            operations = [self.opens.get((envelope, user), []) for _, user, _ in claims]
            firsts[envelope] = sorted(min((x.invoked for x in group), default=0) for group in operations)
            lasts[envelope] = sorted(min((x.returned for x in group if x.outcome == OK and
                                          x.reply["state"] == "opened"), default=1 << 62) for group in operations)
        for o in self.operations:
            if o.kind != "look" or o.outcome != OK:
                continue
            envelope = plain(o.key)
            seen = o.reply["opened_shares"]
            at_most = bisect.bisect_left(firsts.get(envelope, []), o.returned)
            if seen > at_most:
                self.report("look shows a claim of the future", o.key, seen, at_most)
            own = [x for x in self.opens.get((envelope, o.user), []) if x.outcome == OK and
                   x.reply["state"] == "opened" and x.returned < o.invoked]
            if own and (o.reply["mine"] or {}).get("amount") != own[0].reply["amount"]:
                self.report("look does not show one's own claim", o.key, o.user)

    # ---- top-ups and withdrawals ----
    def check_money_calls(self):
        repeats = collections.defaultdict(list)
        for o in self.operations:
            if o.kind in ("topup", "withdraw"):
                repeats[o.kind, o.key].append(o)
        amounts = {(t["kind"], t["ref"]): (t["user"], t["amount"]) for t in self.tables.transfers}
        for (kind, reference), operations in repeats.items():
            key = (TOPUP if kind == "topup" else WITHDRAW, reference.encode().hex())
            booked = self.booked[key]
            if booked > 1:
                self.report(f"{kind} twice", reference)
            if any(o.outcome == OK for o in operations) and booked != 1:
                self.report(f"acknowledged {kind} is lost", reference)
            if booked and all(o.outcome == FAILED for o in operations):
                self.report(f"refused {kind} is stored", reference)
            if booked and amounts[key] != (operations[0].user, operations[0].arguments["amount"]):
                self.report(f"{kind} of another user or amount", reference)

    # ---- the ledger ----
    def check_ledger(self):
        tables, sums = self.tables, collections.Counter()
        for t in tables.transfers:
            sums[t["user"]] += t["amount"] if t["kind"] in (TOPUP, CLAIM, REFUND) else -t["amount"]
        for user in set(sums) | set(tables.balances):
            if sums[user] != tables.balances.get(user, 0):
                self.report("balance is not the sum of transfers", user, sums[user], tables.balances.get(user))
        amounts = {(t["kind"], t["ref"]): (t["user"], t["amount"]) for t in tables.transfers}
        known = set()
        for (envelope, user), claim in tables.claims.items():
            key = (CLAIM, envelope + claim["seq"].to_bytes(4, "big").hex())
            known.add(key)
            if self.booked[key] + ((envelope, user) in tables.pending) != 1:
                self.report("claim is not credited exactly once", envelope, user)
            elif self.booked[key] and amounts[key] != (user, claim["amount"]):
                self.report("credit of another user or amount", envelope, user)
        for key in self.booked:
            if key[0] == CLAIM and key not in known:
                self.report("credit without a claim", key[1])
        for identifier, e in tables.envelopes.items():
            if self.booked[SEND, identifier] != 1 or amounts[SEND, identifier] != (e["sender"], e["total"]):
                self.report("send is not booked exactly once", identifier)
            wanted = 1 if e["refunded"] else 0
            if self.booked[REFUND, identifier] != wanted or (
                    wanted and amounts[REFUND, identifier] != (e["sender"], e["refunded"])):
                self.report("refund is not booked exactly once", identifier)


def judge(history, tables):
    """What is wrong, [] for nothing."""
    return Judge(history, tables).judge()


def unknown_count(history):
    return sum(o.outcome == UNKNOWN for o in history.operations)
