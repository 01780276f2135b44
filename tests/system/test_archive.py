"""Envelopes leave the database for files, and the books still agree; an audit of what happened since a day."""
import csv
import datetime
import hashlib
import io
import json
import random
import subprocess
import threading
import time

import pytest

from client import Client
from load import Load
from old_rows import Past
from service import SOURCE, Service, wait_until

DONE, WRONG, USAGE = 0, 1, 2


def day(ago):
    """The day some days ago, at the site's offset."""
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    return (now - datetime.timedelta(days=ago)).strftime("%Y-%m-%d")


def settled(service):
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM credit") == [["0"]], 20, "credited")


@pytest.fixture(scope="module")
def own():
    """A service with a past: 1,200 envelopes of 90 to 50 days ago, 6,000 claims; and a little of today."""
    s = Service(["limits.expires_min=1"]).start()
    try:
        past, rng = Past(s), random.Random(7)
        people = [f"p{i}" for i in range(40)]
        for person in people:
            past.top_up(person, 1000000, 95)
        for number in range(1200):
            winners = rng.sample(people, rng.choice((5, 5, 5, 4, 6)))
            past.envelope(90 - number / 30, rng.choice(people), rng.randint(100, 1000), rng.choice((6, len(winners))), winners,
                          "team" if number % 50 == 0 else None)
        for person in people[:30]:
            past.top_up(person, 100, 45)
        past.insert()
        s.ctl("topup", "alice", 100000)
        s.alice, s.p0 = Client(s, s.token("alice")), Client(s, s.token("p0"))
        s.p0.grab_and_open(s.alice.send(100, 2).json["id"])
        s.p0.grab_and_open(s.alice.send(100, 1).json["id"])
        settled(s)
        yield s
        for client in (s.alice, s.p0):
            client.close()
    finally:
        s.remove()


