"""What each web server runs as, started as root with the shipped files."""
import os
import pwd
import re

import pytest

from front import WEB_USER
from raw import exchange, problem
from service import SOURCE, wait_until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
# The process that keeps the listeners; it serves no request.
MASTERS = {"lighttpd": 0, "nginx": 1, "apache": 1}


@pytest.mark.needs("root")
def test_no_worker_runs_as_root(front):
    wait_until(lambda: exchange((front.address, front.port), HEALTH).status == 200, 10, "the workers serve")
    owners = [uid for _, uid in front.processes()]
    assert owners.count(0) <= MASTERS[front.name], owners
    assert pwd.getpwnam(WEB_USER).pw_uid in owners and set(owners) <= {0, pwd.getpwnam(WEB_USER).pw_uid}


@pytest.mark.needs("root")
def test_workers_hold_no_capability(front):
    for pid, uid in front.processes():
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            effective = int(re.search(r"^CapEff:\s+(\w+)", status.read(), re.M).group(1), 16)
        assert uid == 0 or effective == 0, front.name


def test_only_the_sockets_are_reached(front):
    """The page's own files are all that the server may show."""
    for target in ("/../secrets/token.key", "/%2e%2e/%2e%2e/etc/passwd", "/v1/../../etc/passwd", "/hongbao.conf", "/.git/config",
                   "/markers/current", "/current/00", "/errors/../www/index.html"):
        answer = exchange((front.address, front.port), f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.status in (400, 403, 404) or b"<title>" in answer.body, target


def test_metrics_have_a_listener_of_their_own(front):
    get = "GET /metrics HTTP/1.1\r\nHost: x\r\nHongbao-Metrics: 1\r\nHONGBAO_METRICS: 1\r\nConnection: close\r\n\r\n"
    public = exchange((front.address, front.port), get.replace("HONGBAO_METRICS: 1\r\n", "").encode())
    assert public.status == 404 and problem(public)["code"] == "not_found"
    # through a proxy on the same machine, as TLS often is
    proxied = exchange((front.address, front.port), get.replace("HONGBAO_METRICS: 1\r\n", "X-Forwarded-For: 127.0.0.1\r\n").encode())
    assert proxied.status == 404
    own = exchange(("127.0.0.1", front.metrics_port), get.replace("HONGBAO_METRICS: 1\r\n", "").encode())
    assert own.status == 200 and b"\nhongbao_database_up 1\n" in own.body
    for target in ("/", "/v1/me", "/healthz", front.script, "/v1/envelopes"):
        other = exchange(("127.0.0.1", front.metrics_port), f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert other.status in (403, 404), target


def test_every_refusal_has_a_document():
    """conf/errors has a document for each status that one of the configurations names."""
    named = set()
    for path in (SOURCE / "conf/web").iterdir():
        named |= set(re.findall(r"/errors/(\d{3})\.html", path.read_text()))
    assert len(named) > 10
    assert named <= {p.stem for p in (SOURCE / "conf/errors").iterdir()}, os.listdir(SOURCE / "conf/errors")
