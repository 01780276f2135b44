"""Grabs, opens, claims and sends, each at its highest rate."""
import plan
from scene import RateScene
from table import Bar, Figure

PAUSED = "settle is paused"


class _Crowd(RateScene):
    """Every request has a different pair of user and envelope."""
    envelopes, shares = 1000, 1000
    per_second = 45000  # requests prepared for each second of the run, until H is known

    group = None  # the envelopes' recipients; None: anyone
    member_of = None  # the group that each user's token names

    def pairs(self, bench):
        """Yield (envelope, user), no pair twice."""
        ids = bench.stack.envelopes(self.envelopes, self.shares, group=self.group)
        users = self.users(bench, self.count(bench))
        return ((ids[i % len(ids)], user) for i, user in enumerate(users))

    def count(self, bench):
        """Return a number of requests larger than can be answered."""
        return int(min(self.per_second, bench.ceilings.get(self.pool, self.per_second)) * bench.seconds)

    def users(self, bench, count):
        return bench.strangers(count)


class _Grabs(_Crowd):
    pool, answer_bytes = "grab", 126
    expected = ("200 grabbed",)

    def requests(self, bench):
        signer = bench.stack.signer
        return [plan.grab(envelope, signer.token(user, self.member_of)) for envelope, user in self.pairs(bench)]


class _KnownGrabs(_Grabs):
    """Grabs by users that have grabbed another envelope before."""
    note = "tokens known: each user has grabbed elsewhere before"

    def users(self, bench, count):
        return bench.regulars(count)

    def requests(self, bench):
        requests = super().requests(bench)
        (other,) = bench.stack.envelopes(1, 1000000, share_fen=1)
        signer = bench.stack.signer
        bench.stack.do_all((plan.grab(other, signer.token(user, self.member_of))
                            for user in bench.regulars(len(requests))), "200 grabbed",
                           connections=bench.connections)
        return requests


class GrabsMany(_KnownGrabs):
    name, title, bar, latency_ms = "grabs-many", "grabs, 1,000 envelopes", 0.50, 5


class GrabsHot(_KnownGrabs):
    name, title, bar, latency_ms = "grabs-hot", "grabs, one hot envelope of 100,000 shares", 0.55, 5
    envelopes, shares = 1, 100000


class GrabsFirst(_Grabs):
    name, title = "grabs-first", "grabs, 1,000 envelopes, tokens seen for the first time"


class _ToAGroup(_Crowd):
    """Measure requests for envelopes to anyone, then for envelopes to a group, by tokens that name it in both."""
    bar, member_of = 0.85, "family"

    def _run(self, bench):
        rates, wrong, notes = [], [], [self.note]
        for self.group in (None, self.member_of):
            prepared = self._prepared(bench)
            result = self.measured(bench, prepared)
            prepared.close()
            rates.append(result.rate)
            wrong.append(self._wrong(bench, result))
            notes.append("the prepared requests ran out: a shorter run" if result.ran_out else "")
        yield Figure(self.title, rates[1], ceiling=rates[0], bar=Bar(self.bar, unit="to anyone"),
                     wrong=", ".join(filter(None, wrong)), note="; ".join(filter(None, notes)))


class GrabsGroup(_ToAGroup, _KnownGrabs):
    name, title = "grabs-group", "grabs, 1,000 envelopes to a group, against those to anyone"


class _Stored(_Crowd):
    """Every request stores a claim."""
    pool, answer_bytes = "open", 94
    expected = ("200 opened",)
    settle = False
    per_second = 25000

    def check(self, bench, counts):
        (claims,), = bench.stack.sql("SELECT COUNT(*) FROM claim")
        return "" if int(claims) == counts["200 opened"] else f"{claims} claims are stored"


class _Claims(_Stored):
    note = f"{PAUSED}; tokens seen for the first time"

    def requests(self, bench):
        signer = bench.stack.signer
        return [plan.claim(envelope, signer.token(user, self.member_of)) for envelope, user in self.pairs(bench)]


class ClaimsMany(_Claims):
    name, title, bar, latency_ms = "claims-many", "durable claims, 1,000 envelopes", 0.42, 25


class ClaimsHot(_Claims):
    name, title, bar, latency_ms = "claims-hot", "durable claims, one hot envelope", 0.45, 25
    envelopes, shares = 1, 1000000


class ClaimsGroup(_ToAGroup, _Claims):
    name, title = "claims-group", "durable claims, 1,000 envelopes to a group, against those to anyone"


class _Opens(_Stored):
    note = f"{PAUSED}; tickets prepared, tokens seen for the first time"

    def requests(self, bench):
        signer = bench.stack.signer
        return [plan.open_(envelope, signer.token(user), signer.ticket(envelope, user))
                for envelope, user in self.pairs(bench)]


class OpensMany(_Opens):
    name, title, bar, latency_ms = "opens-many", "durable opens, 1,000 envelopes", 0.45, 25


class OpensHot(_Opens):
    name, title, bar, latency_ms = "opens-hot", "durable opens, one hot envelope", 0.50, 25
    envelopes, shares = 1, 1000000


class OpensManyLogged(OpensMany):
    name, title, bar, latency_ms = "opens-many-binlog", "  the same with log_bin=ON, sync_binlog=1", None, None
    mariadb = ("--log-bin=binlog", "--sync-binlog=1")
    slow = True


class OpensHotLogged(OpensHot):
    name, title, bar, latency_ms = "opens-hot-binlog", "  the hot one with log_bin=ON, sync_binlog=1", None, None
    mariadb = OpensManyLogged.mariadb
    slow = True


class Sends(RateScene):
    name, title, bar = "sends", "sends with an idempotency key, 1,000 senders", 0.35
    pool, answer_bytes, answer_status = "send", 480, 201
    expected = ("201 open",)

    def requests(self, bench):
        senders = bench.regulars(1000)
        bench.stack.top_up(senders)
        tokens = [bench.stack.signer.token(user) for user in senders]
        return [plan.send(tokens[i % len(tokens)], 1000, 10) for i in range(int(25000 * bench.seconds))]

    def check(self, bench, counts):
        (stored,), = bench.stack.sql("SELECT COUNT(*) FROM envelope")
        return "" if int(stored) == counts["201 open"] else f"{stored} envelopes are stored"


SCENES = (GrabsMany, GrabsHot, GrabsFirst, GrabsGroup, ClaimsMany, ClaimsHot, ClaimsGroup, OpensMany, OpensManyLogged, OpensHot, OpensHotLogged, Sends)