def audit(service, *options):
    done = service.ctl("audit", "--json", *options, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == (DONE if report["ok"] else WRONG)
    return report


def wrong(report):
    return {i["name"] for i in report["invariants"] if i["violations"]}


def rows(report, name):
    return next(i["rows"] for i in report["invariants"] if i["name"] == name)


def test_audit_since_reads_less(own, report):
    whole, since = audit(own), audit(own, "--since", day(1))
    assert whole["ok"] and since["ok"]
    assert rows(since, "envelope_sums") == 2 and rows(since, "claims_match_envelope") == 2 and rows(since, "draws") == 1
    assert rows(since, "balance_is_postings") + rows(since, "entries_without_holes") >= 2 * 2
    report(f"rows read by a whole audit {whole['rows_read']}, by one since yesterday {since['rows_read']}")
    assert since["rows_read"] * 20 < whole["rows_read"]
    assert own.ctl("audit", "--since", "yesterday", check=False).returncode == USAGE
    assert own.ctl("audit", "--since", day(1)).stdout.splitlines()[-1].startswith("the server read ")


@pytest.mark.parametrize("name, plant, undo", [
    ("balance_is_postings", "UPDATE account SET balance_fen = balance_fen + 1 WHERE user_id = 'p0'",
     "UPDATE account SET balance_fen = balance_fen - 1 WHERE user_id = 'p0'"),
    ("entries_without_holes", "UPDATE account SET entries = entries + 1 WHERE user_id = 'alice'",
     "UPDATE account SET entries = entries - 1 WHERE user_id = 'alice'"),
    ("claims_match_envelope", "UPDATE claim SET amount_fen = amount_fen + 1 ORDER BY envelope_id DESC LIMIT 1",
     "UPDATE claim SET amount_fen = amount_fen - 1 ORDER BY envelope_id DESC LIMIT 1"),
    ("send_transfer", "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE user_id = 'alice' AND kind = 3",
     "UPDATE transfer SET amount_fen = amount_fen - 1 WHERE user_id = 'alice' AND kind = 3"),
])
def test_audit_since_finds_what_happened_since(own, name, plant, undo):
    own.sql(plant)
    try:
        assert name in wrong(audit(own, "--since", day(1)))
    finally:
        own.sql(undo)
    assert audit(own, "--since", day(1))["ok"]


def test_doctor_prints_growth(own):
    own.sql("ANALYZE TABLE account, claim, envelope, transfer")  # the server keeps old sizes for a while
    text = own.ctl("doctor", check=False).stdout
    line, = (line for line in text.splitlines() if line.startswith("growth: "))
    claims = int(own.sql("SELECT COUNT(*) FROM claim")[0][0])
    assert f"with {claims} claims" in line and 200 < float(line.split()[1]) < 5000
    growth = json.loads(own.ctl("doctor", "--json", check=False).stdout)["growth"]
    assert growth["claims"] == claims and growth["bytes_per_million_claims"] == int(growth["bytes"] / claims * 1e6)


# ---- archive ----

def tables(service):
    names = ("envelope", "claim", "transfer", "archived", "carried")
    return {name: int(service.sql(f"SELECT COUNT(*) FROM {name}")[0][0]) for name in names}


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def files(own, tmp_path_factory):
    """The directory of an archive of everything sent more than 60 days ago; the ids before it are in own.ids."""
    directory = tmp_path_factory.mktemp("archive") / "files"
    own.before = {"tables": tables(own), "balances": own.sql("SELECT user_id, balance_fen FROM account ORDER BY user_id"),
                  "totals": own.ctl("totals").stdout, "report": own.ctl("report", "--limit", 1000).stdout,
                  "export": own.ctl("export", "--csv").stdout, "history": own.ctl("history", "p1").stdout}
    own.dry = own.ctl("archive", "--before", day(60), "--dry-run", directory).stdout
    assert not directory.exists() and tables(own) == own.before["tables"]
    own.done = own.ctl("archive", "--before", day(60), directory).stdout
    return directory


def test_too_young_is_refused(own, tmp_path):
    for ago in (10, 37):
        done = own.ctl("archive", "--before", day(ago), tmp_path / "none", check=False)
        assert done.returncode == USAGE and "too young" in done.stderr
    for wrong in (["--before", "yesterday"], ["--check", "--before", day(60)], []):
        assert own.ctl("archive", *wrong, tmp_path / "none", check=False).returncode == USAGE
    assert not (tmp_path / "none").exists()


def test_archive_moves_old_envelopes_and_the_books_agree(own, files, report):
    after = tables(own)
    gone = own.before["tables"]["envelope"] - after["envelope"]
    report(f"{own.done.strip()}; rows before {own.before['tables']}, after {after}")
    assert 850 < gone == after["archived"] and own.dry.split(" moved")[0].split(";")[0] in own.done
    path, = files.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600 and path.name in own.done
    rows_ = lines_of(path)
    assert sum(row["row"] == "envelope" for row in rows_) == gone
    claims = sum(row["row"] == "claim" for row in rows_)
    assert claims == own.before["tables"]["claim"] - after["claim"]
    assert len(rows_) - gone == own.before["tables"]["transfer"] - after["transfer"]
    assert "Name of" not in path.read_text() and "old times" not in path.read_text()
    whole = audit(own)
    assert whole["ok"], whole
    assert rows(whole, "carried_sealed") == after["carried"] + 1 and rows(whole, "archived_gone") == gone
    assert own.sql("SELECT user_id, balance_fen FROM account ORDER BY user_id") == own.before["balances"]
    assert audit(own, "--since", day(1))["ok"] and audit(own, "--since", day(80))["ok"]
    acts = own.sql("SELECT what, outcome FROM act WHERE what = 'archive'")
    assert len(acts) == 1 and f"{gone} envelopes" in acts[0][1]


def test_sums_are_those_of_before(own, files):
    def numbers(text):  # the summary names the archived envelopes
        return text.splitlines()[:-1] + [text.splitlines()[-1].split(";")[0]]
    assert numbers(own.ctl("totals").stdout) == numbers(own.before["totals"])
    assert own.ctl("report", "--limit", 1000).stdout == own.before["report"]
    assert "team" in own.before["report"].split("By group")[1]


def balances(text, kind):
    return {row["account"]: row["balance"] for row in csv.DictReader(io.StringIO(text)) if row["kind"] == kind}


def test_export_adds_up(own, files):
    after = own.ctl("export", "--csv").stdout
    for kind in ("opening", "closing"):
        assert balances(after, kind) == balances(own.before["export"], kind)
    last = {}
    for row in csv.DictReader(io.StringIO(after)):
        last[row["account"], row["kind"] == "closing"] = row["balance"]
    assert all(last[account, False] == balance for (account, closing), balance in last.items() if closing)
    assert sum(row["kind"] == "archived" for row in csv.DictReader(io.StringIO(after))) == tables(own)["carried"]
    part = own.ctl("export", "--csv", "--from", day(75), "--to", day(62)).stdout
    rows_ = [row for row in csv.DictReader(io.StringIO(part)) if row["account"] == "p3"]
    cents = [round(float(row["amount"]) * 100) for row in rows_[1:-1]]
    assert len(cents) > 5 and {row["kind"] for row in rows_[1:-1]} == {"archived"}
    assert round(float(rows_[0]["balance"]) * 100) + sum(cents) == round(float(rows_[-1]["balance"]) * 100)


def test_history_show_and_verify_of_what_was_archived(own, files):
    path, = files.iterdir()
    envelopes = [row for row in lines_of(path) if row["row"] == "envelope"]
    first = envelopes[0]["id"]
    history = own.ctl("history", first).stdout.splitlines()
    assert len(history) == 1 and "archived" in history[0] and path.name in history[0]
    mine = own.ctl("history", "p1").stdout.splitlines()
    assert any(line.split()[1] == "archived" and "received" in line for line in mine)
    for command in (["verify", first], ["show", first], ["envelope", "show", first]):
        done = own.ctl(*command, check=False)
        assert done.returncode == WRONG and f"{first}: was archived to {path.name}" in done.stderr, command
    assert own.ctl("verify", "--file", path).stdout == f"{len(envelopes)} envelopes, 0 wrong\n"
    assert own.ctl("verify", "--file", path, first).stdout == "1 envelopes, 0 wrong\n"
    assert own.ctl("verify", "--file", path, "01890a5d-ac96-774b-bcce-b302099a8057", check=False).returncode == WRONG
    assert own.ctl("verify", "--file", files / "none", check=False).returncode == USAGE
    done = subprocess.run(["/usr/bin/python3", str(SOURCE / "tools/verify.py"), str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == f"{len(envelopes)} envelopes, 0 wrong\n" and done.returncode == 0
    claim = next(row for row in lines_of(path) if row["row"] == "claim")
    bad = files.parent / "bad.jsonl"
    bad.write_text(path.read_text().replace(f'"amount":{claim["amount"]},"transfer":"{claim["transfer"]}"',
                                            f'"amount":{claim["amount"] + 1},"transfer":"{claim["transfer"]}"'))
    done = own.ctl("verify", "--file", bad, check=False)
    assert done.returncode == WRONG and f"1 wrong\ne.g. {claim['envelope']}" in done.stdout


def test_pages_do_not_end_early(own, files):
    """The ledger and the lists of a user with gaps between the entries, three rows a page."""
    for route, column in (("ledger", "id"), ("received?year=2026", "envelope"), ("sent?year=2026", "id")):
        after, seen = "", []
        while after is not None:
            page = own.p0.get(f"/v1/me/{route}{'&' if '?' in route else '?'}limit=3{after}").json
            seen += [row[column] for row in page["items"]]
            after = f"&after={page['next']}" if page["next"] else None
        expected = {"ledger": "SELECT COUNT(*) FROM transfer WHERE user_id = 'p0'",
                    "received?year=2026": "SELECT COUNT(*) FROM transfer WHERE user_id = 'p0' AND kind = 4",
                    "sent?year=2026": "SELECT COUNT(*) FROM envelope WHERE sender = 'p0'"}[route]
        assert len(seen) == len(set(seen)) == int(own.sql(expected)[0][0]) > 3, route


def test_an_archived_envelope_is_gone_for_users(own, files):
    path, = files.iterdir()
    first = lines_of(path)[0]["id"]
    for answer in (own.p0.envelope(first), own.p0.grab(first), own.p0.claim(first)):
        assert (answer.status, answer.code) == (404, "not_found")


def test_archived_envelopes_are_not_lost(own, files, tmp_path):
    path, = files.iterdir()
    rows_ = lines_of(path)
    sent, claim = rows_[0], next(row for row in rows_ if row["row"] == "claim")
    log = tmp_path / "requests.log"
    common = {"time": "2026-01-31T00:00:00.000Z", "status": 201, "request_id": "r"}
    log.write_text("".join(json.dumps({**common, **more}) + "\n" for more in (
        {"route": "send", "user": sent["sender"], "envelope": sent["id"], "amount": sent["total"], "state": "open"},
        {"route": "open", "user": claim["user"], "envelope": claim["envelope"], "amount": claim["amount"], "state": "opened"})))
    assert "2 acknowledgements, 0 operations lost" in own.ctl("lost", log).stdout


def test_forget_beside_an_archive(own, files):
    """Names are gone and numbers stay: the files never had names."""
    balance = int(own.sql("SELECT balance_fen FROM account WHERE user_id = 'p39'")[0][0])
    own.ctl("withdraw", "p39", f"{balance}fen")
    data = json.loads(own.ctl("export", "p39").stdout)
    assert {"archived", "topup"} <= {row["what"] for row in data["history"]}
    assert "Name of p39" in {row["text"] for row in data["texts"]}
    own.ctl("forget", "p39", "--why", "request 9")
    names = str(own.sql("SELECT CONCAT(sender_name, luckiest_name) FROM envelope UNION SELECT name FROM claim UNION SELECT name "
                        "FROM account"))
    assert "Name of p38" in names and "Name of p39" not in names
    assert audit(own)["ok"] and own.ctl("archive", "--check", files).returncode == DONE
    own.ctl("verify", "--all")


def test_check_of_the_files(own, files):
    done = own.ctl("archive", "--check", files)
    assert done.stdout.endswith("1 files, 0 wrong\n") and " ok" in done.stdout


@pytest.mark.parametrize("name, plant, undo", [
    ("carried_sealed", "UPDATE carried SET opened_fen = opened_fen + 1 WHERE user_id = 'p1' LIMIT 1",
     "UPDATE carried SET opened_fen = opened_fen - 1 WHERE user_id = 'p1' LIMIT 1"),
    ("balance_is_postings", "UPDATE carried SET claim_fen = claim_fen + 1 WHERE user_id = 'p1' LIMIT 1",
     "UPDATE carried SET claim_fen = claim_fen - 1 WHERE user_id = 'p1' LIMIT 1"),
    ("entries_without_holes", "CREATE TABLE kept_carried AS SELECT * FROM carried WHERE user_id = 'p2' LIMIT 1; "
     "DELETE FROM carried WHERE user_id = 'p2' LIMIT 1",
     "INSERT INTO carried SELECT * FROM kept_carried; DROP TABLE kept_carried"),
    ("carried_in_file", "UPDATE archive SET sent_fen = sent_fen + 1 WHERE number = 1",
     "UPDATE archive SET sent_fen = sent_fen - 1 WHERE number = 1"),
    ("archived_in_file", "UPDATE archived SET number = 7 LIMIT 1", "UPDATE archived SET number = 1"),
    ("archived_gone", "INSERT INTO archived SELECT id, 1 FROM envelope LIMIT 1",
     "DELETE FROM archived WHERE envelope_id IN (SELECT id FROM envelope)"),
])
def test_planted_faults_in_tables(own, files, name, plant, undo):
    own.sql(plant)
    try:
        found = wrong(audit(own))
        assert name in found, found
    finally:
        own.sql(undo)
    assert audit(own)["ok"]


def test_audit_since_sees_a_changed_carried_row(own, files):
    own.sql("UPDATE carried SET returned_fen = returned_fen + 1 WHERE user_id = 'p0' LIMIT 1")
    try:
        assert wrong(audit(own, "--since", day(1))) == {"carried_sealed"}
    finally:
        own.sql("UPDATE carried SET returned_fen = returned_fen - 1 WHERE user_id = 'p0' LIMIT 1")


def test_planted_faults_in_files(own, files):
    path, = files.iterdir()
    good = path.read_bytes()

    def found(why):
        done = own.ctl("archive", "--check", files, check=False)
        assert done.returncode == WRONG and why in done.stdout, done.stdout
    try:
        path.write_bytes(good.replace(b'"amount":1', b'"amount":2', 1))
        found("was changed")
        path.write_bytes(good[:-100])
        found("is shorter")
        path.write_bytes(good + b'{"row":"envelope"')
        assert "a run that was interrupted" in own.ctl("archive", "--check", files).stdout
        path.rename(path.with_name("away"))
        found("No such file")
    finally:
        (path.with_name("away") if not path.exists() else path).write_bytes(good)
        if not path.exists():
            path.with_name("away").rename(path)
    own.sql("UPDATE archive SET sha256 = REVERSE(sha256) WHERE number = 1")
    found("was changed")
    own.sql("UPDATE archive SET sha256 = REVERSE(sha256) WHERE number = 1")
    assert own.ctl("archive", "--check", files).returncode == DONE


def test_a_changed_carried_row_gets_no_new_mac(own, files):
    past, people = Past(own), [f"p{i}" for i in range(8)]
    past.envelope(70, people[0], 700, 7, people[1:])  # on a day of which there are carried rows already
    past.insert()
    own.sql("UPDATE carried SET claim_fen = claim_fen + 1")
    try:
        done = own.ctl("archive", "--before", day(55), files, check=False)
        assert done.returncode not in (DONE, USAGE) and "was changed" in done.stderr
    finally:
        own.sql("UPDATE carried SET claim_fen = claim_fen - 1")
    assert audit(own)["ok"] and len(list(files.glob("*.jsonl"))) == 1


class Claims(threading.Thread):
    """Sends and claims of users that are in the archived envelopes, one after another; keeps each status."""

    def __init__(self, service, sender, users, ending):
        super().__init__()
        self.sender = Client(service, service.token(sender))
        self.users, self.ending, self.statuses = [Client(service, service.token(user)) for user in users], ending, []

    def run(self):
        while not self.ending.is_set():
            sent = self.sender.send(10, len(self.users))
            self.statuses.append(sent.status)
            self.statuses += [user.claim_until_final(sent.json["id"]).status for user in self.users]


def test_money_moves_during_an_archive(own, files, report):
    before = tables(own)
    with Load(own) as load:
        claims = [Claims(own, f"p{i}", ["p10", f"p{11 + i}"], load.ending) for i in range(2)]
        for thread in claims:
            thread.start()
        wait_until(lambda: len(load.statuses) > 30 and all(len(c.statuses) > 6 for c in claims), 30, "traffic")
        seen, begin = len(load.statuses) + sum(len(c.statuses) for c in claims), time.monotonic()
        own.ctl("archive", "--before", day(50), files)
        took, during = time.monotonic() - begin, len(load.statuses) + sum(len(c.statuses) for c in claims) - seen
    for thread in claims:
        thread.join()
    statuses = load.statuses + [status for c in claims for status in c.statuses]
    gone = before["transfer"] - tables(own)["transfer"]
    report(f"{during} requests during an archive of {took:.1f} s, of {len(statuses)}; "
           f"failed: {sum(status not in (200, 201) for status in statuses)}")
    assert during > 10 and set(statuses) <= {200, 201}
    assert tables(own)["archived"] > before["archived"] + 250 and gone < before["transfer"]
    settled(own)
    assert audit(own)["ok"] and own.ctl("archive", "--check", files).stdout.endswith("2 files, 0 wrong\n")


def committed(own, files):
    """The ids in the bytes of each file that count, whose hash is checked, by number."""
    found = {}
    for number, size, digest in own.sql("SELECT number, bytes, LOWER(HEX(sha256)) FROM archive WHERE number > 0"):
        text = (files / f"hongbao-archive-{int(number):06}.jsonl").read_bytes()[:int(size)]
        assert hashlib.sha256(text).hexdigest() == digest
        rows_ = map(json.loads, text.splitlines())
        found[number] = {row["id"].replace("-", "") for row in rows_ if row["row"] == "envelope"}
    return found


def test_killed_at_any_moment(own, files, report):
    """Either the rows are in the database or the file has them; a last run ends it."""
    past, rng = Past(own), random.Random(8)
    people = [f"p{i}" for i in range(38)]
    for number in range(800):
        past.envelope(47 - number / 200, rng.choice(people), rng.randint(100, 1000), 5, rng.sample(people, 4))
    past.insert()
    assert audit(own)["ok"]
    every = {row[0] for row in own.sql("SELECT LOWER(HEX(id)) FROM envelope UNION SELECT LOWER(HEX(envelope_id)) FROM archived")}
    command = [str(own.directory / "hongbaoctl"), "archive", "--before", day(39), str(files)]
    moved = []

    def count():
        return int(own.sql("SELECT COUNT(*) FROM archived")[0][0])
    for attempt in range(30):
        begun = count()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if attempt % 2:  # behind the first commit; else early
            wait_until(lambda: count() > begun or process.poll() is not None, 30, "a batch is committed")
        time.sleep(rng.random() * (0.03 if attempt % 2 else 0.15))
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        here = {row[0] for row in own.sql("SELECT LOWER(HEX(id)) FROM envelope")}
        archived = own.sql("SELECT number, LOWER(HEX(envelope_id)) FROM archived")
        moved.append(len(archived))
        assert here | {row[1] for row in archived} == every and not here & {row[1] for row in archived}
        for number, ids in committed(own, files).items():
            assert ids == {row[1] for row in archived if row[0] == number}
    last = own.ctl("archive", "--before", day(39), files).stdout
    report(f"killed {len(moved)} times, archived after each: {moved}; then {last.strip()}")
    assert any(n < count() for n in moved[1:]), "no run was killed between two batches"
    assert int(own.sql("SELECT COUNT(*) FROM envelope WHERE state <> 0 AND closed_us < 1000000 * (UNIX_TIMESTAMP() - 40 * 86400)")[0][0]) == 0
    assert audit(own)["ok"] and "0 wrong" in own.ctl("archive", "--check", files).stdout


def test_a_file_without_a_row_is_named(own, files):
    (files / "hongbao-archive-000999.jsonl").write_text("")
    done = own.ctl("archive", "--check", files)
    assert "hongbao-archive-000999.jsonl  is of a run that ended before it moved anything" in done.stdout


@pytest.mark.parametrize("reason, plant, undo", [
    ("frozen", "UPDATE envelope SET frozen = 15 WHERE id = X'{0}'", "UPDATE envelope SET frozen = 0 WHERE id = X'{0}'"),
    ("draws", "UPDATE claim SET amount_fen = amount_fen + IF(seq = 1, 1, -1) WHERE seq < 3 AND envelope_id = X'{0}'; "
     "UPDATE transfer SET amount_fen = amount_fen + IF(HEX(RIGHT(ref, 4)) = '00000001', 1, -1) WHERE kind = 4 AND "
     "LEFT(ref, 16) = X'{0}' AND HEX(RIGHT(ref, 4)) < '00000003'",
     "UPDATE claim SET amount_fen = amount_fen - IF(seq = 1, 1, -1) WHERE seq < 3 AND envelope_id = X'{0}'; "
     "UPDATE transfer SET amount_fen = amount_fen - IF(HEX(RIGHT(ref, 4)) = '00000001', 1, -1) WHERE kind = 4 AND "
     "LEFT(ref, 16) = X'{0}' AND HEX(RIGHT(ref, 4)) < '00000003'"),
    ("send_transfer", "UPDATE transfer SET amount_fen = amount_fen + 1 WHERE kind = 3 AND ref = X'{0}'",
     "UPDATE transfer SET amount_fen = amount_fen - 1 WHERE kind = 3 AND ref = X'{0}'"),
    ("the year totals lack it", "INSERT INTO closing VALUES (X'{0}')", "DELETE FROM closing WHERE envelope_id = X'{0}'"),
    ("a transfer is newer", "UPDATE transfer SET booked_us = booked_us + 40 * 86400000000 WHERE kind = 3 AND ref = X'{0}'",
     "UPDATE transfer SET booked_us = booked_us - 40 * 86400000000 WHERE kind = 3 AND ref = X'{0}'"),
])
def test_what_does_not_agree_or_is_not_settled_is_left(own, files, reason, plant, undo):
    own.signal("settle", 19)  # it would process what is planted
    past = Past(own)
    past.envelope(45, "p1", 300, 3, ["p2", "p3"], mode="equal")
    past.insert()
    envelope = own.sql("SELECT LOWER(HEX(id)) FROM envelope WHERE closed_us < 1000000 * (UNIX_TIMESTAMP() - 40 * 86400) AND state <> 0 "
                       "ORDER BY id DESC LIMIT 1")[0][0]
    try:
        own.sql(plant.format(envelope))
        left = own.ctl("archive", "--before", day(39), files, "--dry-run").stdout
        own.sql(undo.format(envelope))
        moved = own.ctl("archive", "--before", day(39), files, "--dry-run").stdout
    finally:
        own.signal("settle", 18)
    assert "1 left" in left and left.strip().endswith(f"{reason}; nothing was changed"), left
    assert "left" not in moved and int(moved.split()[0]) == int(left.split()[0]) + 1, moved


def test_an_envelope_with_a_key_is_left(own, files):
    envelope = own.sql("SELECT LOWER(HEX(MIN(id))), MIN(created_us) FROM envelope")[0]
    own.sql(f"INSERT INTO idempotency VALUES (REPEAT('k', 32), REPEAT('b', 32), X'{envelope[0]}', {envelope[1]})")
    try:
        assert own.ctl("archive", "--before", day(39), files, "--dry-run").stdout.startswith("0 envelopes")
    finally:
        own.sql("DELETE FROM idempotency WHERE key_hash = REPEAT('k', 32)")
    assert audit(own)["ok"]
