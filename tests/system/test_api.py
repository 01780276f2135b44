"""Answers of the API that no other file covers: limits, repeats, refusals."""
import hashlib
import subprocess
import threading
import time
import uuid

import pytest

from client import Client
from service import Service, wait_until


@pytest.fixture(scope="module")
def strict():
    """An installation with low limits, without guests and markers."""
    s = Service(["site.demo=no", "site.markers=no", "limits.sent_per_day=1000", "limits.grabs_burst=3",
                 "limits.grabs_per_second=1", "grab.ticket_life=5", "limits.expires_min=1"])
    s.start()
    yield s
    s.remove()


def wallet(service, path, user, amount, reference, key=None):
    client = Client(service, service.token("backend", kind="wallet"))
    answer = client.request("POST", path, {"user": user, "amount": amount, "reference": reference},
                            {"Idempotency-Key": key or uuid.uuid4().hex})
    client.close()
    return answer


def test_money_in_and_out(service):
    user = uuid.uuid4().hex
    first = wallet(service, "/v1/topups", user, 500, user + "a", "key-" + user)
    assert first.status == 201 and first.json["balance"] == 500
    assert wallet(service, "/v1/topups", user, 500, user + "a", "key-" + user).json == first.json
    assert wallet(service, "/v1/topups", user, 500, user + "a").json == first.json  # another key, same reference
    assert wallet(service, "/v1/topups", user, 501, user + "a").code == "reference_reused"
    assert wallet(service, "/v1/topups", user, 1, user + "b", "key-" + user).code == "idempotency_key_reused"
    out = wallet(service, "/v1/withdrawals", user, 200, user + "a")
    assert out.status == 201 and out.json["balance"] == 300
    assert wallet(service, "/v1/withdrawals", user, 201, user + "a").code == "reference_reused"
    assert wallet(service, "/v1/withdrawals", user, 301, user + "c").code == "insufficient_funds"
    key = uuid.uuid4().hex
    assert wallet(service, "/v1/withdrawals", user, 1, user + "d", key).status == 201
    assert wallet(service, "/v1/withdrawals", user, 2, user + "e", key).code == "idempotency_key_reused"
    assert wallet(service, "/v1/withdrawals", "nobody" + user, 1, user + "f").code == "insufficient_funds"
    assert wallet(service, "/v1/topups", user, 10**12, user + "g").code == "limit_exceeded"
    assert service.audit() == {}


def test_repeated_send_returns_first_answer(user):
    alice = user(money=1000)
    first = alice.send(100, 2, key="same")
    assert alice.send(100, 2, key="same").json == first.json
    assert alice.send(101, 2, key="same").code == "idempotency_key_reused"
    bob = user()
    bob.grab_and_open(first.json["id"])
    assert alice.send(100, 2, key="same").json == first.json  # as answered at first
    assert alice.get("/v1/me").json["balance"] == 900
    assert bob.send(100, 1).code == "insufficient_funds"
    assert alice.send(901, 2).code == "insufficient_funds"


def test_bad_wallet_token_is_refused(service, anybody):
    body = {"user": "u", "amount": 1, "reference": "r"}
    for path in ("/v1/topups", "/v1/withdrawals"):
        for token, code in (("x", "unauthorized"),
                            (service.token("b", kind="wallet", exp=int(time.time()) - 100), "token_expired")):
            assert anybody.request("POST", path, body, {"Idempotency-Key": "k"}, token=token).code == code


def test_every_route_requires_a_valid_token(service, anybody):
    old = service.token("u", exp=int(time.time()) - 100)
    envelope = "/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86"
    for method, path, body in (("GET", "/v1/me", None), ("GET", "/v1/me/sent", None), ("GET", "/v1/me/received", None),
                               ("GET", "/v1/me/ledger", None), ("GET", envelope, None), ("POST", envelope + "/grab", None),
                               ("POST", envelope + "/open", {"ticket": "x"}), ("POST", envelope + "/recall", None),
                               ("POST", envelope + "/thanks", {"thanks": "hug"}),
                               ("POST", "/v1/envelopes", {"mode": "lucky", "total": 1, "shares": 1})):
        for token, code in (("x", "unauthorized"), (old, "token_expired")):
            answer = anybody.request(method, path, body, {"Idempotency-Key": "k"}, token=token)
            assert answer.code == code, (path, answer)


def test_daily_limit_and_no_guests_without_demo(strict):
    strict.ctl("topup", "alice", 5000)
    alice = Client(strict, strict.token("alice"))
    assert alice.send(600, 1).status == 201
    over = alice.send(401, 1)
    assert (over.code, over.json["limit"]) == ("limit_exceeded", 1000)
    assert alice.send(400, 1).status == 201
    assert alice.request("POST", "/v1/guests", {}).code == "not_found"


