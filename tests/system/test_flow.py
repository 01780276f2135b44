"""The life of an envelope: top-up, send, grab, open, credit, refund."""
import json
import subprocess
import time

from service import SOURCE, wait_until


def balance(client):
    me = client.get("/v1/me").json
    return me["balance"], me["pending"]


def test_send_grab_open_credit(user, service):
    alice, bob = user("Alice", money=5000), user("小明")
    sent = alice.send(1000, 2, greeting="新年快乐")
    assert sent.status == 201 and sent.headers["Location"].endswith(sent.json["id"])
    assert balance(alice) == (4000, 0)
    envelope = sent.json["id"]
    grabbed = bob.grab(envelope)
    assert grabbed.state == "grabbed"
    assert bob.grab(envelope).json["ticket"] == grabbed.json["ticket"]
    opened = bob.open(envelope, grabbed.json["ticket"])
    assert opened.state == "opened" and opened.json["seq"] == 1
    again = bob.open(envelope, grabbed.json["ticket"])
    assert again.json == opened.json
    assert bob.grab(envelope).json == {"state": "opened", "amount": opened.json["amount"], "seq": 1}
    wait_until(lambda: balance(bob) == (opened.json["amount"], 0), 2, "credited")
    view = bob.envelope(envelope).json
    assert view["mine"]["amount"] == opened.json["amount"] and view["claims"][0]["name"] == "小明"
    assert view["luckiest"] is None and view["seed"] is None
    carol = user("Carol")
    assert carol.grab_and_open(envelope).json["amount"] == 1000 - opened.json["amount"]
    view = bob.envelope(envelope).json
    assert view["state"] == "sold_out" and view["seed"] and view["closed_at"]
    assert view["luckiest"]["amount"] == max(c["amount"] for c in view["claims"])
    late = user("Late")
    assert late.grab(envelope).json == {"state": "sold_out"}
    assert service.audit() == {}


def test_equal_shares(user):
    alice = user(money=1000)
    envelope = alice.send(100, 7, mode="equal").json["id"]
    amounts = [user().grab_and_open(envelope).json["amount"] for _ in range(7)]
    assert amounts == [15, 15, 14, 14, 14, 14, 14]
    assert alice.envelope(envelope).json["luckiest"] is None


def test_expired_envelope_is_refunded_once(user, service):
    alice, bob = user(money=1000), user()
    envelope = alice.send(1000, 3, expires_in=2).json["id"]
    won = bob.grab_and_open(envelope).json["amount"]
    wait_until(lambda: alice.envelope(envelope).json["state"] == "expired", 5, "closed")
    view = alice.envelope(envelope).json
    assert view["refunded"] == 1000 - won and view["luckiest"]["user"] == bob.user
    assert balance(alice)[0] == 1000 - won
    assert user().grab(envelope).state == "expired"
    ledger = alice.get("/v1/me/ledger").json
    assert [i["kind"] for i in ledger["items"]].count("refund") == 1
    assert ledger["balance"] == sum(i["amount"] for i in ledger["items"])
    assert service.audit() == {}


def test_open_is_repeatable_after_ticket_and_envelope_expired(user, service):
    alice, bob = user(money=1000), user()
    envelope = alice.send(1000, 2, expires_in=2).json["id"]
    ticket = bob.grab(envelope).json["ticket"]
    first = bob.open(envelope, ticket).json
    wait_until(lambda: alice.envelope(envelope).json["state"] == "expired", 5, "closed")
    assert bob.open(envelope, ticket).json == first
    loser = user()
    assert bob.envelope(envelope).json["mine"]["amount"] == first["amount"]
    assert loser.open(envelope, ticket).code == "ticket_invalid"


def test_two_hundred_opens_are_credited(user):
    alice, bob = user(money=100000), user()
    for _ in range(200):
        envelope = alice.send(10, 1).json["id"]
        assert bob.grab_and_open(envelope).state == "opened"
    opened = time.monotonic()
    wait_until(lambda: balance(bob) == (2000, 0), 2, "all credited")
    assert time.monotonic() - opened < 2


