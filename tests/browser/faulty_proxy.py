"""Stands between browsers and the web server, an origin of its own for each test, and spoils what it is told to.

    proxy = FaultyProxy(service.port)
    proxy.spoil("POST", r"/open$", lose_answer)            # the next open is done, its answer is lost
    proxy.spoil("POST", r"/v1/envelopes$", refuse(503, "unavailable", 1), times=3)
    gate = proxy.spoil("POST", r"/open$", Hold())           # waits until gate.release()
    proxy.asked("POST", r"/open$")                          # the requests that came, oldest first

Every connection carries one request: a browser repeats by itself what fails on a connection it used
before, and then a fault would never reach the page.
"""
import http.client
import http.server
import json
import re
import threading
import time

HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


# ---- what may be done to an exchange: fault(request, forward) -> Reply, or None to cut the connection ----

def lose_answer(_request, forward):
    forward()


def lose_request(_request, _forward):
    return None


def refuse(status, code, retry_after=None):
    """A problem document of the API, as the service gives it."""
    headers = [("Content-Type", "application/problem+json")]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    body = json.dumps({"type": "about:blank", "title": code, "status": status, "code": code, "detail": code})
    return lambda _request, _forward: Reply(status, headers, body.encode())


def answer(content):
    """An answer of the API that the service does not give at this moment."""
    body = json.dumps(content).encode()
    return lambda _request, _forward: Reply(200, [("Content-Type", "application/json")], body)


def change(edit):
    """The service's answer after edit(its content)."""
    def changed(request, forward):
        del request.headers["Accept-Encoding"]  # what is edited must not be compressed
        reply = forward()
        if reply.status == 304:  # the page keeps what it was given before
            return reply
        content = json.loads(reply.body)
        edit(content)
        reply.body = json.dumps(content).encode()
        return reply
    return changed


class Hold:
    """The request goes on when the test says so."""
    def __init__(self):
        self.released = threading.Event()

    def release(self):
        self.released.set()

    def __call__(self, _request, forward):
        self.released.wait(60)
        return forward()


class Slow(Hold):
    """The answer comes this much later."""
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def __call__(self, _request, forward):
        reply = forward()
        self.released.wait(self.seconds)
        return reply


class FaultyProxy:
    def __init__(self, upstream_port, prefix="", host="127.0.0.1"):
        self.upstream_port, self.prefix = upstream_port, prefix
        self.lock = threading.Lock()
        self.orders = []  # [method, path pattern, fault, times left or None]
        self.waiting = []  # faults that may hold a request, to be let go at the end
        self.requests = []
        self.strays = []  # paths outside the prefix
        self.bytes_sent = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self):
                self.raw_requestline = self.rfile.readline(65537)
                if self.raw_requestline and self.parse_request():
                    proxy._serve(self)
                self.close_connection = True

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, request, client_address):
                """A browser that went away takes nothing with it."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://{host}:{self.server.server_port}"
        self.url = f"{self.origin}{prefix}/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        for fault in self.waiting:
            fault.release()
        self.server.shutdown()
        self.server.server_close()

    def spoil(self, method, path, fault, times=1):
        """times: how many requests; None: every one from now on. Returns the fault."""
        with self.lock:
            self.orders.append([method, re.compile(path), fault, times])
            self.waiting += [fault] if isinstance(fault, Hold) else []
        return fault

    def mend(self):
        """From now on everything passes."""
        with self.lock:
            self.orders.clear()

    def asked(self, method, path):
        with self.lock:
            return [r for r in self.requests if r.method == method and re.search(path, r.path)]

    # ---- one exchange ----
    def _serve(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(handler.command, handler.path, handler.headers, handler.rfile.read(length))
        if not self._strip(request):
            reply = Reply(404, [("Content-Type", "text/plain")], b"outside the prefix\n")
        else:
            fault = self._take_order(request)
            reply = fault(request, lambda: self._forward(request))
        if reply is not None:
            self._send(handler.wfile, request, reply)

    def _strip(self, request):
        if not request.path.startswith(self.prefix + "/"):
            with self.lock:
                self.strays.append(request.path)
            return False
        request.path = request.path[len(self.prefix):]
        return True

    def _take_order(self, request):
        with self.lock:
            self.requests.append(request)
            for order in self.orders:
                method, path, fault, times = order
                if method != request.method or not path.search(request.path.split("?")[0]):
                    continue
                if times is not None:
                    order[3] -= 1
                if order[3] == 0:
                    self.orders.remove(order)
                return fault
        return lambda _request, forward: forward()

    def _forward(self, request):
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        body = request.body if request.method == "POST" else None
        upstream.request(request.method, request.path, body, headers)
        response = upstream.getresponse()
        reply = Reply(response.status, response.getheaders(), response.read())
        upstream.close()
        return reply

    def _send(self, out, request, reply):
        head = [f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, '')}"]
        head += [f"{name}: {value}" for name, value in reply.headers if name.lower() not in HOP_HEADERS]
        head += ["Connection: close", f"Content-Length: {len(reply.body)}"]
        raw = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        raw += b"" if request.method == "HEAD" or reply.status in (204, 304) else reply.body
        with self.lock:
            self.bytes_sent += len(raw)
        out.write(raw)