def test_grab_rate_limit_spares_closed_envelopes(strict):
    strict.ctl("topup", "carl", 1000)
    carl, dora = Client(strict, strict.token("carl")), Client(strict, strict.token("dora"))
    closed = carl.send(1, 1).json["id"]
    envelope = carl.send(100, 10).json["id"]
    assert Client(strict, strict.token("emil")).grab_and_open(closed).state == "opened"
    answers = [dora.grab(envelope) for _ in range(6)]
    assert [a.state for a in answers[:3]] == ["grabbed"] * 3
    assert answers[-1].code == "rate_limited"
    for _ in range(6):
        assert dora.grab(closed).state == "sold_out"


def test_ticket_expires(strict):
    strict.ctl("topup", "fred", 1000)
    fred, gina, hugo = (Client(strict, strict.token(name)) for name in ("fred", "gina", "hugo"))
    envelope = fred.send(100, 2).json["id"]
    old = gina.grab(envelope).json["ticket"]
    won = hugo.grab(envelope).json["ticket"]
    first = hugo.open(envelope, won).json
    time.sleep(5.5)  # the lifetime of a ticket is what is tested
    assert gina.open(envelope, old).code == "ticket_expired"
    assert hugo.open(envelope, won).json == first  # a winner gets the first answer again
    again = gina.grab(envelope).json["ticket"]
    assert again != old
    assert gina.open(envelope, again).state == "opened"


def hold(service, user, named):
    """Return a session that looks like a request in progress: it holds the account's lock and the row of the key.
    named: "USER ROUTE KEY"."""
    key_hash = hashlib.sha256(named.encode()).hexdigest()
    holder = subprocess.Popen(["mariadb", "--no-defaults", "-n", "-N", "-S", str(service.directory / "run/db.sock"), "hongbao"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write(f"BEGIN; SELECT user_id FROM account WHERE user_id = '{user}' FOR UPDATE; "
                       f"INSERT INTO idempotency VALUES (X'{key_hash}', X'{'00' * 32}', X'{'00' * 16}', 0); "
                       "SELECT 'held';\n")
    holder.stdin.flush()
    while "held" not in holder.stdout.readline():
        pass
    return holder


def test_idempotency_in_progress(user, service):
    """Another session holds the sender's account and the key: 409 after a second, the answer once it is gone."""
    alice = user(money=1000)
    body_key = uuid.uuid4().hex
    holder = hold(service, alice.user, f"{alice.user} send {body_key}")
    began = time.monotonic()
    answer = alice.send(100, 1, key=body_key)
    assert answer.code == "idempotency_in_progress", answer
    assert time.monotonic() - began < 4
    # the rest of its batch did not wait
    assert user(money=100).send(100, 1).status == 201
    holder.stdin.write("ROLLBACK;\n")
    holder.stdin.close()
    holder.wait()
    wait_until(lambda: alice.send(100, 1, key=body_key).status == 201, 5, "the send succeeds once the lock is gone")


@pytest.mark.parametrize("route", ["topups", "withdrawals"])
def test_repeated_transfer_in_progress(user, service, route):
    alice, key, reference = user(money=1000), uuid.uuid4().hex, uuid.uuid4().hex
    path = "/v1/" + route
    holder = hold(service, alice.user, f"backend {route} {key}")
    assert wallet(service, path, alice.user, 10, reference, key).code == "idempotency_in_progress"
    assert wallet(service, path, alice.user, 10, reference).code == "unavailable"  # the account is locked
    holder.stdin.write("ROLLBACK;\n")
    holder.stdin.close()
    holder.wait()
    wait_until(lambda: wallet(service, path, alice.user, 10, reference, key).status == 201, 5, "unlocked")


def test_health(anybody):
    for path in ("/healthz", "/readyz"):
        assert anybody.get(path).json == {"status": "ok"}
    assert anybody.get("/metrics").code == "not_found"  # only on its own listener


def test_metrics_count_every_request(user, service):
    alice = user()
    before = service.metrics()
    clients = [Client(service, alice.token) for _ in range(8)]  # spread over both processes
    threads = [threading.Thread(target=lambda c=c: [c.get("/v1/me") for _ in range(25)]) for c in clients]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    after = service.metrics()
    name = 'hongbao_requests_total{route="me",state="ok"}'
    assert after[name] - before.get(name, 0) == 200
    count = 'hongbao_request_duration_seconds_count{route="me"}'
    assert after[count] - before[count] == 200


def test_page_is_served_with_strict_policy(anybody):
    page = anybody.request("GET", "/", raw=True)
    assert page.status == 200 and "default-src 'self'" in page.headers["Content-Security-Policy"]
    text = page.body.decode()
    assert "<script>" not in text and " style=" not in text and " onclick=" not in text
    assert anybody.request("GET", "/openapi.json", raw=True).json["openapi"] == "3.1.0"
