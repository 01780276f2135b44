"""A FastCGI client for Unix sockets that can send well-formed and malformed records.

    answer = fcgi_client.request("/path/query.sock", "GET", "/healthz")
    answer.status, answer.headers["content-type"], answer.body

It needs only the standard library. As a command, it prints one answer:
    fcgi_client.py SOCKET METHOD URI [BODY]
"""
import socket
import struct
import sys

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
GET_VALUES = 9
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1


class Broken(Exception):
    """The connection ended before a complete answer arrived."""


class Answer:
    def __init__(self, raw):
        head, separator, self.body = raw.partition(b"\r\n\r\n")
        if not separator:
            raise Broken("no end of headers in %r" % raw[:200])
        lines = [line.partition(": ") for line in head.decode("ascii").split("\r\n")]
        self.headers = {name.lower(): value for name, _, value in lines}
        self.status = int(self.headers["status"].split()[0])


def record(kind, content=b"", request_id=1, version=1, padding=0):
    return (struct.pack(">BBHHBx", version, kind, request_id, len(content), padding)
            + content + b"\0" * padding)


def stream(kind, content, chunk=65535):
    """Return the records of a whole stream, including the empty record that ends it."""
    parts = [record(kind, content[i:i + chunk]) for i in range(0, len(content), chunk)]
    return b"".join(parts) + record(kind)


def length(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">L", n | 0x80000000)


def pair(name, value):
    name, value = name.encode(), value.encode() if isinstance(value, str) else value
    return length(len(name)) + length(len(value)) + name + value


def params(method, uri, body=b"", headers=None, **more):
    """Return the parameters a web server passes for a request. more: parameters to add, or to omit if None."""
    found = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "REMOTE_ADDR": "127.0.0.1",
             "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_LENGTH": str(len(body))}
    for name, value in (headers or {}).items():
        name = name.upper().replace("-", "_")
        found[name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name] = value
    found.update(more)
    return b"".join(pair(n, v) for n, v in found.items() if v is not None)


def begin(role=RESPONDER, flags=0):
    return record(BEGIN_REQUEST, struct.pack(">HB5x", role, flags))


def request_bytes(method, uri, body=b"", headers=None, flags=0, **more):
    return (begin(flags=flags) + stream(PARAMS, params(method, uri, body, headers, **more))
            + stream(STDIN, body))


def connect(path, timeout=20):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(timeout)
    s.connect(path)
    return s


def read_records(s):
    """Yield each (kind, content) until the peer closes the connection."""
    data = b""
    while True:
        chunk = s.recv(65536)
        if not chunk:
            break
        data += chunk
    while len(data) >= 8:
        _, kind, _, size, padding = struct.unpack(">BBHHBx", data[:8])
        yield kind, data[8:8 + size]
        data = data[8 + size + padding:]


def read_answer(s):
    out, ended = b"", False
    for kind, content in read_records(s):
        if kind == STDOUT:
            out += content
        ended |= kind == END_REQUEST
    if not ended:
        raise Broken("no END_REQUEST after %r" % out[:200])
    return Answer(out)


def exchange(path, data, timeout=20):
    """Send raw bytes and return the answer."""
    with connect(path, timeout) as s:
        s.sendall(data)
        return read_answer(s)


def request(path, method, uri, body=b"", headers=None, timeout=20, **more):
    return exchange(path, request_bytes(method, uri, body, headers, **more), timeout)


if __name__ == "__main__":
    got = request(sys.argv[1], sys.argv[2], sys.argv[3],
                  sys.argv[4].encode() if len(sys.argv) > 4 else b"",
                  {"Content-Type": "application/json"})
    for header in got.headers.items():
        print("%s: %s" % header)
    print("\n" + got.body.decode())
