"""Metrics, summed over all processes, equal the requests sent."""
import collections
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from client import Client, find_operation
from service import wait_until
from swarm import Request, Swarm, grab_request, open_request, send_request

ROUTES = ("send", "grab", "open", "envelope")  # a route is labelled with its operationId


def requests_of(metrics, route):
    """Return the request counts of one route by state."""
    pattern = re.compile(r'hongbao_requests_total\{route="%s",state="(\w+)"\}' % route)
    return collections.Counter({m.group(1): int(v) for k, v in metrics.items() if (m := pattern.fullmatch(k))})


def metrics_client(service):
    client = Client(service)
    client.connection = service.metrics_connection()
    return client


def test_own_listener(service):
    """The public listener does not serve metrics; theirs serves nothing else."""
    public, own = Client(service), metrics_client(service)
    for method, status in (("GET", 404), ("HEAD", 404), ("POST", 405)):
        assert public.request(method, "/metrics", raw=True).status == status
    assert public.get("/metrics").code == "not_found"
    for path in ("/", "/healthz", "/v1/me", "/metrics/", "/openapi.json", "/errors/404.html"):
        assert own.request("GET", path, raw=True).status in (403, 404), path
    assert own.request("POST", "/metrics").status == 405
    assert own.get("/metrics", body="{}").code == "invalid_request"
    public.close()
    own.close()


def test_format(service):
    """Valid Prometheus text: HELP and TYPE for every family, cumulative histogram buckets."""
    client = metrics_client(service)
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    typed = dict(re.findall(r"^# TYPE (\w+) (counter|gauge|histogram)$", text, re.M))
    helped = set(re.findall(r"^# HELP (\w+) \S", text, re.M))
    assert set(typed) == helped
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name = re.fullmatch(r'(\w+)(?:\{(?:\w+="[^"]*",?)+\})? -?\d+(?:\.\d+)?', line).group(1)
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert typed.get(family) == "histogram" or name in typed, line
    for label in ('route="grab"', 'route="open"', 'route="me"'):
        buckets = [int(v) for v in
                   re.findall(r'hongbao_request_duration_seconds_bucket\{%s,le="[^"]+"\} (\d+)' % label, text)]
        total = int(re.search(r"hongbao_request_duration_seconds_count\{%s\} (\d+)" % label, text).group(1))
        assert buckets == sorted(buckets) and buckets[-1] == total
    client.close()


def test_every_request_is_counted_by_its_state(user, service, rng):
    alice = user(money=100000)
    swarm, asked = Swarm(service), collections.Counter()
    before = {route: requests_of(service.metrics(), route) for route in ROUTES}
    for _ in range(6):
        sends = [send_request(alice.token, 100, rng.randint(1, 5), f"m{rng.random()}") for _ in range(20)]
        made = swarm.fire(sends + [send_request(alice.token, 0, 1, "x")] * 3)
        envelopes = [a.json["id"] for a in made if a.status == 201]
        crowd = [service.token(f"metrics{i}") for i in range(20)]
        grabs = [grab_request(t, rng.choice(envelopes)) for t in crowd]
        grabbed = swarm.fire(grabs)
        opens = [open_request(t, g.path.split("/")[3], a.json["ticket"])
                 for t, g, a in zip(crowd, grabs, grabbed) if a.state == "grabbed"]
        views = [Request("GET", f"/v1/envelopes/{e}", alice.token) for e in envelopes]
        views += [Request("GET", f"/v1/envelopes/{envelopes[0]}")]
        for requests, answers in ((sends + [sends[0]] * 3, made), (grabs, grabbed),
                                  (opens, swarm.fire(opens)), (views, swarm.fire(views))):
            for request, answer in zip(requests, answers):
                route = find_operation(request.method, request.path)["operationId"]
                asked[route, answer.code or ("created" if route == "send" else answer.state)] += 1
    swarm.close()
    after = service.metrics()
    counted = collections.Counter()
    for route in ROUTES:
        for state, n in (requests_of(after, route) - before[route]).items():
            counted[route, state] = n
    assert counted == asked
    assert sum(asked.values()) > 300


def test_queue_gauges(user, service):
    """Gauges show credits and refunds that wait for settle, and return to 0."""
    alice, bob = user(money=1000), user()
    wait_until(lambda: service.metrics()["hongbao_pending_credits"] == 0, 10, "no pending credits")
    service.signal("settle", signal.SIGSTOP)
    try:
        won = bob.grab_and_open(alice.send(100, 1).json["id"]).json["amount"]
        alice.send(100, 1, expires_in=1)
        time.sleep(1.1)  # until it has expired
        m = service.metrics()
        assert m["hongbao_pending_credits"] == 1 and m["hongbao_pending_credits_fen"] == won
        assert m["hongbao_pending_credits_oldest_seconds"] > 1
        assert m["hongbao_overdue_refunds"] == 1
        booked, refunded = m["hongbao_claims_credited_total"], m["hongbao_envelopes_expired_total"]
    finally:
        service.signal("settle", signal.SIGCONT)
    wait_until(lambda: service.metrics()["hongbao_pending_credits"] == 0, 5, "credited")
    wait_until(lambda: service.metrics()["hongbao_overdue_refunds"] == 0, 5, "refunded")
    m = service.metrics()
    assert m["hongbao_claims_credited_total"] == booked + 1 and m["hongbao_envelopes_expired_total"] == refunded + 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing(service):
    client = metrics_client(service)
    text = client.get("/metrics").body
    client.close()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == b"", done.stdout + done.stderr


def test_processes_are_shown(service):
    metrics = service.metrics()
    for pool in ("send", "grab", "open", "query"):
        assert metrics[f'hongbao_workers_ready{{program="{pool}"}}'] == len(service.workers(pool))
        assert metrics[f'hongbao_resident_memory_bytes{{program="{pool}"}}'] > 1e6
        assert metrics[f'hongbao_open_descriptors{{program="{pool}"}}'] > 5
    assert metrics['hongbao_workers_ready{program="settle"}'] == 1
    assert sum(name.startswith("hongbao_build_info{version=") for name in metrics) == 1
    assert metrics["hongbao_cache_up"] == metrics["hongbao_database_up"] == 1
    before = metrics['hongbao_worker_restarts_total{program="open"}']
    os.kill(service.workers("open")[0], signal.SIGKILL)
    wait_until(lambda: service.metrics()['hongbao_worker_restarts_total{program="open"}'] == before + 1, 5, "counted")


def test_money_is_counted(service, user):
    before = service.metrics()
    backend = Client(service, service.token("shop", kind="wallet"))
    alice = user(money=1)
    for path, amount in (("topups", 500), ("withdrawals", 200)):
        body = {"user": alice.user, "amount": amount, "reference": f"{path}-{alice.user}"}
        for _ in range(2):  # a repeat moves nothing
            assert backend.request("POST", f"/v1/{path}", body, {"Idempotency-Key": f"{path}-{alice.user}"}).status == 201
    backend.close()
    after = service.metrics()
    assert after["hongbao_money_in_fen_total"] - before["hongbao_money_in_fen_total"] == 500
    assert after["hongbao_money_out_fen_total"] - before["hongbao_money_out_fen_total"] == 200
