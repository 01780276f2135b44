"""Bad input is refused with the right problem code and changes nothing."""
import http.client
import json
import socket
import time

import pytest

from client import Client, find_operation

SEND = {"mode": "lucky", "total": 100, "shares": 2}
NAME_33 = "x" * 33


def send_with(**changes):
    return {name: value for name, value in {**SEND, **changes}.items() if value is not ...}


def text(body):
    """JSON text that json.dumps would not produce."""
    return body if isinstance(body, bytes) else body.encode()


BAD_JSON = [
    b"", b" ", b"{", b"}", b"[", b"nul", b"{]", b"{\"mode\"}", b"{\"mode\":}", b"{\"mode\":\"lucky\",}",
    b"{'mode':'lucky'}", b"{mode:1}", b"/* c */ {}", b"{} // c", b"{}{}", b"{} x", b"\xef\xbb\xbf{}",
    b'{"mode":"lu\x00cky"}', b'{"mode":"lucky\\u0000"}', b'{"mode":"\\ud800"}', b'{"mode":"\\udc00\\ud800"}',
    b'{"mode":"\xff"}', b'{"mode":"\xc0\xaf"}', b'{"mode":"\xed\xa0\x80"}', b'{"mode":"\xf4\x90\x80\x80"}',
    b'{"mode":"\n"}', b'{"mode":"\\x41"}', b'{"total":01}', b'{"total":+1}', b'{"total":.5}', b'{"total":NaN}',
    b'{"total":0x10}', b'{"total":1e}', b'{"total":-}', b'"', b'{"a":tru}', b'{"mode":"lucky"', b'\x00',
]
BAD_SEND = [
    (b"[]", ""), (b"1", ""), (b'"x"', ""), (b"null", ""), (b"true", ""),
    (b'{"mode":"lucky","mode":"lucky","total":100,"shares":2}', "mode"),
    (b'{"mode":"lucky","total":100,"total":100,"shares":2}', "total"),
    (b'{"a":{"b":{"c":{"d":{"e":1}}}}}', None),
    (send_with(extra=1), "extra"), (send_with(Mode="lucky"), "Mode"),
    (send_with(mode=...), "mode"), (send_with(total=...), "total"), (send_with(shares=...), "shares"),
    (send_with(mode="fair"), "mode"), (send_with(mode="LUCKY"), "mode"), (send_with(mode=""), "mode"),
    (send_with(mode=1), "mode"), (send_with(mode=None), "mode"), (send_with(mode=["lucky"]), "mode"),
    (send_with(total="1"), "total"), (send_with(total=None), "total"), (send_with(total=True), "total"),
    (send_with(total=0), "total"), (send_with(total=-1), "total"), (send_with(total=1.0), "total"),
    (b'{"mode":"lucky","total":1e2,"shares":2}', "total"), (b'{"mode":"lucky","total":1E2,"shares":2}', "total"),
    (b'{"mode":"lucky","total":-0,"shares":2}', "total"), (b'{"mode":"lucky","total":100.5,"shares":2}', "total"),
    (send_with(total=2**53), "total"), (send_with(total=2**63), "total"), (send_with(total=2**64), "total"),
    (send_with(total=2**64 + 100), "total"), (send_with(total=10**40), "total"),
    (send_with(total=1), "total"), (send_with(total=40001), "total"), (send_with(total=99, shares=100), "total"),
    (send_with(shares=0), "shares"), (send_with(shares=-1), "shares"), (send_with(shares=501), "shares"),
    (send_with(shares=1.0), "shares"), (send_with(shares="2"), "shares"), (send_with(shares=2**64 + 2), "shares"),
    (send_with(greeting=""), "greeting"), (send_with(greeting="x" * 51), "greeting"),
    (send_with(greeting="福" * 51), "greeting"), (send_with(greeting="\n"), "greeting"),
    (send_with(greeting="\u202e\u2069"), "greeting"), (send_with(greeting=" \u200d\u3164"), "greeting"),
    (send_with(greeting="\u2800"), "greeting"), (send_with(greeting="\u0301"), "greeting"),
    (send_with(greeting="\ufffe"), "greeting"), (send_with(greeting="\ue000"), "greeting"),
    (send_with(greeting=5), "greeting"), (send_with(greeting=None), "greeting"),
    (send_with(expires_in=0), "expires_in"), (send_with(expires_in=604801), "expires_in"),
    (send_with(expires_in="60"), "expires_in"), (send_with(expires_in=-60), "expires_in"),
    (send_with(to={}), "to"), (send_with(to=[]), "to"), (send_with(to="g"), "to"), (send_with(to=None), "to"),
    (send_with(to={"group": "g", "users": ["a"]}), "to"), (send_with(to={"group": ""}), "to.group"),
    (send_with(to={"group": "a\nb"}), "to.group"), (send_with(to={"group": "x" * 129}), "to.group"),
    (send_with(to={"users": ["a"]}), "shares"), (send_with(to={"users": ["a", "guest:1"]}), "to.users"),
    (send_with(to={"group": 1}), "to.group"), (send_with(to={"users": []}), "to.users"),
    (send_with(to={"users": ["a"] * 2}), "to.users"), (send_with(to={"users": [1]}), "to.users"),
    (send_with(to={"users": ["a", "b c"]}), "to.users"), (send_with(to={"users": "a"}), "to.users"),
    (send_with(to={"users": [f"u{i}" for i in range(101)]}), "to.users"), (send_with(to={"team": "x"}), "to.team"),
    (send_with(to={"users": [["a"]]}), "to.users"),
]
BAD_KEYS = ["", " ", "a b", "x" * 129, "ключ", "a\tb"]
BAD_IDS = ["0", "x", "00000000-0000-0000-0000-000000000000", "01A20D63-04AB-7000-B431-B856E67A7B86",
           "01a20d6304ab7000b431b856e67a7b86", "01a20d63-04ab-4000-b431-b856e67a7b86",
           "01a20d63-04ab-7000-f431-b856e67a7b86", "01a20d63-04ab-7000-b431-b856e67a7b8", "%00",
           "01a20d63-04ab-7000-b431-b856e67a7b86%00", "..", "'or'1'='1"]


