"""Logs: one JSON line per request, and no secrets."""
import json

from client import Client
from service import Service, wait_until


def test_one_line_per_request(user, service):
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


def test_one_grep_follows_an_envelope(user, service):
    """Send, open, credit, close and refund name envelope, account and amount; a top-up its reference."""
    alice, bob, carol = user(), user(), user()
    body = {"user": alice.user, "amount": 1000, "reference": f"order-{alice.user}"}
    backend = Client(service, service.token("shop", kind="wallet"))
    assert backend.request("POST", "/v1/topups", body, {"Idempotency-Key": f"k-{alice.user}"}).status == 201
    backend.close()
    sold = alice.send(100, 2).json["id"]
    won = [c.grab_and_open(sold).json["amount"] for c in (bob, carol)]
    left = alice.send(300, 2, expires_in=1).json["id"]
    part = bob.grab_and_open(left).json["amount"]

    def lines(word, *names):
        found = []
        for name in names:
            for line in (service.directory / f"log/{name}.log").read_text().splitlines():
                if word in line:
                    found.append(json.loads(line))
        return found

    def complete():
        events = [line.get("event") for line in lines(left, "settle")]
        return sorted(events) == ["closed", "credited"] and len(lines(sold, "settle")) == 2 and lines(left, "settle", "open")
    wait_until(complete, 10, "credited and refunded")
    topup, = lines(f"order-{alice.user}", "send")
    assert (topup["user"], topup["account"], topup["amount"], topup["reference"]) == ("shop", alice.user, 1000, f"order-{alice.user}")
    send, = lines(sold, "send")
    assert (send["user"], send["amount"], send["route"]) == (alice.user, 100, "send")
    opens = [line for line in lines(sold, "open") if line.get("route") == "open"]
    assert [(line["user"], line["amount"]) for line in opens] == [(bob.user, won[0]), (carol.user, won[1])]
    closed, = [line for line in lines(sold, "open") if line.get("event") == "closed"]
    assert (closed["state"], closed["account"], closed["amount"]) == ("sold_out", alice.user, 0)
    credits = sorted((line["seq"], line["account"], line["amount"]) for line in lines(sold, "settle"))
    assert credits == [(1, bob.user, won[0]), (2, carol.user, won[1])]
    refund, = [line for line in lines(left, "settle") if line["event"] == "closed"]
    assert (refund["state"], refund["account"], refund["amount"]) == ("expired", alice.user, 300 - part)


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
    secrets = service.stored_secrets() | {alice.token, bob.token, *tickets}
    assert len(secrets) > 15 and all(len(s) >= 32 for s in secrets)
    assert len(list((service.directory / "log").iterdir())) > 10
    assert service.leaked_secrets(secrets) == []


def test_secrets_would_be_found(tmp_path):
    """The search that runs when an installation is removed finds planted secrets."""
    copy = Service(directory=tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token.key").write_text("0123456789abcdef" * 4 + "\n")
    for text in ("0123456789ABCDEF" * 4, "x" + "0123456789abcdef" * 4 + "-", "eyJhbGciOiJIUzI1NiJ9.e30.x", "A" * 39):
        (tmp_path / "log/grab.log").write_text('{"message":"' + text + '"}\n')
        assert copy.leaked_secrets(copy.stored_secrets()) != [], text
    (tmp_path / "log/grab.log").write_text('{"request_id":"' + "fedcba98" * 4 + '"}\n')
    assert copy.leaked_secrets(copy.stored_secrets()) == []
