"""References, replays and the ledger, as back ends and their book-keepers see them."""
import hashlib
import json
import signal
import threading
import time
import uuid

import pytest

from client import Client
from service import SOURCE, Service, wait_until
from test_restored import database_only
from test_years import id_at


def move(service, backend, user, amount, reference, key=None, route="topups"):
    client = Client(service, service.token(backend, kind="wallet"))
    answer = client.request("POST", f"/v1/{route}", {"user": user, "amount": amount, "reference": reference},
                            {"Idempotency-Key": key or uuid.uuid4().hex})
    client.close()
    return answer


def replayed(answer):
    assert answer.status in (200, 201), answer
    return answer.headers.get("Idempotent-Replayed") == "true"


def ledger(client, limit=100):
    """Yield all rows, newest first."""
    after = ""
    while True:
        page = client.get(f"/v1/me/ledger?limit={limit}{after}").json
        yield from page["items"]
        if page["next"] is None:
            return
        after = f"&after={page['next']}"


def test_references_belong_to_back_ends(service, user, anybody):
    alice = user(money=10)
    first = move(service, "shop-a", alice.user, 500, "order-17")
    other = move(service, "shop-b", alice.user, 500, "order-17")
    assert not replayed(first) and not replayed(other)
    assert (first.json["balance"], other.json["balance"]) == (510, 1010)
    for backend, answer in (("shop-a", first), ("shop-b", other)):
        again = move(service, backend, alice.user, 500, "order-17")
        assert replayed(again) and again.json == answer.json
    assert move(service, "shop-b", alice.user, 501, "order-17").code == "reference_reused"
    out = move(service, "shop-b", alice.user, 500, "order-17", route="withdrawals")
    assert not replayed(out) and out.json["balance"] == 510
    service.ctl("topup", alice.user, 7, "--ref", "order-17")
    service.ctl("topup", alice.user, 7, "--ref", "order-17")
    guest = anybody.request("POST", "/v1/guests", {}).json
    assert not replayed(move(service, "shop-a", alice.user, 3, guest["user"]))
    assert alice.get("/v1/me").json["balance"] == 520
    assert service.audit() == {}


def test_every_replay_says_so(service, user):
    alice, bob = user(money=1000), user()
    key = uuid.uuid4().hex
    first = alice.send(100, 3, key=key)
    again = alice.send(100, 3, key=key)
    assert not replayed(first) and replayed(again) and again.json == first.json
    ticket = bob.grab(first.json["id"]).json["ticket"]
    opened = bob.open(first.json["id"], ticket)
    again = bob.open(first.json["id"], ticket)
    assert not replayed(opened) and replayed(again) and again.json == opened.json
    carol = user()
    claimed, again = carol.claim_until_final(first.json["id"]), carol.claim_until_final(first.json["id"])
    assert not replayed(claimed) and replayed(again) and again.json == claimed.json
    for route, balance in (("topups", 901), ("withdrawals", 900)):
        key, reference = uuid.uuid4().hex, uuid.uuid4().hex
        first = move(service, "shop", alice.user, 1, reference, key, route)
        again = move(service, "shop", alice.user, 1, reference, key, route)
        assert not replayed(first) and replayed(again) and again.json == first.json
        assert first.json["balance"] == balance
    refused = alice.send(1001, 2, key="refused")
    assert refused.code == "insufficient_funds" and "Idempotent-Replayed" not in refused.headers


OTHER = ["limits.greeting_default=other", "limits.share_cap=20", "limits.greeting_max=3", "limits.expires_max=3600",
         "limits.expires_default=1800", "limits.shares_max=10", "limits.sent_per_day=1", "site.demo=no"]
SENDS = {"plain": {}, "greeting": {"greeting": "four"}, "expires": {"expires_in": 604800}}


def test_a_replay_does_not_depend_on_settings():
    s = Service().start()
    try:
        s.ctl("topup", "alice", 100000)
        alice = Client(s, s.token("alice"))
        first = {key: alice.send(2000, 20, key=key, **more).json for key, more in SENDS.items()}
        named = alice.send(10, 1, key="named", to={"users": ["bob"]}).json
        top = move(s, "shop", "alice", 5, "order", "key")
        s.stop()
        s.settings += OTHER
        s.start()
        alice = Client(s, s.token("alice"))
        for key, more in SENDS.items():
            again = alice.send(2000, 20, key=key, **more)
            assert replayed(again) and again.json == first[key], key
            assert alice.send(2001, 20, key=key, **more).code == "idempotency_key_reused"
            refused = alice.send(2000, 20, **more)
            assert refused.code == "invalid_request" and refused.json["limit"] > 0
        assert alice.send(10, 1, key="named", to={"users": ["bob"]}).json == named
        again = move(s, "shop", "alice", 5, "order", "key")
        assert replayed(again) and again.json == top.json
        refused = alice.send(2, 1)
        assert (refused.code, refused.json["limit"]) == ("limit_exceeded", 1)
        assert alice.get("/v1/me").json["balance"] == 100005 - 3 * 2000 - 10
        assert s.audit() == {}
    finally:
        s.remove()


