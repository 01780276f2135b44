"""A pool that cannot be reached or dies during a request: 503, its document, Retry-After."""
import os
import signal
import socket
import threading

import pytest

from raw import exchange, problem
from service import wait_until

REQUEST = b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HEALTH = REQUEST.replace(b"/v1/me", b"/healthz")
POST = (b"POST /v1/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n")


@pytest.fixture(params=["query", "send"])
def without_pool(service, request):
    """The pool's socket is taken away; yields its path."""
    path = service.directory / f"run/{request.param}.sock"
    path.rename(path.with_suffix(".kept"))
    yield path
    path.unlink(missing_ok=True)
    path.with_suffix(".kept").rename(path)


def assert_unavailable(answer):
    assert answer.status == 503 and problem(answer)["code"] == "unavailable"
    assert answer.headers.get_all("Retry-After") == ["1"]
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"):
        assert len(answer.headers.get_all(name, [])) == 1, name


def request_of(path):
    return REQUEST if path.stem == "query" else POST


def test_unreachable(front, without_pool):
    assert_unavailable(exchange((front.address, front.port), request_of(without_pool)))


@pytest.mark.parametrize("half", [b"", b"\x01\x06\x00\x01\x00\x20\x00\x00Status: 200 OK\r\nContent-"])
def test_dies_during_a_request(front, without_pool, half):
    """Every connection is accepted, read and closed without a whole answer."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(without_pool))
        os.chmod(without_pool, 0o666)
        listener.listen()

        def die():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(65536)
                connection.sendall(half)
                connection.close()
        thread = threading.Thread(target=die, daemon=True)
        thread.start()
        try:
            assert_unavailable(exchange((front.address, front.port), request_of(without_pool)))
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_reload_loses_nothing(front):
    """A reload of the web server while requests come: each is answered."""
    # lighttpd tries a pool that it found away again within a second
    wait_until(lambda: exchange((front.address, front.port), HEALTH).status == 200, 10, "the pool is back")
    seen, ended = [], threading.Event()

    def ask():
        while not ended.is_set():
            try:
                seen.append(exchange((front.address, front.port), HEALTH))
            except ConnectionRefusedError:
                seen.append(None)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(seen) > 50, 20, "requests before the reload")
    front.process.send_signal({"nginx": signal.SIGHUP, "apache": signal.SIGUSR1, "lighttpd": signal.SIGUSR1}[front.name])
    before = len(seen)
    wait_until(lambda: len(seen) > before + 500, 30, "requests after the reload")
    ended.set()
    for thread in threads:
        thread.join()
    assert [a and a.status for a in seen if a is None or a.status != 200] == []
