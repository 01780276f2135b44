"""The audit reports one planted corruption of each invariant by its name."""
import json
import signal

import pytest

from service import wait_until

TABLES = ("account", "transfer", "envelope", "claim", "credit", "seed", "idempotency")
ONE_CLOSED = ("(SELECT id FROM (SELECT c.envelope_id AS id FROM claim c JOIN envelope e ON e.id = c.envelope_id "
              "WHERE e.state = 1 AND e.mode = 1 AND e.sender = '{alice}' LIMIT 1) one)")
ONE_OPEN = "(SELECT id FROM (SELECT id FROM envelope WHERE state = 0 AND sender = '{alice}' LIMIT 1) one)"
ONE_EXPIRED = "(SELECT id FROM (SELECT id FROM envelope WHERE state = 2 AND sender = '{alice}' LIMIT 1) one)"

ARCHIVE = ("archived_gone", "archived_in_file", "carried_in_file", "carried_sealed")
CORRUPTIONS = {
    "envelope_sums": f"UPDATE envelope SET refunded_fen = refunded_fen - 1 WHERE id = {ONE_EXPIRED}",
    "shares_bounded": f"UPDATE envelope SET opened_shares = shares WHERE id = {ONE_OPEN}",
    "claims_match_envelope": f"UPDATE claim SET amount_fen = amount_fen + 1 WHERE envelope_id = {ONE_CLOSED} AND seq = 1",
    "seq_without_holes": f"UPDATE claim SET seq = 9 WHERE envelope_id = {ONE_CLOSED} AND seq = 1",
    "share_within_cap": f"UPDATE envelope SET cap_fen = 1 WHERE id = {ONE_CLOSED}",
    "send_transfer": f"DELETE FROM transfer WHERE kind = 3 AND ref = {ONE_OPEN}",
    "claim_credited_once": "DELETE FROM credit WHERE user_id = '{bob}'",
    "no_credit_without_claim": f"INSERT INTO credit (user_id, envelope_id, lane, seq, amount_fen, opened_us) "
                               f"VALUES ('{{alice}}', {ONE_OPEN}, 0, 1, 1, 1)",
    "refund_transfer": f"UPDATE transfer SET user_id = '{{bob}}' WHERE kind = 5 AND ref = {ONE_EXPIRED}",
    "balance_is_postings": "UPDATE account SET balance_fen = balance_fen + 1 WHERE user_id = '{alice}'",
    "no_negative_balance": "UPDATE account SET balance_fen = -1 WHERE user_id = '{alice}'",
    "entries_without_holes": "UPDATE transfer SET entry = 77 WHERE user_id = '{alice}' AND entry = 2",
    "postings_sum_to_zero": "",  # a property of the view; see below
    "seed_only_while_open": f"DELETE FROM seed WHERE envelope_id = {ONE_OPEN}",
    "luckiest": f"UPDATE envelope SET luckiest_fen = luckiest_fen - 1 WHERE id = {ONE_CLOSED}",
    "idempotency_refs": "UPDATE idempotency SET ref = X'00000000000000000000000000000000' LIMIT 1",
    **dict.fromkeys(ARCHIVE, ""),  # see test_archive
    "markers": "",  # files, not rows; see below
    "draws": f"UPDATE envelope SET seed = REVERSE(seed) WHERE id = {ONE_CLOSED}",
}


@pytest.fixture(scope="module")
def books(service):
    """Books that contain every kind of row, while settle is stopped; with copies of all tables to restore."""
    from client import Client
    service.ctl("topup", "audit-alice", 10000)
    alice, bob, carol = (Client(service, service.token(f"audit-{n}")) for n in ("alice", "bob", "carol"))
    expired = alice.send(100, 3, expires_in=1).json["id"]
    bob.grab_and_open(expired)
    wait_until(lambda: alice.envelope(expired).json["state"] == "expired", 5, "expired")
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM credit") == [["0"]], 10, "credited")
    service.signal("settle", signal.SIGSTOP)
    sold = alice.send(200, 2).json["id"]
    for who in (bob, carol):
        who.grab_and_open(sold)
    alice.send(300, 3)
    for table in TABLES:
        service.sql(f"CREATE DATABASE IF NOT EXISTS kept; CREATE TABLE kept.{table} LIKE {table}; "
                    f"INSERT INTO kept.{table} SELECT * FROM {table}")
    yield {"alice": "audit-alice", "bob": "audit-bob"}
    service.sql("DROP DATABASE kept")
    service.signal("settle", signal.SIGCONT)
    for client in (alice, bob, carol):
        client.close()


def restore(service):
    service.sql("SET SESSION check_constraint_checks = 0; BEGIN; " +
                " ".join(f"DELETE FROM {t}; INSERT INTO {t} SELECT * FROM kept.{t};" for t in TABLES) + " COMMIT")


def test_every_invariant_has_a_corruption(service, books):
    report = json.loads(service.ctl("audit", "--json").stdout)
    assert report["ok"] is True
    assert {i["name"] for i in report["invariants"]} == set(CORRUPTIONS)
    for invariant in report["invariants"]:
        assert (invariant["rows"] > 0) == (invariant["name"] not in ARCHIVE) and invariant["violations"] == 0, invariant
        assert invariant["meaning"] and invariant["example"] is None


@pytest.mark.parametrize("name", [n for n, sql in CORRUPTIONS.items() if sql])
def test_corruption_is_reported(service, books, name):
    assert service.audit() == {}
    try:
        service.sql("SET SESSION check_constraint_checks = 0; " + CORRUPTIONS[name].format(**books))
        wrong = service.audit()
        assert name in wrong, wrong
        assert wrong[name]["violations"] >= 1 and wrong[name]["example"]
        text = service.ctl("audit", check=False)
        assert text.returncode == 1 and any(line.startswith(name) and "WRONG" in line
                                            for line in text.stdout.splitlines())
    finally:
        restore(service)


def test_broken_posting_view_is_reported(service, books):
    """Both postings of a transfer come from one row and always sum to zero, so corrupt the view instead."""
    definition = service.sql("SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_NAME = 'posting' "
                             "AND TABLE_SCHEMA = 'hongbao'")[0][0]
    try:
        service.sql("CREATE OR REPLACE VIEW posting AS SELECT user_id AS owner, id AS journal_id, user_id AS account, "
                    "amount_fen, at_us FROM transfer")
        assert "postings_sum_to_zero" in service.audit()
    finally:
        service.sql(f"CREATE OR REPLACE VIEW posting AS {definition}")
    assert service.audit() == {}


def test_marker_of_an_open_envelope_is_reported(service, books):
    envelope = service.sql("SELECT LOWER(HEX(id)) FROM envelope WHERE state = 0 AND sender = 'audit-alice' LIMIT 1")[0][0]
    name = "-".join((envelope[:8], envelope[8:12], envelope[12:16], envelope[16:20], envelope[20:]))
    tree = service.directory / "markers/current"
    marker = tree / name[-2:] / name
    marker.write_bytes((tree / "sold_out").read_bytes())
    try:
        assert service.audit()["markers"]["example"] == name
        done = service.ctl("doctor", check=False)
        assert done.returncode == 1 and f"state an end that the database does not have, e.g. {name}" in done.stdout
    finally:
        marker.unlink()
    assert service.audit() == {}
