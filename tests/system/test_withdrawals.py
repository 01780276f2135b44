"""The setting that no money leaves the site."""
import uuid

import pytest
from client import Client
from service import Service


def withdraw(client, amount, reference, key):
    return client.request("POST", "/v1/withdrawals", {"user": "alice", "amount": amount, "reference": reference},
                          {"Idempotency-Key": key})


@pytest.fixture(scope="module")
def closed():
    """An installation that paid 100 out before it was told to pay no more."""
    s = Service(["site.withdrawals=yes"]).start()
    try:
        s.ctl("topup", "alice", 1000)
        client = Client(s, s.token("shop", kind="wallet"))
        s.key_used = uuid.uuid4().hex
        s.paid = withdraw(client, 100, "before", s.key_used)
        assert s.paid.status == 201 and client.get("/v1/site").json["withdrawals"] is True
        client.close()
        s.stop()
        s.settings.append("site.withdrawals=no")
        s.start()
        yield s
    finally:
        s.remove()


def test_a_new_withdrawal_is_refused(closed):
    client = Client(closed, closed.token("shop", kind="wallet"))
    for amount in (1, 100, 10**9):
        answer = withdraw(client, amount, uuid.uuid4().hex, uuid.uuid4().hex)
        assert (answer.status, answer.code) == (403, "withdrawals_off"), answer
    assert Client(closed, closed.token("alice")).get("/v1/me").json["balance"] == 900
    assert client.request("GET", "/v1/site", token="").json["withdrawals"] is False


def test_one_that_was_carried_out_is_replayed(closed):
    client = Client(closed, closed.token("shop", kind="wallet"))
    for key in (closed.key_used, uuid.uuid4().hex):
        again = withdraw(client, 100, "before", key)
        assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, closed.paid.json, "true")
    assert withdraw(client, 101, "before", uuid.uuid4().hex).code == "reference_reused"
    assert withdraw(client, 101, "before", closed.key_used).code == "idempotency_key_reused"


def test_money_still_comes_in_and_the_operator_still_pays_out(closed):
    client = Client(closed, closed.token("shop", kind="wallet"))
    assert client.request("POST", "/v1/topups", {"user": "alice", "amount": 50, "reference": "more"},
                          {"Idempotency-Key": uuid.uuid4().hex}).status == 201
    closed.ctl("withdraw", "alice", 50)
    assert Client(closed, closed.token("alice")).get("/v1/me").json["balance"] == 900
    assert closed.audit() == {}
