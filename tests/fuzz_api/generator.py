"""Requests from www/openapi.json: valid, changed in ways that must not matter, and changed so that they are refused.

Each change names what the answer may be; request number i of a seed is the same whatever was sent before it."""
import dataclasses
import random

import changes
from client import API
from values import Pairs, dumps, good, near, plain, resolve

OPERATIONS = [(path, method.upper(), operation) for path, item in API["paths"].items() for method, operation in item.items()]
# Answers to a valid request that depend on what is stored: codes, states, or a status without either.
STATES = {"grab": "grabbed opened busy sold_out expired not_found not_recipient",
          "claim": "opened busy sold_out expired not_found not_recipient",
          "thanks": "200 not_found not_opened",
          "recall": "sold_out expired not_found not_sender",
          "open": "opened sold_out expired not_found not_recipient ticket_invalid",
          "envelope": "200 open sold_out expired not_found not_recipient", "metrics": "not_found", "guests": "201",
          "send": "201 insufficient_funds limit_exceeded idempotency_key_reused",
          "topups": "201 limit_exceeded reference_reused idempotency_key_reused",
          "withdrawals": "201 insufficient_funds reference_reused idempotency_key_reused"}


@dataclasses.dataclass
class Request:
    """One request, in parts that the changes of changes.py work on."""
    operation: dict
    path: str  # template
    method: str
    ids: dict
    query: list  # (name, value), both encoded
    headers: list  # (name, value)
    body: object = None  # None or Pairs
    text: bytes = None  # the body, once it is written
    target: str = None  # the path and query, once they are written
    framing: str = "length"  # or "chunked", "none"
    described: bool = True  # False: the path or method is no longer that of the operation
    allowed: set = dataclasses.field(default_factory=set)  # outcomes
    refused: bool = False  # at least one change must be refused
    changes: list = dataclasses.field(default_factory=list)
    members: set = dataclasses.field(default_factory=set)  # what a refusal may name
    limited: bool = False  # a limit refuses it, which the problem names

    @property
    def name(self):
        return self.operation["operationId"]

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def set_header(self, name, value):
        """Replace a header, add it, or remove it if value is None."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def schema(self):
        """Return the schema of the body, or None."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return next((resolve(media["schema"]) for media in content.values()), None)

    def write(self):
        """Set text and target from the other members, unless a change has."""
        if self.text is None and self.body is not None:
            self.text = dumps(self.body).encode()
        if self.target is None:
            path = self.path
            for name, value in self.ids.items():
                path = path.replace("{%s}" % name, value)
            query = "&".join(f"{name}={value}" for name, value in self.query)
            self.target = path + ("?" + query if query else "")
        return self

    def bytes(self):
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        body = self.text or b""
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
            parts = [body[at:at + 1000] for at in range(0, len(body), 1000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        elif self.framing == "length" and (body or self.method != "GET"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def token_for(rng, operation, world):
    """Return the token of a valid request, or None."""
    schemes = rng.choice(operation["security"] or [{}])
    if "wallet" in schemes:
        return rng.choice(world.wallets)
    return rng.choice(world.users) if schemes else None


def good_body(rng, name, schema, world):
    """Return a valid body that also fits the installation's limits, or what it is refused for: body, members."""
    body = good(rng, schema)
    if name == "open":
        return body.with_value("ticket", rng.choice(world.tickets)[2]), set()
    if name in ("topups", "withdrawals"):
        body = body.with_value("user", rng.choice(world.names)) if rng.random() < 0.7 else body
        return body.with_value("amount", near(rng, 1, 5000)) if rng.random() < 0.8 else body, set()
    if name != "send":
        return body, set()
    if rng.random() < 0.9:
        body = fit(rng, body, world.site["limits"])
    return body, refused_by_limits(body, world.site["limits"])


def fit(rng, body, limits):
    to = plain(body).get("to") or {}
    shares = near(rng, 1, min(limits["shares_max"], len(to.get("users", range(10**6)))))
    total = shares * near(rng, 1, limits["share_cap"] if rng.random() < 0.2 else min(limits["share_cap"], 20))
    body = body.with_value("shares", shares).with_value("total", total)
    return body.with_value("expires_in", near(rng, limits["expires_min"], limits["expires_max"]))


def refused_by_limits(body, limits):
    """Return the members of a body that is valid by its schema, but not here."""
    it = plain(body)
    wrong = set()
    if it["shares"] > limits["shares_max"] or it["shares"] > len(it.get("to", {}).get("users", range(10**7))):
        wrong.add("shares")
    if not it["shares"] <= it["total"] <= it["shares"] * limits["share_cap"]:
        wrong.add("total")
    if not limits["expires_min"] <= it.get("expires_in", limits["expires_min"]) <= limits["expires_max"]:
        wrong.add("expires_in")
    return wrong


def good_parameters(rng, request, world):
    for parameter in request.operation["parameters"]:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            request.ids[name] = rng.choice(world.envelopes) if rng.random() < 0.9 else good(rng, schema)
        elif parameter["in"] == "header":
            request.headers.append((name, good(rng, schema)))
        elif name == "after":
            if world.cursors.get(request.name) and rng.random() < 0.3:
                request.query.append((name, rng.choice(world.cursors[request.name])))
        elif rng.random() < 0.4:
            request.query.append((name, str(good(rng, schema))))


def good_request(rng, world):
    path, method, operation = rng.choice(OPERATIONS)
    request = Request(operation, path, method, {}, [], [("Host", "localhost"), ("Connection", "keep-alive")])
    good_parameters(rng, request, world)
    request.allowed = set(STATES.get(request.name, "200").split())
    token = token_for(rng, operation, world)
    ticket = rng.choice(world.tickets) if request.name == "open" and rng.random() < 0.7 else None
    if ticket:
        token, request.ids["id"], _ = ticket
    if token:
        request.headers.append(("Authorization", "Bearer " + token))
    elif {} in operation["security"]:
        request.allowed.add("unauthorized")
    schema = request.schema()
    if schema:
        request.headers.append(("Content-Type", "application/json"))
        request.body, request.members = good_body(rng, request.name, schema, world)
        request.body = request.body.with_value("ticket", ticket[2]) if ticket else request.body
        if request.members:
            request.allowed, request.refused = {"invalid_request"}, True
    return request


def generate(seed, number, world):
    """Return request number of a seed, ready to be sent."""
    rng = random.Random(f"{seed} {number}")
    request = good_request(rng, world)
    count = 0 if request.refused else rng.choices((0, 1, 2), (15, 60, 25))[0]
    changes.apply(rng, request, world, [rng.random() < 0.75 for _ in range(count)])
    return request.write()