class Reader(threading.Thread):
    """Follows a ledger from the front to the newest row it knows, as fast as it can."""

    def __init__(self, client):
        super().__init__()
        self.client = client
        self.rows = []  # oldest first
        self.done = threading.Event()

    def poll(self):
        new, known = [], self.rows[-1]["id"] if self.rows else None
        for row in ledger(self.client, limit=3):
            if row["id"] == known:
                break
            new.insert(0, row)
        self.rows += new

    def run(self):
        while not self.done.is_set():
            self.poll()
        self.poll()


def test_a_reader_that_polls_misses_nothing(service, user):
    """Credits booked late beside sends, top-ups, withdrawals and refunds of one account."""
    alice, bob = user(money=100000), user(money=100000)
    reader = Reader(Client(service, alice.token))
    reader.start()
    stop = threading.Event()

    def halt_settle():
        while not stop.is_set():
            service.signal("settle", signal.SIGSTOP)
            time.sleep(0.3)
            service.signal("settle", signal.SIGCONT)
            time.sleep(0.3)

    def gifts():
        mine, giver = Client(service, alice.token), Client(service, bob.token)
        for _ in range(25):
            mine.grab_and_open(giver.send(10, 1).json["id"])

    def sends():
        mine = Client(service, alice.token)
        for _ in range(25):
            mine.send(10, 2, expires_in=1)

    def moves():
        for i in range(25):
            move(service, "shop", alice.user, 10, f"in-{alice.user}-{i}")
            move(service, "shop", alice.user, 10, f"out-{alice.user}-{i}", route="withdrawals")

    halting = threading.Thread(target=halt_settle)
    work = [threading.Thread(target=f) for f in (gifts, sends, moves)]
    for thread in [halting, *work]:
        thread.start()
    for thread in work:
        thread.join()
    stop.set()
    halting.join()
    rows = 1 + 4 * 25 + 25
    wait_until(lambda: len(list(ledger(alice))) == rows, 30, "all credits and refunds are booked")
    reader.done.set()
    reader.join()
    assert [row["id"] for row in reader.rows] == [row["id"] for row in ledger(alice)][::-1]
    times = [row["at"] for row in reader.rows]
    assert times == sorted(times)
    claims = [row for row in reader.rows if row["kind"] == "claim"]
    assert len(claims) == 25 and all(row["opened_at"] <= row["at"] for row in claims)
    assert all("opened_at" not in row for row in reader.rows if row["kind"] != "claim")
    late = [row for row in claims if any(r["at"] > row["opened_at"] for r in reader.rows[:reader.rows.index(row)])]
    assert late, "no credit was booked after a later movement: the test tried nothing"


# ---- rows of version 0.1 ----

PATCHES_0_1 = ("0001_initial.sql", "0002_freeze.sql")
TABLES_0_1 = ("account", "transfer", "envelope", "claim", "credit", "seed", "closing", "year_total", "idempotency", "meta")


def back_to_0_1(service):
    """Replace the database by one with the tables of version 0.1 and the rows of now."""
    patches = [(SOURCE / "sql" / name).read_text() for name in PATCHES_0_1]
    service.sql("CREATE DATABASE old; USE old; " + "".join(patches))
    for table in TABLES_0_1:
        names = [row[0] for row in service.sql("SELECT column_name FROM information_schema.columns WHERE "
                                               f"table_schema = 'old' AND table_name = '{table}' ORDER BY ordinal_position")]
        service.sql(f"INSERT INTO old.{table} ({','.join(names)}) SELECT {','.join(names)} FROM {table}")
    service.stop()
    database = database_only(service)
    service.sql("DROP DATABASE hongbao; CREATE DATABASE hongbao CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; USE hongbao; " +
                "".join(patches) + "".join(f"REPLACE INTO {table} SELECT * FROM old.{table};" for table in TABLES_0_1) +
                "CREATE TABLE schema_version (version INT NOT NULL, applied_us BIGINT NOT NULL, PRIMARY KEY (version)); "
                "INSERT INTO schema_version VALUES (1, 1), (2, 1); DROP DATABASE old")
    database.terminate()
    database.wait()


def hash_0_1(greeting, expires_in):
    return hashlib.sha256(f"1\n100\n3\n{expires_in}\n{greeting}\n0\n".encode()).hexdigest()


