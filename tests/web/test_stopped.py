"""Worker processes that are stopped do not hold requests much longer than the deadline."""
import json
import os
import signal
import time

from client import Client

DEADLINE_S = 5


def test_stopped_workers(front, service, user):
    client = Client(front, user().token)
    stopped = service.workers("query")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = client.request("GET", "/v1/me", raw=True)
        assert time.monotonic() - began < DEADLINE_S + 5  # lighttpd checks its time-outs every few seconds
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    problem = json.loads(answer.body)
    assert problem["code"] == "unavailable" and problem["status"] == answer.status
    assert answer.status == (504 if front.name == "apache" else 503)
    assert answer.headers["Retry-After"]
    client.close()
    assert client.get("/v1/me").status == 200
    client.close()
