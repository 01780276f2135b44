"""Many simultaneous clients: all requests are written before the first answer is read. Every answer is validated
like those of client.py."""
import http.client
import io
import json
import selectors
import socket
import time

from client import Answer, check_declared, check_headers, find_operation

HEADERS_MAX = 65536


class _Socket:
    """A complete response, in the form that HTTPResponse reads from."""

    def __init__(self, data):
        self.data = data

    def makefile(self, _mode):
        return io.BytesIO(self.data)


def parse(data):
    response = http.client.HTTPResponse(_Socket(data))
    response.begin()
    return Answer(response.status, response.headers, response.read()), response.will_close


def whole(data):
    """Return True if data holds a complete answer."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        assert len(head) < HEADERS_MAX
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line[15:])
    return head.startswith(b"HTTP/1.1 304") or head.startswith(b"HTTP/1.1 204")


class Request:
    """A request, encoded as bytes."""

    def __init__(self, method, path, token=None, body=None, key=None):
        self.method, self.path = method, path
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if key:
            lines.append(f"Idempotency-Key: {key}")
        if body is not None:
            lines.append("Content-Type: application/json")
        payload = b"" if body is None else json.dumps(body).encode()
        if method == "POST":
            lines.append(f"Content-Length: {len(payload)}")
        self.data = "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def send_request(token, total, shares, key, **more):
    return Request("POST", "/v1/envelopes", token, {"mode": "lucky", "total": total, "shares": shares, **more}, key)


def claim_request(token, envelope):
    return Request("POST", f"/v1/envelopes/{envelope}/claim", token)


def grab_request(token, envelope):
    return Request("POST", f"/v1/envelopes/{envelope}/grab", token)


def open_request(token, envelope, ticket):
    return Request("POST", f"/v1/envelopes/{envelope}/open", token, {"ticket": ticket})


class Swarm:
    """A pool of keep-alive connections that grows to the largest number needed at once."""

    def __init__(self, service, timeout=30):
        self.port, self.timeout = service.port, timeout
        self.idle = []
        self.checked = set()

    def close(self):
        for connection in self.idle:
            connection.close()
        self.idle = []

    def _connections(self, n):
        """Return n connections that the server has not closed."""
        fit = []
        for connection in self.idle:
            connection.setblocking(False)
            try:
                gone = connection.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                connection.close()
            else:
                fit.append(connection)
        while len(fit) < n:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fit.append(connection)
        self.idle = fit[n:]
        return fit[:n]

    def check(self, request, answer):
        """Validate an answer. Answers that differ only in X-Request-Id are validated once."""
        operation = find_operation(request.method, request.path)
        same = (operation["operationId"], answer.status, answer.body, answer.headers.get("Retry-After"))
        if same not in self.checked:
            check_headers(answer, None)
            check_declared(operation, answer)
            self.checked.add(same)

    def fire(self, requests):
        """Send all requests at once; return the answers in the order of the requests."""
        connections = self._connections(len(requests))
        waiting = selectors.DefaultSelector()
        for i, connection in enumerate(connections):
            connection.setblocking(True)
            waiting.register(connection, selectors.EVENT_READ, i)
        for connection, request in zip(connections, requests):  # only writes happen from here on
            connection.sendall(request.data)
        buffers, answers = [b""] * len(requests), [None] * len(requests)
        left, end = len(requests), time.monotonic() + self.timeout
        while left:
            ready = waiting.select(max(end - time.monotonic(), 0))
            assert ready, f"{left} of {len(requests)} answers are missing after {self.timeout} s"
            for key, _ in ready:
                i, chunk = key.data, key.fileobj.recv(65536)
                assert chunk, f"the connection was closed after {buffers[i][:200]}"
                buffers[i] += chunk
                if not whole(buffers[i]):
                    continue
                answers[i], will_close = parse(buffers[i])
                waiting.unregister(key.fileobj)
                left -= 1
                if will_close:
                    key.fileobj.close()
                else:
                    self.idle.append(key.fileobj)
        waiting.close()
        for request, answer in zip(requests, answers):
            self.check(request, answer)
        return answers
