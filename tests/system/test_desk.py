"""The operator's desk: the questions that an operator is asked, and the row that every act leaves."""
import csv
import datetime
import io
import json
import subprocess
import uuid

import pytest

from client import Client
from foreign import Foreign
from service import BUILD, wait_until

DONE, WRONG, USAGE = 0, 1, 2


def new_user():
    return "d" + uuid.uuid4().hex[:12]


def acts(service, subject):
    return service.sql(f"SELECT what, operator_name, why, outcome FROM act WHERE subject = '{subject}' ORDER BY id")


def operator():
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("text, fen", [("12.34", 1234), ("0.01", 1), ("1234fen", 1234), ("1234", 1234), ("7.00", 700)])
def test_amounts(service, text, fen):
    user = new_user()
    service.ctl("topup", user, text)
    assert service.sql(f"SELECT balance_fen FROM account WHERE user_id = '{user}'") == [[str(fen)]]


@pytest.mark.parametrize("text", ["12.3", "12.345", ".50", "1.-1", "0.00", "0fen", "fen", "12.34fen", "1,00", "10000000000.01", "-1.00", "01.00"])
def test_wrong_amounts(service, text):
    done = service.ctl("topup", "--create", "--", new_user(), text, check=False)
    assert done.returncode == USAGE and not done.stdout


def test_topup_of_an_unknown_user_asks_for_create(service):
    user = new_user()
    done = service.ctl("topup", user, "1.00", check=False)
    assert done.returncode == WRONG and "--create" in done.stderr
    assert service.sql(f"SELECT COUNT(*) FROM account WHERE user_id = '{user}'") == [["0"]]
    service.ctl("topup", user, "1.00", "--create", "--why", "welcome")
    assert service.ctl("topup", user, "1.00", check=False).returncode == DONE
    first, second, third = acts(service, user)
    assert first == ["topup", operator(), "", "not_found"]
    assert second[:3] == ["topup", operator(), "welcome"] and f"{user} has 100 fen" in second[3]
    assert f"{user} has 200 fen" in third[3]


def test_block_and_unblock(service, user):
    alice, bob = user(money=1000), user(money=100)
    envelope = alice.send(100, 5).json["id"]
    ticket = bob.grab(envelope).json["ticket"]
    assert service.ctl("user", "block", bob.user, check=False).returncode == USAGE  # without a reason
    service.ctl("user", "block", bob.user, "--why", "spam, see ticket 12")
    wait_until(lambda: bob.grab(envelope).code == "user_blocked", 5, "grabs are refused")
    wait_until(lambda: bob.open(envelope, "x" + ticket).code == "user_blocked", 5, "opens are refused")
    wait_until(lambda: bob.claim(alice.send(100, 5).json["id"]).code == "user_blocked", 5, "claims are refused")
    wait_until(lambda: bob.send(101, 1).code == "user_blocked", 5, "sends are refused")
    assert bob.grab(envelope).status == 403
    assert bob.get("/v1/me").json["balance"] == 100 and bob.envelope(envelope).status == 200  # looks are not
    shown = service.ctl("user", "show", bob.user).stdout
    assert "blocked       yes" in shown and "balance       1.00" in shown
    assert "BLOCKED" in service.ctl("user", "list", bob.user).stdout
    service.ctl("user", "unblock", bob.user, "--why", "appeal granted")
    wait_until(lambda: bob.send(10, 1).status == 201, 5, "sends again")
    wait_until(lambda: bob.open(envelope, ticket).state == "opened", 5, "opens again")
    assert [row[:3] for row in acts(service, bob.user)][-2:] == [["block", operator(), "spam, see ticket 12"],
                                                                 ["unblock", operator(), "appeal granted"]]


def test_block_holds_after_a_restart(service, user):
    alice = user(money=100)
    service.ctl("user", "block", alice.user, "--why", "test")
    service.kill_and_wait("send")
    wait_until(lambda: alice.send(10, 1).status != 503, 10, "the pool answers")
    assert alice.send(10, 1).code == "user_blocked"
    service.ctl("user", "unblock", alice.user, "--why", "test")