@pytest.fixture
def state(service):
    """Return a function that reads sums over everything a refused request could have changed."""
    def read():
        tables = ("account", "envelope", "claim", "transfer", "idempotency", "seed", "closing")
        counts = [f"(SELECT COUNT(*) FROM {t})" for t in tables]
        return service.sql("SELECT " + ", ".join(counts) + ", (SELECT SUM(balance_fen) FROM account), "
                           "(SELECT SUM(version) FROM envelope)")
    # pending credits would change balances: wait until they are booked
    end = time.monotonic() + 10
    while service.sql("SELECT COUNT(*) FROM credit")[0][0] != "0" and time.monotonic() < end:
        time.sleep(0.05)
    return read


@pytest.fixture
def rich(user):
    return user("Rich", money=1000000)


def post(client, path, body, **headers):
    return client.request("POST", path, body, {"Idempotency-Key": "bad", **headers})


def test_bad_json(rich, state):
    before = state()
    for body in BAD_JSON:
        answer = post(rich, "/v1/envelopes", body)
        assert (answer.status, answer.code) == (400, "invalid_json"), (body, answer)
    assert state() == before


def test_bad_envelopes(rich, state):
    before = state()
    for body, member in BAD_SEND:
        answer = post(rich, "/v1/envelopes", body)
        assert (answer.status, answer.code) == (400, "invalid_request"), (body, answer)
        if member:
            assert answer.json["member"] == member, (body, answer)
    assert state() == before


def test_bad_idempotency_keys(rich, state):
    before = state()
    for key in BAD_KEYS:
        try:
            answer = rich.request("POST", "/v1/envelopes", SEND, {"Idempotency-Key": key.encode()})
        except ValueError:
            continue  # http.client refuses to send this header
        assert answer.code in ("idempotency_key_required", "invalid_request"), (key, answer)
    assert rich.request("POST", "/v1/envelopes", SEND).code == "idempotency_key_required"
    assert state() == before


def test_bad_ids_and_paths(rich, state, anybody):
    before = state()
    for bad in BAD_IDS:
        for method, tail in (("GET", ""), ("POST", "/claim"), ("POST", "/grab"), ("POST", "/open")):
            body = {"ticket": "x"} if tail == "/open" else None
            answer = rich.request(method, f"/v1/envelopes/{bad}{tail}", body, raw=True)
            assert answer.status in (400, 404) and answer.code in ("not_found", "invalid_request"), (bad, tail, answer)
    unknown = "01a20d63-04ab-7000-b431-b856e67a7b86"
    for call in (rich.envelope, rich.claim, rich.grab):
        assert call(unknown).code == "not_found"
        assert call(unknown).code == "not_found"  # now in the cache of unknown ids
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/me/", "/v1/envelopes/", "/v2/me"):
        answer = anybody.request("GET", path, raw=True)
        assert answer.status in (404, 405), (path, answer)
    assert state() == before


@pytest.mark.parametrize("path,good,bad", [
    ("/v1/me", "GET", ("POST", "PUT", "DELETE", "PATCH")),
    ("/v1/me/sent", "GET", ("POST",)), ("/v1/me/received", "GET", ("POST",)), ("/v1/me/ledger", "GET", ("POST",)),
    ("/v1/envelopes", "POST", ("GET", "PUT", "DELETE")), ("/v1/guests", "POST", ("GET",)),
    ("/v1/topups", "POST", ("GET",)), ("/v1/withdrawals", "POST", ("GET",)),
    ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86", "GET", ("POST", "DELETE")),
    ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/claim", "POST", ("GET",)),
    ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/grab", "POST", ("GET",)),
    ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/open", "POST", ("GET",)),
    ("/v1/site", "GET", ("POST",)), ("/healthz", "GET", ("POST",)), ("/readyz", "GET", ("POST",))])
