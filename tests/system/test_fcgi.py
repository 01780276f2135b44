"""The FastCGI programs, used directly through their sockets, with valid and invalid records."""
import collections
import os
import signal
import stat
import threading
import time

import pytest

import fcgi_client as fcgi
from service import wait_until

POOLS = ["send", "grab", "open", "query"]


def address(service, pool):
    return str(service.directory / "run" / f"{pool}.sock")


def answers(service, pool):
    """Return True if the pool answers at all; only the query pool knows /healthz."""
    return fcgi.request(address(service, pool), "GET", "/healthz").status in (200, 404)


@pytest.mark.parametrize("pool", POOLS)
def test_socket_mode(service, pool):
    assert stat.S_IMODE(os.stat(address(service, pool)).st_mode) == 0o660


def hostile():
    begin = fcgi.begin()
    post = fcgi.stream(fcgi.PARAMS, fcgi.params("POST", "/v1/guests", b"{}"))
    yield "nothing", b""
    yield "zeros", bytes(64)
    yield "ones", b"\xff" * 100
    yield "begin only", begin
    yield "no body", begin + post
    yield "half a body", begin + post + fcgi.record(fcgi.STDIN, b"{")
    yield "short begin", fcgi.record(fcgi.BEGIN_REQUEST, b"x")
    yield "authorizer", fcgi.begin(role=fcgi.AUTHORIZER) + post
    yield "unknown role", fcgi.begin(role=9) + post
    yield "wrong version", fcgi.record(fcgi.BEGIN_REQUEST, bytes(8), version=9)
    yield "begun twice", begin + begin + post
    yield "unknown record", begin + fcgi.record(99, b"zz")
    yield "aborted", begin + fcgi.record(fcgi.ABORT_REQUEST)
    yield "values asked", fcgi.record(fcgi.GET_VALUES, b"\x0f\0FCGI_MPXS_CONNS", request_id=0)
    yield "another request's", begin + fcgi.record(fcgi.PARAMS, b"x", request_id=7)
    for name, content in {"name": b"\xff" * 8 + b"AB", "cut": b"\x80", "long": b"\x7f\xff"}.items():
        yield f"params {name}", begin + fcgi.stream(fcgi.PARAMS, content)
    many = b"".join(fcgi.pair(f"A{i}", "x" * 50) for i in range(20000))
    yield "many params", begin + fcgi.stream(fcgi.PARAMS, many)


@pytest.mark.parametrize("pool", POOLS)
def test_malformed_records(service, pool):
    """Malformed records get no answer and kill no worker."""
    before = service.workers(pool)
    for name, data in hostile():
        with fcgi.connect(address(service, pool)) as s:
            with pytest.raises((fcgi.Broken, OSError)):  # a worker may close the connection before it has all
                s.sendall(data)
                s.shutdown(1)
                pytest.fail(f"{name}: {fcgi.read_answer(s).status}")
    assert service.workers(pool) == before
    assert answers(service, pool)


@pytest.mark.parametrize("length", ["-1", "+2", "2 ", " 2", "0x2", "1e1", "", "1", "9" * 20, None])
def test_invalid_content_length(service, length):
    got = fcgi.exchange(address(service, "send"), fcgi.request_bytes(
        "POST", "/v1/guests", b"{}", {"Content-Type": "application/json"}, CONTENT_LENGTH=length))
    assert got.status == 411


def test_large_body_is_read_before_it_is_refused(service):
    """The body is read and discarded, so that a connection reset does not lose the answer."""
    got = fcgi.request(address(service, "send"), "POST", "/v1/guests", b"x" * 1000000,
                       {"Content-Type": "application/json"})
    assert got.status == 413


def unfinished():
    whole = fcgi.request_bytes("POST", "/v1/envelopes", b"{}", {"Content-Type": "application/json"})
    said = {"nothing": b"", "a header": whole[:8], "half of it": whole[:30], "all but the end": whole[:-9],
            "all but a byte": whole[:-1], "an end": fcgi.record(fcgi.STDIN),
            "no parameters": fcgi.begin() + fcgi.record(fcgi.STDIN),
            "another's end": whole[:-8] + fcgi.record(fcgi.STDIN, request_id=2),
            "values asked": fcgi.record(fcgi.GET_VALUES, request_id=0) + fcgi.record(fcgi.STDIN, request_id=0)}
    return [pytest.param(data, id=name) for name, data in said.items()]


