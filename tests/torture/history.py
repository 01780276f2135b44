"""What clients did: each operation invoked, and ok, failed or unknown, by monotonic time."""
import dataclasses
import threading

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"


@dataclasses.dataclass
class Operation:
    kind: str          # send grab open look topup withdraw
    user: str
    key: str           # what makes repeats one: Idempotency-Key, envelope id, reference
    arguments: dict
    invoked: int       # monotonic ns
    returned: int = 0
    outcome: str = UNKNOWN
    status: int = 0
    reply: dict = dataclasses.field(default_factory=dict)


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.operations = []

    def add(self, operation):
        with self.lock:
            self.operations.append(operation)


@dataclasses.dataclass
class Tables:
    """The database in the end. Amounts are integers, ids 32 hex digits."""
    envelopes: dict  # id -> {sender mode total shares cap greeting state opened_shares opened refunded seed seed_hash}
    claims: dict     # (envelope, user) -> {seq amount}; a second of a user is in doubles
    transfers: list  # {user kind ref amount}; kind 1 topup 2 withdraw 3 send 4 claim 5 refund
    balances: dict   # user -> amount
    pending: set     # (envelope, user) still to be credited
    doubles: list = dataclasses.field(default_factory=list)


STATES = ("open", "sold_out", "expired")


def read_tables(service):
    """One snapshot of the tables."""
    envelopes, claims, doubles = {}, {}, []
    names = ("sender", "mode", "total", "shares", "cap", "greeting", "state", "opened_shares", "opened", "refunded",
             "seed", "seed_hash")
    for row in service.sql("SELECT LOWER(HEX(e.id)), sender, mode, total_fen, shares, cap_fen, greeting, state, "
                           "opened_shares, opened_fen, refunded_fen, LOWER(HEX(COALESCE(e.seed, s.seed))), "
                           "LOWER(HEX(seed_hash)) FROM envelope e LEFT JOIN seed s ON s.envelope_id = e.id"):
        e = dict(zip(names, row[1:]))
        for name in ("mode", "total", "shares", "cap", "state", "opened_shares", "opened", "refunded"):
            e[name] = int(e[name])
        e["mode"], e["state"] = ("", "lucky", "equal")[e["mode"]], STATES[e["state"]]
        envelopes[row[0]] = e
    for envelope, user, seq, amount in service.sql(
            "SELECT LOWER(HEX(envelope_id)), user_id, seq, amount_fen FROM claim"):
        if (envelope, user) in claims:
            doubles.append((envelope, user))
        claims[envelope, user] = {"seq": int(seq), "amount": int(amount)}
    transfers = [{"user": user, "kind": int(kind), "ref": ref, "amount": int(amount)} for user, kind, ref, amount in
                 service.sql("SELECT user_id, kind, LOWER(HEX(ref)), amount_fen FROM transfer")]
    balances = {user: int(amount) for user, amount in service.sql("SELECT user_id, balance_fen FROM account")}
    pending = {tuple(row) for row in service.sql("SELECT LOWER(HEX(envelope_id)), user_id FROM credit")}
    return Tables(envelopes, claims, transfers, balances, pending, doubles)