def test_wrong_methods(user, path, good, bad):
    client = user()
    for method in bad:
        answer = client.request(method, path, "" if method != "GET" else None)
        assert answer.status == 405 and good in answer.headers["Allow"], (method, answer)


def test_bad_amounts(service, state, anybody):
    before = state()
    token = service.token("backend", kind="wallet")
    good = {"user": "u", "amount": 1, "reference": "r"}
    for change, member in (({"amount": 0}, "amount"), ({"amount": -1}, "amount"), ({"amount": 1.0}, "amount"),
                           ({"amount": "1"}, "amount"), ({"amount": 2**53}, "amount"), ({"amount": 2**64}, "amount"),
                           ({"user": ""}, "user"), ({"user": "a b"}, "user"), ({"user": "x" * 256}, "user"),
                           ({"user": "用户"}, "user"), ({"user": 1}, "user"), ({"reference": ""}, "reference"),
                           ({"reference": "a b"}, "reference"), ({"reference": "x" * 65}, "reference"),
                           ({"reference": 1}, "reference"), ({"note": "x"}, "note")):
        for path in ("/v1/topups", "/v1/withdrawals"):
            answer = anybody.request("POST", path, {**good, **change}, {"Idempotency-Key": "k"}, token=token)
            assert (answer.code, answer.json["member"]) == ("invalid_request", member), (change, answer)
    for path in ("/v1/topups", "/v1/withdrawals"):
        assert anybody.request("POST", path, good, token=token).code == "idempotency_key_required"
        assert anybody.request("POST", path, "{", {"Idempotency-Key": "k"}, token=token).code == "invalid_json"
    assert state() == before


def test_bad_guest_names(state, anybody):
    before = state()
    for name in ("", NAME_33, "\n", "\u202e \u3164", "\u200f", 1, None, "\u0000"):
        answer = anybody.request("POST", "/v1/guests", {"name": name})
        assert answer.code in ("invalid_request", "invalid_json"), (name, answer)
    assert anybody.request("POST", "/v1/guests", {"nick": "x"}).json["member"] == "nick"
    assert anybody.request("POST", "/v1/guests", b"{").code == "invalid_json"
    assert state() == before


def test_bad_tokens(service, state, anybody):
    before = state()
    now = int(time.time())
    good = service.token("u")
    head, body, mac = good.split(".")
    bad = [
        "x", "..", "a.b.c", f"{head}.{body}", f"{head}.{body}.", f"{head}.{body}.{mac}x", f"{head}.{body}.{mac[:-4]}",
        f".{body}.{mac}", service.token("u", alg="none"), service.token("u", alg="HS512"),
        service.token("u", key=b"0" * 32), service.token("u", key=service.key("wallet")),
        service.token("u", key=service.key("guest")), service.token("u", exp=None), service.token("u", exp="soon"),
        service.token("u", scope="wallet"), service.token("u", kind="wallet", scope="user"), service.token(""),
        service.token("a b"), service.token("x" * 256), service.token("用户"), service.token(5), service.token(None),
        service.token("guest:1"), service.token("u", nbf=now + 3600), service.token("u", kind="guest"), "x" * 9000,
    ]
    for token in bad:
        answer = anybody.get("/v1/me", token=token)
        assert (answer.status, answer.code) == (401, "unauthorized"), (token[:60], answer)
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"', token[:60]
    for old in (1.5, -1, 1.5e9, now - 31):
        assert anybody.get("/v1/me", token=service.token("u", exp=old)).code == "token_expired", old
    assert anybody.get("/v1/me", token=service.token("u", exp=now - 31)).code == "token_expired"
    assert anybody.get("/v1/me", token=service.token("u", exp=now - 5)).status == 200  # leeway
    for header in ("Basic abc", "Bearer", "Bearer  ", good, f"Token {good}"):
        assert anybody.get("/v1/me", headers={"Authorization": header}).code == "unauthorized", header
    assert state() == before


def test_wrong_scopes(service, user, anybody):
    wallet = service.token("backend", kind="wallet")
    body = {"user": "u", "amount": 1, "reference": "r"}
    for path in ("/v1/topups", "/v1/withdrawals"):
        assert anybody.request("POST", path, body, {"Idempotency-Key": "k"}, token=user().token).code == "scope_required"
    for path in ("/v1/me", "/v1/me/sent", "/v1/me/received", "/v1/me/ledger",
                 "/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86"):
        assert anybody.get(path, token=wallet).code == "unauthorized"  # only the send pool has that key
    for path, content in (("/v1/envelopes", SEND), ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/grab", None),
                          ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/claim", None),
                          ("/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/open", {"ticket": "x"})):
        code = "scope_required" if path == "/v1/envelopes" else "unauthorized"
        assert anybody.request("POST", path, content, {"Idempotency-Key": "k"}, token=wallet).code == code