@pytest.mark.parametrize("said", unfinished())
@pytest.mark.parametrize("pool", POOLS)
def test_incomplete_requests_do_not_delay_others(service, pool, said):
    """More connections than threads hold an incomplete or invalid request; other requests are still answered."""
    silent = [fcgi.connect(address(service, pool)) for _ in range(80)]
    for s in silent:
        s.sendall(said)
    began = time.monotonic()
    assert all(answers(service, pool) for _ in range(20))
    assert time.monotonic() - began < 5
    for s in silent:
        s.close()


def test_slow_request_is_answered(service):
    """The request arrives a few bytes at a time."""
    whole = fcgi.request_bytes("GET", "/v1/me")
    with fcgi.connect(address(service, "query")) as s:
        for at in range(0, len(whole), 16):
            s.sendall(whole[at:at + 16])
            time.sleep(0.005)
        assert fcgi.read_answer(s).status == 401


def test_head_and_keep_alive(service):
    path = address(service, "query")
    got = fcgi.request(path, "HEAD", "/healthz")
    assert got.status == 200 and got.body == b"" and int(got.headers["content-length"]) > 0
    # the connection is closed all the same: an idle one would occupy a thread
    assert fcgi.exchange(path, fcgi.request_bytes("GET", "/healthz", flags=fcgi.KEEP_CONN)).body


def test_route_of_another_program(service):
    assert fcgi.request(address(service, "send"), "GET", "/v1/me").status in (401, 404)
    assert fcgi.request(address(service, "grab"), "GET", "/healthz").status == 404
    got = fcgi.request(address(service, "send"), "PUT", "/v1/envelopes")
    assert got.status == 405 and got.headers["allow"] == "POST"


def test_metrics_need_the_parameter_of_their_listener(service):
    path = address(service, "query")
    for given, status in (("1", 200), ("0", 404), ("11", 404), ("", 404), (None, 404)):
        more = {} if given is None else {"HONGBAO_METRICS": given}
        answer = fcgi.request(path, "GET", "/metrics", REMOTE_ADDR="127.0.0.1", HTTP_HONGBAO_METRICS="1", **more)
        assert answer.status == status, given


class Load:
    """Threads that send requests without pause and count those that got no answer."""

    def __init__(self, ask, threads=8):
        self.answered, self.lost, self.ended = 0, collections.Counter(), threading.Event()
        self.ask = ask
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        while not self.ended.is_set():
            try:
                self.ask()
                self.answered += 1
            except Exception as e:  # pylint: disable=broad-except
                self.lost[repr(e)] += 1

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *args):
        self.ended.set()
        for t in self.threads:
            t.join()


@pytest.mark.parametrize("pool", POOLS)
def test_no_request_is_lost_when_a_worker_stops(service, pool):
    def ask():
        assert answers(service, pool)

    with Load(ask) as load:
        for _ in range(6):
            first = wait_until(lambda: len(service.workers(pool)) == 2 and service.workers(pool), 20,
                               "two workers")[0]
            time.sleep(0.2)
            os.kill(first, signal.SIGTERM)
            wait_until(lambda: first not in service.workers(pool), 20, "the worker has stopped")
    assert load.answered > 100
    assert not load.lost


@pytest.mark.parametrize("pool", POOLS)
def test_a_killed_worker_is_replaced(service, pool):
    for pid in service.workers(pool):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(service.workers(pool)) == 2, 10, "both workers are replaced")
    assert answers(service, pool)


def test_log_is_reopened_on_sighup(service):
    log = service.directory / "log" / "query.log"
    moved = log.with_suffix(".moved")
    log.rename(moved)
    os.kill(service.pid("query"), signal.SIGHUP)
    wait_until(log.exists, 5, "a new log file")

    def written():
        fcgi.request(address(service, "query"), "GET", "/healthz", headers={"X-Request-Id": "rotated"})
        return "rotated" in log.read_text()
    wait_until(written, 5, "a line in the new log file")
    with moved.open("a") as old:
        old.write(log.read_text())
    moved.rename(log)
    os.kill(service.pid("query"), signal.SIGHUP)