def test_limits_of_one_user(service, user):
    alice = user(money=1000)
    service.ctl("user", "limits", alice.user, "--sent-per-day", "1.50", "--why", "a child")
    wait_until(lambda: alice.send(1001, 1).code == "limit_exceeded", 5, "the limit holds")
    assert alice.send(150, 1).status == 201 and alice.send(1, 1).code == "limit_exceeded"
    assert alice.send(1, 1).json["limit"] == 150
    assert "sent per day  1.50" in service.ctl("user", "show", alice.user).stdout
    service.ctl("user", "limits", alice.user, "--sent-per-day", "default", "--why", "grown up")
    wait_until(lambda: alice.send(1001, 1).code == "insufficient_funds", 5, "the setting holds again")
    assert alice.send(151, 1).status == 201


def test_freeze_and_close(service, user):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 2).json["id"]
    ticket = bob.grab(envelope).json["ticket"]
    assert f"{envelope}: frozen" in service.ctl("envelope", "freeze", envelope, "--why", "disputed").stdout
    assert service.ctl("envelope", "freeze", envelope, "--why", "again", check=False).returncode == WRONG
    assert bob.open(envelope, ticket).status == 503
    assert f"{envelope} by_operator" in service.ctl("frozen", check=False).stdout
    assert envelope in service.ctl("envelope", "list", "--frozen").stdout
    service.ctl("envelope", "unfreeze", envelope, "--why", "settled")
    won = bob.open(envelope, ticket).json["amount"]
    closed = service.ctl("envelope", "close", envelope, "--why", "asked by alice").stdout
    assert f"1 of 2 shares opened, {100 - won} fen refunded" in closed
    assert [(row[0], row[2]) for row in acts(service, envelope)] == [
        ("freeze", "disputed"), ("freeze", "again"), ("unfreeze", "settled"), ("close", "asked by alice")]
    assert json.loads(service.ctl("envelope", "show", envelope).stdout)["state"] == "expired"
    listed = service.ctl("envelope", "list", "--sender", alice.user).stdout.splitlines()
    assert len(listed) == 1 and envelope in listed[0] and "expired" in listed[0] and "1.00" in listed[0]
    assert service.ctl("envelope", "list", "--sender", alice.user, "--open").stdout == ""


def test_history(service, user):
    """"My friend did not get it": one command shows what became of an envelope or of a user's money."""
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 2).json["id"]
    won = bob.grab_and_open(envelope).json["amount"]
    wait_until(lambda: bob.get("/v1/me").json["pending"] == 0, 10, "credited")
    service.ctl("close", envelope, "--why", "test")
    lines = service.ctl("history", envelope).stdout.splitlines()
    whats = [line.split()[1] for line in lines]
    assert whats[:3] == ["send", "claim", "credited"] and sorted(whats[3:]) == ["close", "closed", "refund"]
    assert f"{won / 100:.2f}" in lines[1] and bob.user in lines[1] and "#1" in lines[1]
    mine = service.ctl("history", bob.user).stdout
    assert "claim" in mine and envelope in mine
    assert service.ctl("user", "ledger", bob.user).stdout == mine
    assert service.ctl("history", "nobody-" + bob.user, check=False).returncode == WRONG


def test_totals(service, user):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 2).json["id"]
    bob.grab_and_open(envelope)
    text = service.ctl("totals").stdout
    values = dict(line.rsplit(None, 1) for line in text.splitlines()[:-1])
    values = {name.strip(): round(float(value) * 100) for name, value in values.items()}
    assert values["difference"] == 0
    assert values["in the system"] == values["topped up"] - values["withdrawn"]
    assert values["in open envelopes"] > 0


