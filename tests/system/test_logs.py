"""Logs: a JSON line a request, and nothing in them that opens anything."""
import json
import re

from service import wait_until

TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.")
TICKET = re.compile(rb"(?<![A-Za-z0-9_-])A[A-Za-z0-9_-]{38}(?![A-Za-z0-9_-])")


def log_files(service):
    """All that the programs wrote, but for what only the operator's own terminal is shown."""
    return [p for p in (service.directory / "log").iterdir() if p.is_file()]


def test_a_line_a_request(user, service):
    alice = user(money=1000)
    envelope = alice.send(100, 1).json["id"]
    bob = user()
    name = "request-" + bob.user
    bob.request("POST", f"/v1/envelopes/{envelope}/grab", headers={"X-Request-Id": name})

    def found():
        lines = (service.directory / "log/grab.log").read_text().splitlines()
        return [json.loads(line) for line in lines if name in line]
    line, = wait_until(found, 5, "logged")
    assert line["request_id"] == name and line["user"] == bob.user and line["envelope"] == envelope
    assert line["state"] == "grabbed" and line["status"] == 200 and isinstance(line["duration_us"], int)


def test_every_line_is_json(service):
    for pool in ("send", "grab", "open", "query", "settle"):
        for line in (service.directory / f"log/{pool}.log").read_text().splitlines():
            assert isinstance(json.loads(line), dict)


def test_no_secrets(user, service):
    alice, bob = user(money=1000), user()
    opened, closed = alice.send(100, 2).json["id"], alice.send(100, 1).json["id"]
    tickets = [bob.grab(opened).json["ticket"], bob.grab(closed).json["ticket"]]
    bob.open(closed, tickets[1])
    bob.open(closed, "x" + tickets[0])
    bob.get("/v1/me", token=bob.token + "x")
    bob.get(f"/v1/me?token={bob.token}")
    bob.request("GET", f"/{bob.token}", raw=True)
    secrets = {alice.token, bob.token, *tickets}
    for path in (service.directory / "secrets").iterdir():
        secrets |= set(re.findall(r"[0-9a-f]{32,}", path.read_text()))
    rows = service.sql("SELECT LOWER(HEX(seed)) FROM seed UNION ALL SELECT LOWER(HEX(seed)) FROM envelope "
                       "WHERE seed IS NOT NULL")
    secrets |= {row[0] for row in rows}
    assert len(secrets) > 15 and all(len(s) >= 32 for s in secrets)
    files = log_files(service)
    assert len(files) > 10
    for path in files:
        data = path.read_bytes()
        assert [s for s in secrets if s.encode() in data or s.upper().encode() in data] == [], path
        assert not TOKEN.search(data) and not TICKET.search(data), path
