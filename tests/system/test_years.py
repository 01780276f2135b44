"""Years begin at the configured offset: at +08:00, New Year is 31 December 16:00 UTC."""
import datetime
import os
import signal
import sys
import uuid

import pytest

from service import SOURCE, wait_until

sys.path.insert(0, str(SOURCE / "tools"))
from verify import seed_hash  # noqa: E402

NEW_YEAR = int(datetime.datetime(2024, 12, 31, 16, tzinfo=datetime.timezone.utc).timestamp()) * 1000000
TIMES = {"just before": NEW_YEAR - 1, "at": NEW_YEAR, "just after": NEW_YEAR + 1}


def id_at(time_us):
    """Return a UUIDv7 of that time."""
    number = (time_us // 1000) << 80 | 7 << 76 | 2 << 62 | int.from_bytes(os.urandom(7), "big")
    return uuid.UUID(int=number)


def plant(service, sender, winner, total, time_us):
    """Insert an envelope of one share, sent, opened and sold out at that time, with its credit pending."""
    ident, seed, transfer = id_at(time_us), os.urandom(32), id_at(time_us)
    promise = seed_hash(ident.bytes, "lucky", total, 1, 20000, seed)
    service.sql(
        "BEGIN; "
        f"INSERT INTO envelope VALUES (X'{ident.hex}', '{sender}', '{sender}', 1, {total}, 1, 20000, 'old', 0, '', 1, 1, "
        f"{total}, 0, {time_us}, {time_us + 86400000000}, {time_us}, X'{promise}', X'{seed.hex()}', 1, {total}, "
        f"'{winner}', '{winner}', 2, 0, 0, 1); "
        f"UPDATE account SET balance_fen = balance_fen - {total}, entries = entries + 1 WHERE user_id = '{sender}'; "
        f"INSERT INTO transfer (user_id, id, kind, ref, amount_fen, at_us, booked_us, entry) SELECT '{sender}', "
        f"X'{transfer.hex}', 3, X'{ident.hex}', {total}, {time_us}, {time_us}, entries FROM account WHERE user_id = '{sender}'; "
        f"INSERT INTO claim VALUES (X'{ident.hex}', '{winner}', '{winner}', {total}, 1, {time_us}, 0); "
        f"INSERT INTO credit (user_id, envelope_id, lane, seq, amount_fen, opened_us) "
        f"VALUES ('{winner}', X'{ident.hex}', 3, 1, {total}, {time_us}); "
        f"INSERT INTO closing VALUES (X'{ident.hex}'); COMMIT")
    return str(ident)


@pytest.fixture(scope="module")
def planted(service):
    """Three envelopes around the turn of a year, inserted while settle is stopped."""
    service.ctl("topup", "year-sender", 1000)
    service.signal("settle", signal.SIGSTOP)
    made = {}
    for number, (name, time_us) in enumerate(TIMES.items()):
        made[name] = plant(service, "year-sender", "year-winner", 10 + number, time_us)
    yield made
    service.signal("settle", signal.SIGCONT)


def check(service, planted):
    from client import Client
    sender = Client(service, service.token("year-sender"))
    winner = Client(service, service.token("year-winner"))
    before, after = [planted["just before"]], [planted["just after"], planted["at"]]
    for year, ids, total in ((2024, before, 10), (2025, after, 23), (2023, [], 0)):
        sent = sender.get(f"/v1/me/sent?year={year}").json
        assert (sent["year"], sent["count"], sent["total"], sent["refunded"]) == (year, len(ids), total, 0)
        assert sorted(i["id"] for i in sent["items"]) == sorted(ids)
        received = winner.get(f"/v1/me/received?year={year}").json
        assert (received["count"], received["total"], received["luckiest_count"]) == (len(ids), total, len(ids))
        assert sorted(i["envelope"] for i in received["items"]) == sorted(ids)
        assert all(i["luckiest"] for i in received["items"])
    item, = winner.get("/v1/me/received?year=2024").json["items"]
    assert item["opened_at"] == "2024-12-31T15:59:59.999Z"
    sender.close()
    winner.close()


def test_years_before_settle_ran(service, planted):
    check(service, planted)


def test_years_after_settle_ran(service, planted):
    service.signal("settle", signal.SIGCONT)
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM credit WHERE user_id = 'year-winner'") == [["0"]], 5, "booked")
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM closing") == [["0"]], 5, "year totals are updated")
    check(service, planted)
    rows = service.sql("SELECT year, sent_count, sent_fen FROM year_total WHERE user_id = 'year-sender' ORDER BY year")
    assert rows == [["2024", "1", "10"], ["2025", "2", "23"]]
    assert service.audit() == {}


def test_default_is_the_current_year(service, user):
    """Without a year parameter, the current year at the offset is used."""
    alice = user(money=10)
    alice.send(10, 1)
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    assert alice.get("/v1/me/sent").json["year"] == now.year
    assert alice.get("/v1/me/sent").json["count"] == 1
