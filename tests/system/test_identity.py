"""Tokens of real identity providers pass, what they show is cleaned, and a refused one is explained."""
import json
import pathlib
import re
import subprocess
import time

import pytest

from service import BUILD

LONG = "x" * 255
GOOD_SUBJECTS = ["auth0|1", "@a+b=c/d:matrix.org", "it's", "back\\slash", '"quoted"', "*world", "#" + "a" * 64, LONG,
                 "'" * 255, "a'; DROP TABLE account; -- ".replace(" ", "_")]


@pytest.mark.parametrize("sub", GOOD_SUBJECTS)
def test_ids_of_identity_providers(service, user, anybody, sub):
    """Send, grab, open, credit, lists and audit with an id of each form."""
    money = service.ctl("topup", sub, 1000)
    assert f"{sub[:100]} has 1000 fen" in money.stdout
    token = service.token(sub, name="N")
    other = user()
    sent = anybody.request("POST", "/v1/envelopes", {"mode": "equal", "total": 10, "shares": 1, "to": {"users": [sub]}},
                           {"Idempotency-Key": "k" + str(len(sub))}, token=token)
    assert sent.status == 201, sent
    path = "/v1/envelopes/" + sent.json["id"]
    assert sent.json["sender"]["user"] == sub and sent.json["to"] == {"users": [sub]}
    assert other.grab(sent.json["id"]).code == "not_recipient"
    grabbed = anybody.request("POST", path + "/grab", token=token)
    assert grabbed.state == "grabbed", grabbed
    opened = anybody.request("POST", path + "/open", {"ticket": grabbed.json["ticket"]}, token=token)
    assert opened.json["amount"] == 10, opened
    shown = anybody.get(path, token=token).json
    assert shown["claims"][0]["user"] == sub and shown["mine"]["amount"] == 10
    end = time.monotonic() + 20
    while anybody.get("/v1/me", token=token).json["pending"] and time.monotonic() < end:
        time.sleep(0.05)
    assert anybody.get("/v1/me", token=token).json["balance"] == 1000
    for name in ("sent", "received", "ledger"):
        assert anybody.get(f"/v1/me/{name}", token=token).json["items"], name
    assert json.loads(service.ctl("show", sub).stdout)
    assert service.audit() == {}


def test_display_data_never_refuses(service, anybody):
    for claims, name in (({"name": ""}, "u"), ({"name": None}, "u"), ({"name": 7}, "u"), ({"name": "x" * 33}, "x" * 32),
                         ({"name": "می\u200cخواهم"}, "می\u200cخواهم"), ({"name": "\u200fשלום\u00ad"}, "שלום"),
                         ({"name": " \u3164", "preferred_username": "pu"}, "pu"), ({"name": "\U0001fae9"}, "\U0001fae9"),
                         ({"name": "a", "groups": ["a b", 1, "/family"] + [f"g{i}" for i in range(65)]}, "a"),
                         ({"name": "a", "exp": time.time() + 60.5}, "a"), ({"name": "a", "exp": 1e12}, "a"),
                         ({"name": "a", "x": {"deep": [[[[["\u0000"]]]]]}, "scope": ["openid"]}, "a")):
        answer = anybody.get("/v1/me", token=service.token("u", **claims))
        assert answer.status == 200 and answer.json["name"] == name, (claims, answer)


def test_groups_of_any_text(user, service, anybody):
    alice = user(money=100)
    for group in ("authentik Admins", "/family", "全家福", "!room:host", "it's \\ \"x\""):
        envelope = alice.send(2, 2, to={"group": group}).json
        assert envelope["to"] == {"group": group}
        member = service.token("m" + str(len(group)), groups=["other", group])
        grabbed = anybody.request("POST", f"/v1/envelopes/{envelope['id']}/grab", token=member)
        assert grabbed.state == "grabbed", (group, grabbed)
        assert user().grab(envelope["id"]).code == "not_recipient"