def test_report(service, user):
    alice = user(money=10_000_000, groups=["desk-group"])
    alice.send(9_000_000, 500)
    alice.send(300, 2, to={"group": "desk-group"})
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y-%m-%d")
    text = service.ctl("report", "--from", today, "--to", today).stdout
    assert today in text.split("By sender")[0]
    senders = text.split("By sender")[1].split("By group")[0]
    assert alice.user in senders and "90003.00" in senders
    assert "desk-group" in text.split("By group")[1] and "3.00" in text.split("By group")[1]
    assert alice.user not in service.ctl("report", "--from", "2001-01-01", "--to", "2001-01-31").stdout
    for wrong in ("2026-13-01", "2026-02-30", "yesterday", "2026-1-1"):
        assert service.ctl("report", "--from", wrong, check=False).returncode == USAGE


def test_export_adds_up(service, user):
    alice, bob = user(money=1000), user()
    bob.grab_and_open(alice.send(100, 1).json["id"])
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM credit") == [["0"]], 20, "credited")
    service.signal("settle", 19)
    try:
        rows = list(csv.DictReader(io.StringIO(service.ctl("export", "--csv").stdout)))
        balances = dict(service.sql("SELECT user_id, balance_fen FROM account"))
    finally:
        service.signal("settle", 18)
    closing = {row["account"]: row["balance"] for row in rows if row["kind"] == "closing"}
    assert {user: round(float(text) * 100) for user, text in closing.items()} == {u: int(b) for u, b in balances.items()}
    mine = [row for row in rows if row["account"] == alice.user]
    assert [row["kind"] for row in mine] == ["opening", "topup", "send", "closing"]
    assert [row["balance"] for row in mine] == ["0.00", "10.00", "9.00", "9.00"]
    assert service.audit() == {}


def test_support_reads_and_changes_nothing(service, user):
    alice = user(money=100)

    def run(statement):
        return subprocess.run(["mariadb", f"--defaults-file={service.directory}/secrets/support.cnf", "-S",
                               f"{service.directory}/run/db.sock", "hongbao", "-e", statement],
                              capture_output=True, text=True, check=False)
    assert run("SELECT COUNT(*) FROM account, act, user_rule").returncode == 0
    for statement in ("UPDATE account SET balance_fen = 1", "SELECT seed FROM seed", "INSERT INTO user_rule VALUES ('a', 1, 1)",
                      "DELETE FROM act", "SELECT * FROM idempotency", "UPDATE act SET outcome = ''", "DROP TABLE act"):
        done = run(statement)
        assert done.returncode != 0 and "denied" in done.stderr, statement
    # with that file alone, the reading commands work and acts do not
    config = service.directory / "support.conf"
    text = (service.directory / "hongbao.conf").read_text()
    for role in ("desk", "settle", "send", "audit", "query"):
        text = text.replace(f"/secrets/{role}.cnf", f"/nowhere/{role}.cnf")
    config.write_text(text)

    def ctl(*arguments):
        return subprocess.run([f"{BUILD}/hongbaoctl", "--config", str(config), *arguments], capture_output=True, text=True,
                              check=False)
    for arguments in (["user", "show", alice.user], ["user", "list"], ["history", alice.user], ["totals"], ["envelope", "list"],
                      ["show", alice.user], ["report"]):
        assert ctl(*arguments).returncode == DONE, arguments
    assert ctl("user", "block", alice.user, "--why", "no").returncode not in (DONE, WRONG)
    assert acts(service, alice.user)[1:] == []


def test_anonymous_client_is_not_blocked(service, user):
    alice = user(money=100)
    envelope = alice.send(10, 1).json["id"]
    anybody = Client(service)
    assert anybody.get(f"/v1/envelopes/{envelope}").status == 200
    anybody.close()