def test_bad_tickets(user, service, state):
    alice, bob, eve = user(money=1000), user(), user()
    one, two = alice.send(100, 2).json["id"], alice.send(100, 2).json["id"]
    ticket = bob.grab(one).json["ticket"]
    before = state()
    forged = [ticket[:-1], ticket + "A", "B" + ticket[1:], ticket[:-1] + ("A" if ticket[-1] != "A" else "B"),
              ticket.swapcase(), "", "x", "x" * 62, "x" * 500, "\u00e9"]
    for bad in forged:
        assert bob.open(one, bad).code == "ticket_invalid", bad
    assert eve.open(one, ticket).code == "ticket_invalid"
    assert bob.open(two, ticket).code == "ticket_invalid"
    for body, code in (({}, "invalid_request"), ({"ticket": 1}, "invalid_request"), ({"ticket": None}, "invalid_request"),
                       ({"ticket": ticket, "x": 1}, "invalid_request"), (b"{", "invalid_json"), ([], "invalid_request")):
        assert bob.request("POST", f"/v1/envelopes/{one}/open", body).code == code
    assert state() == before


def test_bad_page_parameters(rich, anybody):
    envelope = rich.send(100, 2).json["id"]
    for path in ("/v1/me/sent", "/v1/me/received", "/v1/me/ledger", f"/v1/envelopes/{envelope}"):
        for query in ("limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.0", "limit=", "limit=5&limit=5", "after=x",
                      "after=", "after=AAAA", "colour=red", "limit=%zz"):
            answer = rich.get(f"{path}?{query}")
            assert answer.code == "invalid_request" and answer.json["member"], (path, query, answer)
    for query in ("year=0", "year=1969", "year=99999", "year=x", "year=2026&year=2026"):
        assert rich.get(f"/v1/me/sent?{query}").json["member"] == "year"
        assert rich.get(f"/v1/me/received?{query}").json["member"] == "year"
    assert rich.get("/v1/me/ledger?year=2026").json["member"] == "year"


def raw_exchange(service, request):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as s:
        s.sendall(request)
        response = http.client.HTTPResponse(s)
        response.begin()
        return response.status, response.headers, response.read()


def check_problem(operation_path, got, status, code):
    found, headers, body = got
    assert found == status, (found, body)
    assert headers["Content-Type"] == "application/problem+json", body
    assert json.loads(body)["code"] == code
    from client import SEEN
    SEEN.add((find_operation("POST", operation_path)["operationId"], status, code))


def test_bad_http(service, user, state):
    """Refusals by the web server itself are problem documents, never HTML."""
    before = state()
    token = user().token
    envelope = "/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/"
    for path in ("/v1/envelopes", "/v1/guests", "/v1/topups", "/v1/withdrawals",
                 *(envelope + call for call in ("claim", "grab", "open", "recall", "thanks"))):
        head = (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: k\r\n"
                "Content-Type: application/json\r\nConnection: close\r\n")
        check_problem(path, raw_exchange(service, f"{head}\r\n".encode()), 411, "length_required")
        for size in (9000, 20000):
            check_problem(path, raw_exchange(service, f"{head}Content-Length: {size}\r\n\r\n".encode() + b"x" * size),
                          413, "body_too_large")
    bob = user()
    for path in ("/v1/envelopes", "/v1/guests", envelope + "open", envelope + "thanks"):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
            assert post(bob, path, "{}", **{"Content-Type": kind}).code == "unsupported_media_type"
    wallet = Client(service, service.token("backend", kind="wallet"))
    for path in ("/v1/topups", "/v1/withdrawals"):
        assert post(wallet, path, "{}", **{"Content-Type": "text/plain"}).code == "unsupported_media_type"
    for call in ("claim", "grab", "recall"):
        assert bob.request("POST", envelope + call, "{}").code == "invalid_request"
    for bad in (b"GET /v1/me HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                b"POST /v1/guests HTTP/1.1\r\nHost: x\r\nContent-Length: 1e2\r\n\r\n"):
        status, headers, body = raw_exchange(service, bad)
        assert 400 <= status < 500 and b"<html" not in body.lower()
    assert state() == before


def test_there_are_enough_cases():
    """At least 150 cases are tested in this file."""
    cases = len(BAD_JSON) + len(BAD_SEND) + len(BAD_KEYS) + 3 * len(BAD_IDS) + 32 + 38 + 16 + 60
    assert cases >= 150
