"""What a small installation must answer: money, envelopes, claims, transfers. Knows no HTTP.

Only the draw of a lucky share and the moment of a credit are free; the model learns both from the answers."""
import collections
import dataclasses

GROUP = {0, 1, 2}  # users that are in the group


class Differs(Exception):
    """The service and the model differ."""


def need(condition, *what):
    if not condition:
        raise Differs(" ".join(map(str, what)))


@dataclasses.dataclass
class Claim:
    user: int
    amount: int
    seq: int
    opened_at: str
    thanks: object = None


@dataclasses.dataclass
class Envelope:
    id: str
    sender: int
    mode: str
    theme: str
    total: int
    shares: int
    cap: int
    to: object  # None, "group", or a set of users
    deadline: float
    state: str = "open"
    closed_by: object = None
    refunded: int = 0
    claims: list = dataclasses.field(default_factory=list)
    thanked: int = 0  # how often
    tickets: dict = dataclasses.field(default_factory=dict)  # by user

    @property
    def opened(self):
        return sum(claim.amount for claim in self.claims)

    @property
    def left(self):
        return self.total - self.opened - self.refunded

    def admits(self, user):
        return self.to is None or user in (GROUP if self.to == "group" else self.to)

    def claim_of(self, user):
        return next((claim for claim in self.claims if claim.user == user), None)

    def luckiest(self):
        """Return the largest claim of a closed lucky envelope, the earliest of equals, or None."""
        if self.mode == "equal" or not self.claims or self.state == "open":
            return None
        return max(self.claims, key=lambda claim: (claim.amount, -claim.seq))

    def may_be_busy(self, user):
        """Return True if all shares that are left are spoken for by other users' tickets."""
        waiting = [other for other in self.tickets if other != user and not self.claim_of(other)]
        return len(waiting) >= self.shares - len(self.claims)

    def check_amount(self, amount):
        """Check the amount of the next share."""
        seq, left = len(self.claims) + 1, self.shares - len(self.claims)
        rest, others = self.left - amount, left - 1
        if self.mode == "equal":
            need(amount == self.total // self.shares + (seq <= self.total % self.shares), "an equal share of", amount)
        need(1 <= amount <= self.cap, "a share of", amount)
        need(others <= rest <= others * self.cap, "after a share of", amount, rest, "is left for", others, "shares")


class Model:
    def __init__(self):
        self.envelopes = []
        self.money = collections.Counter()  # balance and what is pending
        self.pending = collections.defaultdict(dict)  # by user: amounts that may not be credited yet, by envelope
        self.rows = collections.defaultdict(list)  # by user: (kind, amount, envelope) of the ledger
        self.known = {}  # answers that are repeated, by key or reference

    def least(self, user):
        """Return the balance if nothing that may be pending is credited yet."""
        return self.money[user] - sum(self.pending[user].values())

    def can_pay(self, user, amount):
        """Return True, False, or None if it depends on what is credited."""
        if amount <= self.least(user):
            return True
        return False if amount > self.money[user] else None

    def book(self, user, kind, amount, envelope=None):
        self.money[user] += amount
        self.rows[user].append((kind, amount, envelope))

    def sent(self, envelope):
        self.envelopes.append(envelope)
        self.book(envelope.sender, "send", -envelope.total, envelope.id)

    def opened(self, envelope, user, amount, seq, opened_at):
        """A new claim."""
        need(envelope.state == "open", "a share of an envelope that is", envelope.state)
        need(seq == len(envelope.claims) + 1, "seq is", seq, "after", len(envelope.claims), "claims")
        envelope.check_amount(amount)
        envelope.claims.append(Claim(user, amount, seq, opened_at))
        self.book(user, "claim", amount, envelope.id)
        self.pending[user][envelope.id] = amount
        if seq == envelope.shares:
            envelope.state, envelope.closed_by = "sold_out", "claims"

    def expired(self, envelope, closed_by="deadline"):
        if envelope.state != "open":
            return
        envelope.state, envelope.refunded, envelope.closed_by = "expired", envelope.left, closed_by
        self.book(envelope.sender, "refund", envelope.refunded, envelope.id)

    def credited(self, user):
        """Nothing is pending."""
        self.pending[user].clear()