def test_the_log_and_the_command_have_the_reason(service, anybody):
    now = int(time.time())
    cases = {"signature": service.token("u", key=b"1" * 32), "algorithm": service.token("u", alg="hs256"),
             "expired": service.token("u", exp=now - 60), "not_yet": service.token("u", nbf=now + 600),
             "subject": service.token("a b"), "scope": service.token("u", scope="wallet"), "malformed": "x.y"}
    for reason, token in cases.items():
        request_id = f"reason-{reason}-{now}"
        assert anybody.get("/v1/me", headers={"X-Request-Id": request_id}, token=token).status == 401
        line = next(line for line in (service.directory / "log/query.log").read_text().splitlines() if request_id in line)
        assert json.loads(line)["reason"] == reason
        done = service.ctl("token", "--explain", token, check=False)
        assert done.returncode == 1 and done.stdout.startswith(f"refused: {reason}: "), done
    done = service.ctl("token", "--explain", service.token("u", name="N", groups=["g"]))
    assert done.stdout.startswith("accepted: a user token\nuser: u\nname: N\n") and "group: g\n" in done.stdout


def test_site(service, anybody):
    answer = anybody.get("/v1/site")
    assert answer.status == 200 and answer.json["demo"] is True
    assert answer.json["limits"]["shares_max"] == 500
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    again = anybody.get("/v1/site", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and again.headers["ETag"] == answer.headers["ETag"]
    assert anybody.get("/v1/site?x=1").code == "invalid_request"


def test_requests_at_the_edges(service, user, anybody):
    alice = user(money=1000)
    headers = {"Idempotency-Key": "enc", "Content-Encoding": "gzip"}
    body = {"mode": "equal", "total": 2, "shares": 2}
    assert alice.request("POST", "/v1/envelopes", body, headers).code == "unsupported_media_type"
    assert alice.request("POST", "/v1/envelopes?x=1", body, {"Idempotency-Key": "q"}).json["member"] == "x"
    over = alice.request("POST", "/v1/envelopes", {**body, "shares": 501}, {"Idempotency-Key": "l"})
    assert (over.json["member"], over.json["limit"]) == ("shares", 500)
    alice.send(10, 1)
    service.sql(f"UPDATE account SET sent_day_fen = 1000000000000 - 9 WHERE user_id = '{alice.user}'")  # of today
    over = alice.send(10, 1)
    assert (over.code, over.json["limit"]) == ("limit_exceeded", 1000000000000)
    assert alice.send(9, 1).status == 201
    for path in ("/v1/me?limit=" + "1" * 2040, "/v1/" + "x" * 2050, "/v1/me/sent?after=" + "x" * 2030):
        assert anybody.get(path, raw=True).status in (404, 414), path[:30]


def starts(service, pool):
    done = subprocess.run([f"{BUILD}/hongbao-{pool}", "--config", service.directory / "hongbao.conf", "--check-config"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode == 0) == (done.stderr == ""), done
    return done.returncode == 0


def test_bad_keys_are_refused_at_start_and_by_doctor(service):
    guest, wallet = service.directory / "secrets/guest.key", service.directory / "secrets/wallet.key"
    kept = guest.read_text()
    pools = ("send", "grab", "open", "query")
    try:
        for text, mode, found, refusing in (
                (kept, 0o440, "accessible by its group", pools), ("0" * 64, 0o400, "a key of zeros", pools),
                (wallet.read_text(), 0o400, "a key in common", ("send",))):  # the others do not read the wallet key
            guest.chmod(0o600)
            guest.write_text(text)
            guest.chmod(mode)
            assert found in service.ctl("doctor", check=False).stdout
            assert tuple(pool for pool in pools if not starts(service, pool)) == refusing, found
    finally:
        guest.chmod(0o600)
        guest.write_text(kept)
        guest.chmod(0o400)
    assert all(starts(service, pool) for pool in pools)


def test_no_process_with_keys_dumps_core(service):
    for pool in ("send", "grab", "open", "query"):
        for pid in [service.pid(pool), *service.workers(pool)]:
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size +0 +0 ", limits), (pool, limits)
