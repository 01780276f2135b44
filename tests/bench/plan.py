"""Prepared requests, in the format of the load client (load_plan.h)."""
import base64
import hmac
import pathlib
import struct
import tempfile
import time
import uuid

SHARED_MEMORY = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
TICKET_BYTES = 39  # 29 bytes in base64url


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Signer:
    """Make tokens and tickets with the service's keys, which is faster than requesting them."""

    def __init__(self, token_key, ticket_key, generation):
        self.token_key, self.ticket_key, self.generation = token_key, ticket_key, generation
        self.head = _base64url(b'{"alg":"HS256","typ":"JWT"}') + b"."
        self.expires_s = int(time.time()) + 86400
        self.tokens = {}

    def token(self, user, group=None):
        """Return the token of a user in a group, or in none, always the same one."""
        token = self.tokens.get((user, group))
        if token is None:
            groups = b',"groups":["%s"]' % group.encode() if group else b""
            text = self.head + _base64url(b'{"sub":"%s","exp":%d%s}' % (user.encode(), self.expires_s, groups))
            token = text + b"." + _base64url(hmac.digest(self.token_key, text, "sha256"))
            self.tokens[user, group] = token
        return token

    def ticket(self, envelope, user, life_s=3000):
        expires = (int(time.time()) + life_s).to_bytes(4, "big")
        message = b"hongbao-ticket-1" + self.generation + uuid.UUID(envelope).bytes + expires + user.encode()
        return _base64url(b"\1" + expires + hmac.digest(self.ticket_key, message, "sha256")[:24])


def request(method, path, token=None, body=None, key=None, etag=None):
    lines = [f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()]
    if token:
        lines.append(b"Authorization: Bearer " + token + b"\r\n")
    if key:
        lines.append(b"Idempotency-Key: " + key.encode() + b"\r\n")
    if etag:
        lines.append(b"If-None-Match: " + etag.encode() + b"\r\n")
    if body:
        lines.append(b"Content-Type: application/json\r\n")
    if method == "POST":
        lines.append(b"Content-Length: %d\r\n" % len(body or b""))
    lines.append(b"\r\n")
    return b"".join(lines) + (body or b"")


def grab(envelope, token):
    return request("POST", f"/v1/envelopes/{envelope}/grab", token)


def claim(envelope, token):
    return request("POST", f"/v1/envelopes/{envelope}/claim", token)


def open_(envelope, token, ticket):
    return request("POST", f"/v1/envelopes/{envelope}/open", token, b'{"ticket":"%s"}' % ticket)


def send(token, total_fen, shares, expires_s=80000, group=None):
    to = b',"to":{"group":"%s"}' % group.encode() if group else b""
    body = b'{"mode":"lucky","total":%d,"shares":%d,"expires_in":%d%s}' % (total_fen, shares, expires_s, to)
    return request("POST", "/v1/envelopes", token, body, uuid.uuid4().hex)


def topup(wallet_token, user, amount_fen):
    reference = uuid.uuid4().hex
    body = b'{"user":"%s","amount":%d,"reference":"%s"}' % (user.encode(), amount_fen, reference.encode())
    return request("POST", "/v1/topups", wallet_token, body, reference)


def etag_in(request):
    """Return offset and length of the ETag in a request; zeros if it has none."""
    _, name, rest = request.partition(b"If-None-Match: ")
    return (len(request) - len(rest), rest.index(b"\r\n")) if name else (0, 0)


class Plan:
    """A file of requests, which exists until close().

    requests: each is bytes, or a pair (grab, open) where TICKET_BYTES question marks in the open are replaced by the
    ticket. In a request with If-None-Match, the client replaces the ETag by that of the latest answer."""

    def __init__(self, requests):
        hole = b"?" * TICKET_BYTES
        self.count = 0
        self.file = tempfile.NamedTemporaryFile(prefix="hb-plan-", dir=SHARED_MEMORY)
        for item in requests:
            first, then = item if isinstance(item, tuple) else (item, b"")
            hole_at, hole_bytes = (then.index(hole), TICKET_BYTES) if then else etag_in(first)
            self.file.write(struct.pack("=4I", len(first), len(then), hole_at, hole_bytes))
            self.file.write(first + then)
            self.count += 1
        self.file.flush()

    def close(self):
        self.file.close()
