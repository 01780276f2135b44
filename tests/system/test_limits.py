"""Limits where money or work is made: sends of a user, guests and requests without a token of an address."""
import json

import pytest

import fcgi_client
from client import SEEN, Client
from service import Service

AWAY = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture(scope="module")
def limited():
    s = Service(["limits.sends_per_minute=3", "limits.guests_per_minute=3", "limits.anonymous_per_second=1"])
    s.start()
    yield s
    s.remove()


def test_a_user_sends_only_so_many_a_minute(limited):
    limited.ctl("topup", "alice", 1000)
    limited.ctl("topup", "bob", 1000)
    alice, bob = Client(limited, limited.token("alice")), Client(limited, limited.token("bob"))
    assert [alice.send(10, 1).status for _ in range(3)] == [201] * 3
    refused = alice.send(10, 1)
    assert refused.code == "rate_limited" and 1 <= int(refused.headers["Retry-After"]) <= 21
    assert bob.send(10, 1).status == 201
    assert alice.get("/v1/me").json["balance"] == 970


@pytest.mark.parametrize("call,body", [("recall", None), ("thanks", {"thanks": "hug"})])
def test_a_user_recalls_and_thanks_only_so_often_a_minute(limited, call, body):
    eve, path = Client(limited, limited.token("eve")), f"/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/{call}"
    assert [eve.request("POST", path, body).code for _ in range(4)] == ["not_found"] * 3 + ["rate_limited"]
    assert Client(limited, limited.token("dave")).request("POST", path, body).code == "not_found"


def ask(service, pool, operation, method, uri, body=b"", **more):
    """Send a request as a client at another address; return its status."""
    headers = {"Content-Type": "application/json"} if body else None
    got = fcgi_client.request(str(service.directory / f"run/{pool}.sock"), method, uri, body, headers, **more)
    if got.status == 429:
        assert json.loads(got.body)["code"] == "rate_limited" and int(got.headers["retry-after"]) >= 1
        SEEN.add((operation, 429, "rate_limited"))
    return got.status


def test_an_address_makes_only_so_many_guests_a_minute(limited):
    def guest(address):
        return ask(limited, "send", "guests", "POST", "/v1/guests", b"{}", REMOTE_ADDR=address)

    assert [guest("192.0.2.7") for _ in range(4)] == [201] * 3 + [429]
    assert guest("192.0.2.8") == 201
    assert [guest(f"2001:db8::{i}") for i in range(4)] == [201] * 3 + [429]  # one network
    assert guest("2001:db8:0:1::1") == 201
    assert [guest("127.0.0.1") for _ in range(5)] == [201] * 5


def test_previews_and_readiness_are_limited_by_address(limited):
    limited.ctl("topup", "carl", 1000)
    envelope = Client(limited, limited.token("carl")).send(10, 1).json["id"]
    for operation, uri in (("envelope", f"/v1/envelopes/{envelope}"), ("readyz", "/readyz")):
        answers = [ask(limited, "query", operation, "GET", uri, **AWAY) for _ in range(12)]
        assert answers[-1] == 429 and set(answers) <= {200, 429}
        assert ask(limited, "query", operation, "GET", uri) == 200


def test_wrong_tokens_are_limited_by_address(limited):
    def me(token, **more):
        got = fcgi_client.request(str(limited.directory / "run/query.sock"), "GET", "/v1/me", b"",
                                  {"Authorization": "Bearer " + token}, **more)
        SEEN.add(("me", got.status, json.loads(got.body).get("code")))
        return got.status

    right, wrong = limited.token("dora"), limited.token("dora")[:-4] + "AAAA"
    answers = [me(wrong, REMOTE_ADDR="192.0.2.9") for _ in range(12)]
    assert answers[0] == 401 and answers[-1] == 429
    assert me(right, REMOTE_ADDR="192.0.2.9") == 200
    assert [me(wrong) for _ in range(12)] == [401] * 12  # loopback


def test_back_ends_move_no_money_of_guests(limited):
    shop = Client(limited, limited.token("shop", kind="wallet"))
    for path in ("/v1/topups", "/v1/withdrawals"):
        refused = shop.request("POST", path, {"user": "guest:00112233445566778899", "amount": 1, "reference": "x"},
                               {"Idempotency-Key": "guest"})
        assert refused.code == "invalid_request" and refused.json["member"] == "user"


def test_without_guests_their_tokens_end():
    s = Service().start()
    try:
        token = Client(s, "").request("POST", "/v1/guests", {}).json["token"]
        assert Client(s, token).get("/v1/me").status == 200
        s.stop()
        s.settings = ["site.demo=no"]
        s.start()
        assert Client(s, token).get("/v1/me").status == 401
    finally:
        s.remove()


def test_open_envelopes_of_a_user_are_limited():
    s = Service(["limits.open_envelopes=10", "limits.expires_min=1"]).start()
    try:
        s.ctl("topup", "alice", 1000)
        s.ctl("topup", "bob", 1000)
        alice, bob = Client(s, s.token("alice")), Client(s, s.token("bob"))
        answers = [alice.send(10, 1) for _ in range(15)]
        assert [a.status for a in answers] == [201] * 10 + [422] * 5
        assert answers[-1].code == "limit_exceeded" and answers[-1].json["limit"] == 10
        assert alice.get("/v1/me").json["balance"] == 900
        assert bob.send(10, 1).status == 201
        assert bob.grab_and_open(answers[0].json["id"]).state == "opened"  # one less is open
        assert alice.send(10, 1).status == 201
        assert alice.send(10, 1).code == "limit_exceeded"
        assert alice.get("/v1/me/sent").json["count"] == 11
    finally:
        s.remove()


def test_number_of_guests_is_limited():
    s = Service(["limits.guests=10"]).start()
    try:
        answers = [Client(s, "").request("POST", "/v1/guests", {}) for _ in range(12)]
        assert [a.status for a in answers] == [201] * 10 + [422] * 2
        assert answers[-1].code == "limit_exceeded" and answers[-1].json["limit"] == 10
    finally:
        s.remove()