def test_forget(service, user):
    alice, bob = user(money=1000, name="Alice Wunder"), user(name="Bob Baumeister")
    envelope = alice.send(100, 2, greeting="for my dear friends").json["id"]
    bob.grab_and_open(envelope)
    service.ctl("envelope", "freeze", envelope, "--why", "alice wunder called")
    service.ctl("envelope", "unfreeze", envelope, "--why", "settled")
    assert alice.envelope(envelope).json["sender"]["name"] == "Alice Wunder"

    def refused(client, reason):
        done = service.ctl("forget", client.user, "--why", "request 7", check=False)
        assert done.returncode == WRONG and reason in done.stdout, done.stdout + done.stderr
        assert service.sql(f"SELECT COUNT(*) FROM user_rule WHERE blocked = 1 AND user_id = '{client.user}'") == [["0"]]
    assert service.ctl("forget", alice.user, check=False).returncode == USAGE  # without a reason
    assert service.ctl("forget", "nobody-" + alice.user, "--why", "request 7", check=False).returncode == WRONG
    refused(alice, "an envelope is open")
    service.ctl("close", envelope, "--why", "test")
    wait_until(lambda: alice.get("/v1/me").json["balance"] > 900, 10, "refunded")
    refused(alice, "the balance is")
    data = json.loads(service.ctl("export", alice.user).stdout)
    assert data["name"] == "Alice Wunder" and data["balance"] == alice.get("/v1/me").json["balance"]
    assert {"Alice Wunder", "for my dear friends"} <= {row["text"] for row in data["texts"]}
    assert {"topup", "send", "refund", "forget"} == {row["what"] for row in data["history"]}
    for client in (alice, bob):
        wait_until(lambda: client.get("/v1/me").json["pending"] == 0, 10, "credited")
        service.ctl("withdraw", client.user, f"{client.get('/v1/me').json['balance']}fen")
        assert "forgotten" in service.ctl("forget", client.user, "--why", "request 7").stdout
        assert {row["what"] for row in json.loads(service.ctl("export", client.user).stdout)["texts"]} <= {"greeting"}
    seen = alice.envelope(envelope)
    assert seen.status == 200 and seen.json["sender"]["name"] == alice.user and seen.json["claims"][0]["name"] == bob.user
    dump = str(service.sql("SELECT name FROM account UNION SELECT CONCAT(sender_name, greeting, luckiest_name) FROM envelope "
                           "UNION SELECT name FROM claim UNION SELECT CONCAT(why, outcome) FROM act")).lower()
    assert not [text for text in ("alice wunder", "bob baumeister", "dear friends") if text in dump]
    assert acts(service, envelope)[0][2] == "(removed)" and acts(service, envelope)[1][2] == "settled"
    assert bob.claim(user(money=10).send(10, 1).json["id"]).code == "user_blocked"  # which would write the name again
    service.ctl("verify", envelope)
    assert service.audit() == {}


