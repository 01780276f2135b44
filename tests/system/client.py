"""The HTTP client of the tests. It validates every response against www/openapi.json."""
import http.client
import json
import re
import time
import uuid

import jsonschema

from service import SOURCE

API = json.loads((SOURCE / "www/openapi.json").read_text())
RESOLVER = jsonschema.RefResolver("", API)
VALIDATORS = {}
SEEN = set()  # (operation, status, code or state)


def validator(schema):
    key = json.dumps(schema, sort_keys=True)
    if key not in VALIDATORS:
        VALIDATORS[key] = jsonschema.Draft202012Validator(schema, resolver=RESOLVER)
    return VALIDATORS[key]


def find_operation(method, path):
    """Return the declared operation for a request, or None if its path is not declared."""
    path = path.split("?")[0]
    for pattern, operations in API["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            operation = operations.get(method.lower())
            return operation or next(iter(operations.values()))
    return None


def declared():
    """Yield each (operation, status, code or state) that www/openapi.json declares."""
    for operations in API["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                for word in response.get("x-problem-codes") or response.get("x-states") or [""]:
                    yield operation["operationId"], int(status), word


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        self.json = None
        if body and "json" in headers.get("Content-Type", ""):
            self.json = json.loads(body)

    @property
    def code(self):
        return (self.json or {}).get("code", "")

    @property
    def state(self):
        return (self.json or {}).get("state", "")

    def __repr__(self):
        return f"<{self.status} {self.body[:300]}>"


def check_headers(answer, request_id):
    headers = answer.headers
    if answer.status in (429, 503) or answer.state == "busy":
        assert int(headers["Retry-After"]) >= 1, answer
    if answer.status == 401:
        assert headers["WWW-Authenticate"].startswith("Bearer"), answer
    if answer.status == 405:
        assert headers["Allow"], answer
    if request_id and "X-Request-Id" in headers:
        assert headers["X-Request-Id"] == request_id
    if "X-Request-Id" in headers or answer.status < 400:  # otherwise the web server never read the whole request
        assert headers["X-Content-Type-Options"] == "nosniff"


def check_declared(operation, answer):
    response = operation["responses"].get(str(answer.status))
    assert response, f"{operation['operationId']}: status {answer.status} is not declared: {answer}"
    for name, header in response.get("headers", {}).items():
        if RESOLVER.resolve(header["$ref"])[1]["required"]:
            assert name in answer.headers, f"{name} is missing: {answer}"
    if answer.status == 200 and answer.state not in ("sold_out", "expired"):
        assert "X-Request-Id" in answer.headers, answer  # only markers lack it
    word = answer.code or (answer.state if "x-states" in response else "")
    if "x-problem-codes" in response:
        assert word in response["x-problem-codes"], f"{operation['operationId']}: {answer}"
    SEEN.add((operation["operationId"], answer.status, word))
    if "content" not in response:
        assert answer.body == b""
        return
    (content_type, content), = response["content"].items()
    assert answer.headers["Content-Type"].startswith(content_type), answer
    if answer.json is not None:
        validator(content["schema"]).validate(answer.json)


class Client:
    """One keep-alive connection. Not thread-safe."""

    def __init__(self, service, token=None, timeout=30):
        self.service = service
        self.token = token
        self.used = time.monotonic()
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=timeout)

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None, token=None, raw=False):
        headers = dict(headers or {})
        token = token if token is not None else self.token
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if method == "POST" and body is None:
            body = ""
        if time.monotonic() - self.used > 3:
            self.connection.close()  # the web server drops idle connections
        self.used = time.monotonic()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if not raw:
            operation = find_operation(method, path)
            check_headers(answer, headers.get("X-Request-Id"))
            if operation:
                check_declared(operation, answer)
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    # ---- one method per operation ----
    def send(self, total, shares, mode="lucky", key=None, **more):
        key = key or uuid.uuid4().hex
        return self.request("POST", "/v1/envelopes",
                            {"mode": mode, "total": total, "shares": shares, **more},
                            {"Idempotency-Key": key})

    def claim(self, envelope):
        return self.request("POST", f"/v1/envelopes/{envelope}/claim")

    def claim_until_final(self, envelope, seconds=30):
        """Claim as a well-behaved client does: wait when busy, repeat after 429 and 503. Return the last answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.claim(envelope)
            if answer.status not in (200, 429, 503) or (answer.status == 200 and answer.state != "busy"):
                return answer
            time.sleep(min(float(answer.headers["Retry-After"]), 1.0) * 0.5)
        raise AssertionError(f"no final answer within {seconds} s: {answer}")

    def grab(self, envelope):
        return self.request("POST", f"/v1/envelopes/{envelope}/grab")

    def open(self, envelope, ticket):
        return self.request("POST", f"/v1/envelopes/{envelope}/open", {"ticket": ticket})

    def envelope(self, envelope, **more):
        return self.get(f"/v1/envelopes/{envelope}", **more)

    def grab_and_open(self, envelope, seconds=30):
        """Grab and open as a well-behaved client does: wait when busy, repeat after 503, grab again on
        ticket_expired. Return the last answer: opened, sold_out or expired."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.grab(envelope)
            if answer.status == 200 and answer.state == "grabbed":
                answer = self.open(envelope, answer.json["ticket"])
            if answer.status == 200 and answer.state != "busy":
                return answer
            if answer.status in (200, 429, 503):
                time.sleep(min(float(answer.headers["Retry-After"]), 1.0) * 0.5)
                continue
            if answer.code != "ticket_expired":
                return answer
        raise AssertionError(f"no final answer within {seconds} s: {answer}")