@pytest.fixture(scope="module")
def migrated():
    """An installation that version 0.1 began; what it had before is in `before`."""
    s = Service(["limits.expires_min=1"]).start()
    try:
        s.ctl("topup", "alice", 5000, "--ref", "order-17")
        alice, bob = Client(s, s.token("alice")), Client(s, s.token("bob"))
        guest = bob.request("POST", "/v1/guests", {}).json
        first = alice.send(100, 3, key="old-key").json
        bob.grab_and_open(first["id"])
        gone = alice.send(100, 3, expires_in=1).json["id"]
        alice.grab_and_open(first["id"])
        wait_until(lambda: alice.envelope(gone).json["state"] == "expired", 10, "expired")
        wait_until(lambda: s.sql("SELECT COUNT(*) FROM credit") == [["0"]], 10, "credited")
        lists = {name: [row["id"] for row in ledger(Client(s, s.token(name)))] for name in ("alice", "bob")}
        key = s.sql("SELECT LOWER(HEX(key_hash)) FROM idempotency ORDER BY created_us LIMIT 1")[0][0]
        s.sql(f"UPDATE idempotency SET body_hash = X'{hash_0_1(first['greeting'], 86400)}' WHERE key_hash = X'{key}'")
        back_to_0_1(s)
        s.settings += ["limits.greeting_default=another", "limits.expires_default=7200"]
        s.before = {"send": first, "lists": lists, "guest": guest}
        s.start()
        yield s
    finally:
        s.remove()


def test_books_agree_after_the_patches(migrated):
    assert migrated.audit() == {}
    assert [row[0] for row in migrated.sql("SELECT version FROM schema_version ORDER BY version")] == \
        [str(int(path.name[:4])) for path in sorted((SOURCE / "sql").glob("0*.sql"))]
    entries = migrated.sql("SELECT a.user_id, a.entries, COUNT(*), MAX(t.entry) FROM account a JOIN transfer t "
                           "USING (user_id) GROUP BY a.user_id")
    assert all(row[1] == row[2] == row[3] for row in entries), entries
    guest = migrated.before["guest"]["user"]
    assert migrated.sql(f"SELECT backend FROM transfer WHERE user_id = '{guest}'") == [["demo guests"]]


def test_old_rows_keep_their_order_and_new_ones_come_first(migrated):
    for name, before in migrated.before["lists"].items():
        client = Client(migrated, migrated.token(name))
        rows = list(ledger(client))
        assert sorted(row["id"] for row in rows) == sorted(before)
        assert [row["id"] for row in rows] == sorted(before, reverse=True)  # as version 0.1 listed them
        assert all(row["opened_at"] == row["at"] for row in rows if row["kind"] == "claim")
        migrated.ctl("topup", name, 1)
        assert [row["id"] for row in ledger(client)][1:] == [row["id"] for row in rows]
    assert migrated.audit() == {}


def test_rows_of_programs_that_still_run_are_numbered(migrated):
    """Programs of version 0.1 book without an entry; the row appears in front once settle has numbered it."""
    bob = Client(migrated, migrated.token("bob"))
    before = [row["id"] for row in ledger(bob)]
    rows = {id_at(time_us).hex: time_us for time_us in (1, int(time.time() * 1e6))}
    for number, time_us in rows.items():
        migrated.sql("BEGIN; UPDATE account SET balance_fen = balance_fen + 3 WHERE user_id = 'bob'; INSERT INTO transfer "
                     "(user_id, id, kind, ref, amount_fen, at_us, balance_fen) VALUES "
                     f"('bob', X'{number}', 1, 'of-0.1-{number}', 3, {time_us}, 3); COMMIT")
    wait_until(lambda: len(list(ledger(bob))) == len(before) + 2, 20, "numbered")
    migrated.ctl("topup", "bob", 1)
    after = [row["id"] for row in ledger(bob)]
    assert after[3:] == before and {row.replace("-", "") for row in after[1:3]} == set(rows)
    assert migrated.audit() == {}


def test_old_keys_and_references_are_replayed(migrated):
    alice = Client(migrated, migrated.token("alice"))
    balance = alice.get("/v1/me").json["balance"]
    again = alice.send(100, 3, key="old-key")
    assert replayed(again) and again.json == migrated.before["send"]
    assert alice.send(101, 3, key="old-key").code == "idempotency_key_reused"
    for backend in ("shop-a", "shop-b"):
        assert replayed(move(migrated, backend, "alice", 5000, "order-17"))
        assert move(migrated, backend, "alice", 5001, "order-17").code == "reference_reused"
    assert alice.get("/v1/me").json["balance"] == balance
    for backend in ("shop-a", "shop-b"):
        assert not replayed(move(migrated, backend, "alice", 1, "order-18"))
    assert alice.get("/v1/me").json["balance"] == balance + 2
    assert migrated.audit() == {}
    assert json.loads(migrated.ctl("show", "alice").stdout)