@pytest.mark.parametrize("table", ["envelope", "account"])
def test_forget_killed_midway_and_run_again(service, user, table):
    """The first run dies while it waits for a row of this table: the names that come after it stay, until the second run."""
    alice = user(money=1000, name="Carola Halbweg")
    envelope = alice.send(100, 2, greeting="half of it").json["id"]
    service.ctl("close", envelope, "--why", "Carola Halbweg called")
    wait_until(lambda: alice.get("/v1/me").json["balance"] == 1000, 10, "refunded")
    service.ctl("withdraw", alice.user, "1000fen")

    def kept():
        texts = service.sql(f"SELECT 'account' FROM account WHERE user_id = '{alice.user}' AND name LIKE 'Carola%' UNION SELECT 'envelope' "
                            f"FROM envelope WHERE sender = '{alice.user}' AND (sender_name LIKE 'Carola%' OR greeting LIKE 'half%') "
                            "UNION SELECT 'act' FROM act WHERE why LIKE 'Carola%'")
        return {row[0] for row in texts}

    def waits():
        statement = "UPDATE transfer t STRAIGHT_JOIN envelope%" if table == "envelope" else "UPDATE account SET name%"
        return service.sql(f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'hongbao_desk' AND info LIKE '{statement}'") == [["1"]]
    assert kept() == {"account", "envelope", "act"}
    with subprocess.Popen([service.directory / "hongbaoctl", "forget", alice.user, "--why", "request 8"]) as first:
        blocked = f"SELECT COUNT(*) FROM user_rule WHERE blocked = 1 AND user_id = '{alice.user}'"
        wait_until(lambda: service.sql(blocked) == [["1"]], 20, "blocked")
        with Foreign(service) as foreign:
            key = f"id = X'{envelope.replace('-', '')}'" if table == "envelope" else f"user_id = '{alice.user}'"
            foreign.run(f"SELECT 1 FROM {table} WHERE {key} FOR UPDATE")
            wait_until(waits, 20, "it waits for the row")
            first.kill()
            first.wait()
            assert kept() == ({"account", "envelope"} if table == "envelope" else {"account"})
    wait_until(lambda: not waits(), 20, "the statement of the first run ends")
    assert table == "account" or "account" in kept()
    assert "forgotten" in service.ctl("forget", alice.user, "--why", "request 8").stdout
    assert kept() == set()
    assert {row["what"] for row in json.loads(service.ctl("export", alice.user).stdout)["texts"]} <= {"greeting"}
    assert service.audit() == {}


def test_lost(service, user, tmp_path):
    """The rows of one send, one open, one top-up and one withdrawal are deleted, found, and put back."""
    alice, bob = user(), user()
    backend = Client(service, service.token("shop", kind="wallet"))
    for route, amount in (("topups", 1000), ("topups", 500), ("withdrawals", 100), ("withdrawals", 50)):
        body = {"user": alice.user, "amount": amount, "reference": f"{route}-{amount}-{alice.user}"}
        assert backend.request("POST", f"/v1/{route}", body, {"Idempotency-Key": body["reference"]}).status == 201
    backend.close()
    kept, gone, other = (alice.send(total, 1).json["id"] for total in (100, 200, 300))
    for envelope in (kept, other):
        assert bob.grab_and_open(envelope).state == "opened"
    wait_until(lambda: bob.get("/v1/me").json["pending"] == 0, 10, "credited")

    def logged():
        lines = [line for path in (service.directory / "log").glob("*.log") for line in path.read_text().splitlines()]
        return [line for line in lines if alice.user in line or bob.user in line]
    wait_until(lambda: sum('"amount"' in line and '"route"' in line for line in logged()) >= 9, 5, "logged")
    log = tmp_path / "requests.log"
    log.write_text("\n".join(logged()) + "\n")
    other_log = tmp_path / "repeats.log"  # each operation was acknowledged twice more
    other_log.write_text("\n".join(logged() * 2) + "\n")
    done = service.ctl("lost", str(log))
    assert "9 acknowledgements, 0 operations lost" in done.stdout and "0 lines could not" in done.stdout
    rows = {"envelope": f"id = X'{gone.replace('-', '')}'",
            "claim": f"envelope_id = X'{other.replace('-', '')}'",
            "transfer": f"ref IN ('topups-500-{alice.user}', 'withdrawals-50-{alice.user}')"}
    try:
        for table, where in rows.items():
            service.sql(f"CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE {where}")
            service.sql(f"DELETE FROM {table} WHERE {where}")
        done = service.ctl("lost", str(log), str(other_log), check=False)
    finally:
        for table in rows:
            service.sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")
            service.sql(f"DROP TABLE kept_{table}")
    found = sorted(tuple(line.split()[1:5]) for line in done.stdout.splitlines()[:-1])
    assert done.returncode == WRONG and found == sorted([
        ("send", "2.00", gone, alice.user), ("open", "3.00", other, bob.user),
        ("topup", "5.00", f"topups-500-{alice.user}", alice.user),
        ("withdraw", "0.50", f"withdrawals-50-{alice.user}", alice.user)])
    assert "4 operations lost, with 10.50" in done.stdout
    assert service.ctl("lost", str(tmp_path / "none.log"), check=False).returncode == USAGE
    log.write_text(log.read_text() + '{"time":"2026-01-31T00:')  # torn
    assert "1 lines could not" in service.ctl("lost", str(log), check=False).stdout