def test_recipients(user):
    alice = user(money=10000)
    friend, member, stranger = user(), user(groups=["g1", "g2"]), user(groups=["g3"])
    for to, good in (({"users": [friend.user]}, friend), ({"group": "g2"}, member)):
        envelope = alice.send(100, 1, to=to).json["id"]
        assert alice.envelope(envelope).json["to"] == to
        for call in (stranger.grab, stranger.envelope):
            assert call(envelope).code == "not_recipient"
        assert good.grab_and_open(envelope).state == "opened"
        assert stranger.grab(envelope).code == "not_recipient"
        assert good.get(f"/v1/envelopes/{envelope}", token="").status == 401


def test_guests_and_users_do_not_mix(user, service, anybody):
    guest = anybody.request("POST", "/v1/guests", {"name": "游客"})
    assert guest.status == 201 and guest.json["balance"] == 100000
    token = guest.json["token"]
    made = anybody.request("POST", "/v1/envelopes", {"mode": "lucky", "total": 100, "shares": 1},
                           {"Idempotency-Key": "one"}, token=token)
    alice = user(money=100)
    assert alice.grab(made.json["id"]).code == "not_recipient"
    mine = alice.send(100, 1).json["id"]
    assert anybody.request("POST", f"/v1/envelopes/{mine}/grab", token=token).code == "not_recipient"
    assert anybody.get("/v1/me", token=service.token("guest:0")).status == 401


def test_pages_and_not_modified(user):
    alice = user(money=10000)
    envelope = alice.send(500, 5).json["id"]
    for _ in range(5):
        user().grab_and_open(envelope)
    first = alice.envelope(envelope + "?limit=2")
    assert [c["seq"] for c in first.json["claims"]] == [1, 2]
    seen, after = [], None
    while True:
        page = alice.get(f"/v1/envelopes/{envelope}?limit=2" + (f"&after={after}" if after else ""))
        seen += [c["seq"] for c in page.json["claims"]]
        after = page.json["next"]
        if after is None:
            break
    assert seen == [1, 2, 3, 4, 5]
    etag = alice.envelope(envelope).headers["ETag"]
    assert alice.envelope(envelope, headers={"If-None-Match": etag}).status == 304
    assert alice.envelope(envelope, headers={"If-None-Match": '"other"'}).status == 200


def test_history_by_year(user):
    alice, bob = user(money=100000), user()
    for _ in range(25):
        bob.grab_and_open(alice.send(100, 1).json["id"])
    for path, client in (("/v1/me/sent", alice), ("/v1/me/received", bob)):
        wait_until(lambda: client.get(path).json["count"] == 25, 3, "counted")
        items, after = [], ""
        while after is not None:
            page = client.get(f"{path}?limit=10" + (f"&after={after}" if after else "")).json
            items += page["items"]
            after = page["next"]
        assert len(items) == 25 and page["total"] == 2500
        assert len({i.get("id") or i["envelope"] for i in items}) == 25
    wait_until(lambda: bob.get("/v1/me/received").json["luckiest_count"] == 25, 3, "luckiest counted")
    assert alice.get("/v1/me/sent?year=1999").json["count"] == 0


def test_draws_match_independent_script(user, service):
    """hongbaoctl and an independent script agree on the draws of closed envelopes."""
    alice = user(money=1000000)
    lines = []
    for number in range(40):
        envelope = alice.send(7 * number + 13, number % 5 + 2, mode="equal" if number % 4 == 0 else "lucky").json["id"]
        for _ in range(number % 5 + 2):
            user().grab_and_open(envelope)
        lines.append(json.dumps(alice.envelope(envelope).json))
    assert service.ctl("verify", "--all").stdout.endswith(" 0 wrong\n")
    verify = ["/usr/bin/python3", str(SOURCE / "tools/verify.py")]
    good = subprocess.run(verify, input="\n".join(lines), text=True, capture_output=True, check=False)
    assert good.returncode == 0, good.stdout
    bad = json.loads(lines[1])
    bad["claims"][0]["amount"] += 1
    assert subprocess.run(verify, input=json.dumps(bad), text=True, capture_output=True, check=False).returncode == 1
