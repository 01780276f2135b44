"""Grabs and claims through each web server, and the markers that spare the pools most of them."""
import os
import signal

import pytest

from client import Client
from service import wait_until


def comparable(answer):
    """Return the parts of an answer that must not differ between web servers."""
    names = ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy",
             "Content-Security-Policy", "Last-Modified", "ETag", "Accept-Ranges", "Allow", "Retry-After")
    return answer.status, answer.body, {n: set(answer.headers.get_all(n, [])) for n in names}


@pytest.mark.parametrize("call,pool", [("grab", "grab"), ("claim", "open")])
def test_answers_from_pool_and_markers(front, service, user, call, pool):
    alice, bob = user(money=1000), user()
    sold, live = alice.send(100, 1).json["id"], alice.send(100, 2).json["id"]
    some = alice.send(100, 1, to={"group": "late"}).json["id"]
    client = Client(front, service.token(bob.user, groups=["late"]))
    for envelope in (sold, some):
        assert client.grab_and_open(envelope).state == "opened"
    assert getattr(client, call)(live).state == {"grab": "grabbed", "claim": "opened"}[call]
    # if the hint was lost, the gate is corrected within seconds
    late = Client(front, service.token(f"late-{bob.user}", groups=["late"]))
    by_the_pool = wait_until(lambda: (a := getattr(late, call)(some)).state == "sold_out" and a, 10, "sold out")
    assert by_the_pool.headers["X-Request-Id"]
    stopped = service.workers(pool)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        answers = [getattr(client, call)(sold) for _ in range(20)]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert not any("X-Request-Id" in a.headers for a in answers)
    for answer in answers:
        assert comparable(answer) == comparable(by_the_pool)
    client.close()
    late.close()


@pytest.mark.parametrize("call", ["grab", "claim"])
def test_other_requests_get_no_marker(front, user, call):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 1).json["id"]
    bob.grab_and_open(envelope)
    path, client = f"/v1/envelopes/{envelope}/{call}", Client(front, bob.token)
    for method in ("GET", "PUT"):
        answer = client.request(method, path, raw=True)
        assert answer.status == 405 and answer.headers["Allow"] == "POST"
    assert client.request("HEAD", path, raw=True).status == 405
    assert client.request("POST", path, "{}").code == "invalid_request"
    assert client.request("POST", path + "/").code == "not_found"
    client.close()
    assert client.request("POST", path, "x" * 20000).status == 413
    client.close()
    other = envelope[:-1] + ("0" if envelope[-1] != "0" else "1")
    assert getattr(client, call)(other).code == "not_found"
    for inner in ("/current", "/markers", "/v1/markers"):
        assert client.get(f"{inner}/{envelope[-2:]}/{envelope}", raw=True).status == 404
    client.close()
