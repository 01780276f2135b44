"""The same requests to each web server: the same answers, each JSON or a problem, with the security headers once."""
import json

import pytest

from raw import exchange, problem

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
ID = "01a20d63-04ab-7000-b431-b856e67a7b86"
LARGE = "x" * 80000  # too large for the web servers, the next for the pools only
POOLS_LARGE = "x" * 20000
CHUNKED = "Transfer-Encoding: chunked\r\n"


def chunks(body):
    return "".join(f"{len(part):x}\r\n{part}\r\n" for part in (body,)) + "0\r\n\r\n"


def row(name, line, headers="", body="", status=200, code=None, **more):
    """line: METHOD TARGET; {open}, {sold} and {token} are filled in. status: one, or those that are right here."""
    allowed = status if isinstance(status, tuple) else (status,)
    return pytest.param({"line": line, "headers": headers, "body": body, "status": allowed, "code": code, **more}, id=name)


TOKEN = "Authorization: Bearer {token}\r\n"
JSON = "Content-Type: application/json\r\n"
GRAB = "POST /v1/envelopes/{sold}/grab"
LOOK = "GET /v1/envelopes/{open}"
EMPTY = "Content-Length: 0\r\n"


def of_closed(call):
    """Claims or grabs of a closed envelope: by a marker if nothing speaks against it."""
    line = f"POST /v1/envelopes/{{sold}}/{call}"
    return [
        row(f"{call}-closed", line, TOKEN + EMPTY, state="sold_out"),
        row(f"{call}-closed-none-match", line, TOKEN + EMPTY + "If-None-Match: *\r\n", state="sold_out"),
        row(f"{call}-closed-match", line, TOKEN + EMPTY + 'If-Match: "x"\r\n', state="sold_out"),
        row(f"{call}-closed-modified-since", line, TOKEN + EMPTY + "If-Modified-Since: Sun, 01 Jan 2040 00:00:00 GMT\r\n",
            state="sold_out"),
        row(f"{call}-closed-unmodified-since", line, TOKEN + EMPTY + "If-Unmodified-Since: Sun, 01 Jan 2006 00:00:00 GMT\r\n",
            state="sold_out"),
        row(f"{call}-closed-range", line, TOKEN + EMPTY + "Range: bytes=0-1\r\n", state="sold_out"),
        row(f"{call}-closed-range-beyond", line, TOKEN + EMPTY + "Range: bytes=900000-\r\n", state="sold_out"),
        row(f"{call}-closed-gzip", line, TOKEN + EMPTY + "Accept-Encoding: gzip\r\n", state="sold_out"),
        row(f"{call}-closed-expect", line, TOKEN + EMPTY + "Expect: 100-continue\r\n", state="sold_out"),
        row(f"{call}-closed-absolute", f"POST http://localhost/v1/envelopes/{{sold}}/{call}", TOKEN + EMPTY, state="sold_out"),
        row(f"{call}-closed-query", line + "?x=1", TOKEN + EMPTY, status=(200, 400)),
        row(f"{call}-closed-http-1.0", line, TOKEN + EMPTY, state="sold_out", version="HTTP/1.0"),
        row(f"{call}-closed-body", line, TOKEN + JSON, "{}", status=400, code="invalid_request"),
        row(f"{call}-closed-chunked-empty", line, TOKEN + CHUNKED, "0\r\n\r\n", own_length=True, state="sold_out"),
    ]


ROWS = [
    # ---- methods ----
    row("get", LOOK, TOKEN),
    row("get-no-token", LOOK),
    row("get-me-no-token", "GET /v1/me", status=401, code="unauthorized"),
    row("get-bad-token", "GET /v1/me", "Authorization: Bearer x.y.z\r\n", status=401, code="unauthorized"),
    row("head", "HEAD /v1/envelopes/{open}", TOKEN),
    row("head-me", "HEAD /v1/me", status=401),
    row("head-grab", "HEAD /v1/envelopes/{sold}/grab", TOKEN, status=405),
    row("options", "OPTIONS /v1/me", status=405, code="method_not_allowed"),
    row("options-star", "OPTIONS *", status=(200, 400, 404, 405), api=False, bare=True),
    row("put", "PUT /v1/me", EMPTY, status=405, code="method_not_allowed"),
    row("put-body", "PUT /v1/me", JSON, "{}", status=405, code="method_not_allowed"),
    row("delete", "DELETE /v1/envelopes/{open}", status=405, code="method_not_allowed"),
    row("patch", "PATCH /v1/envelopes/{open}", JSON, "{}", status=405, code="method_not_allowed"),
    row("trace", "TRACE /v1/me", TOKEN, status=405, code="method_not_allowed"),
    row("trace-grab", "TRACE /v1/envelopes/{sold}/grab", TOKEN, status=405, code="method_not_allowed"),
    row("connect", "CONNECT /v1/me", status=(400, 405, 501)),
    row("connect-authority", "CONNECT example.com:443", status=(400, 405, 501), api=False),
    row("unknown-method", "FROB /v1/me", status=(405, 501), code="method_not_allowed"),
    row("lower-case-method", "get /v1/me", status=(400, 405, 501)),
    row("post-to-get", "POST /v1/me", EMPTY, status=405, code="method_not_allowed"),
    row("get-of-grab", "GET /v1/envelopes/{sold}/grab", TOKEN, status=405, code="method_not_allowed"),
    row("get-of-claim", "GET /v1/envelopes/{sold}/claim", TOKEN, status=405, code="method_not_allowed"),
    row("get-of-open", "GET /v1/envelopes/{open}/open", TOKEN, status=405, code="method_not_allowed"),
    row("post-health", "POST /healthz", EMPTY, status=405, code="method_not_allowed"),
    row("healthz", "GET /healthz"),
    row("readyz", "GET /readyz"),
    # ---- paths ----
    row("v1", "GET /v1", status=404, code="not_found"),
    row("v1-slash", "GET /v1/", status=404, code="not_found"),
    row("unknown", "GET /v1/nothing", status=404, code="not_found"),
    row("unknown-post", "POST /v1/nothing", EMPTY, status=404, code="not_found"),
    row("trailing-slash", LOOK + "/", status=404, code="not_found"),
    row("double-slash", "GET /v1//me", status=404, code="not_found"),
    row("not-an-id", "GET /v1/envelopes/x", status=404, code="not_found"),
    row("unknown-envelope", f"GET /v1/envelopes/{ID}", TOKEN, status=404, code="not_found"),
    row("upper-case-id", f"GET /v1/envelopes/{ID.upper()}", TOKEN, status=404, code="not_found"),
    row("marker-directory", "GET /v1/markers/86/{sold}", status=404, code="not_found"),
    row("metrics", "GET /metrics", status=404, code="not_found", api=False),
    row("v1-metrics", "GET /v1/metrics", status=404, code="not_found"),
    row("encoded-slash", "GET /v1%2Fme", status=(400, 404), api=False),
    row("encoded-nul", "GET /v1/me%00", status=(400, 404)),
    row("bad-escape", "GET /v1/me%zz", status=(400, 404)),
    row("dots", "GET /v1/../v1/me", status=(400, 401, 404)),
    row("encoded-dots", "GET /v1/%2e%2e/%2e%2e/etc/passwd", status=(400, 404), api=False),
    row("absolute-form", "GET http://localhost/v1/me", status=401, code="unauthorized"),
    row("absolute-form-token", "GET http://localhost/v1/envelopes/{open}", TOKEN),
    row("absolute-form-other-scheme", "GET ftp://localhost/v1/me", status=(400, 401, 404)),
    row("no-slash", "GET v1/me", status=(400, 404), api=False),
    row("long-query", "GET /v1/me?" + "a" * 3000, status=(404, 414, 400)),
    row("long-target", "GET /v1/" + "a" * 3000, status=(404, 414)),
    row("very-long-target", "GET /v1/" + "a" * 40000, status=(400, 414, 431)),
    row("unknown-query", "GET /v1/me?x=1", TOKEN, status=(200, 400)),
    # ---- headers ----
    row("large-header", "GET /v1/me", "X-A: " + "a" * 30000 + "\r\n", status=(400, 431)),
    row("many-headers", "GET /v1/me", "".join(f"X-{i}: a\r\n" for i in range(300)), status=(400, 401, 431)),
    row("no-host", "GET /v1/me", host=False, status=400),
    row("two-hosts", "GET /v1/me", "Host: other\r\n", status=400),
    row("bad-header-name", "GET /v1/me", "B@d header: x\r\n", status=(400, 401)),
    row("http-1.0", "GET /v1/me", status=401, code="unauthorized", version="HTTP/1.0"),
    row("http-1.0-no-host", "GET /v1/me", host=False, status=401, code="unauthorized", version="HTTP/1.0"),
    row("http-2.5", "GET /v1/me", version="HTTP/2.5", status=(400, 401, 505)),
    row("http-9", "GET /v1/me", version="HTTP/9.9", status=(400, 401, 505)),
    row("no-version", "GET /v1/me", version="NOTHTTP/1.1", status=400),
    row("expect-continue", "POST /v1/envelopes", TOKEN + JSON + "Expect: 100-continue\r\n", "{}", status=400),
    row("expect-other", "GET /v1/me", "Expect: miracle\r\n", status=(401, 417)),
    row("te-header", "GET /v1/me", "TE: trailers\r\nConnection: TE\r\n", status=401),
    row("upgrade", "GET /v1/me", "Upgrade: websocket\r\nConnection: Upgrade\r\n", status=401),
    row("two-lengths", "POST /v1/guests", "Content-Length: 2\r\nContent-Length: 3\r\n", "{}", own_length=True, status=400),
    row("negative-length", "POST /v1/guests", "Content-Length: -1\r\n", own_length=True, status=400),
    row("bad-length", "POST /v1/guests", "Content-Length: 1x\r\n", own_length=True, status=400),
    row("huge-length", "POST /v1/guests", "Content-Length: 99999999999999999999\r\n", own_length=True, status=(400, 413)),
    row("length-and-chunked", "POST /v1/guests", "Content-Length: 2\r\n" + CHUNKED, "0\r\n\r\n", own_length=True, status=(400, 415)),
    row("unknown-transfer-encoding", "POST /v1/guests", "Transfer-Encoding: frob\r\n", own_length=True, status=(400, 501)),
    # ---- conditions and ranges ----
    row("none-match", LOOK, TOKEN + "If-None-Match: {etag}\r\n", status=304),
    row("none-match-weak", LOOK, TOKEN + "If-None-Match: W/{etag}\r\n", status=304),
    row("none-match-star", LOOK, TOKEN + "If-None-Match: *\r\n", status=304),
    row("none-match-other", LOOK, TOKEN + 'If-None-Match: "x"\r\n'),
    row("match-ignored", LOOK, TOKEN + 'If-Match: "x"\r\n'),
    row("modified-since-ignored", LOOK, TOKEN + "If-Modified-Since: Sun, 01 Jan 2040 00:00:00 GMT\r\n"),
    row("unmodified-since-ignored", LOOK, TOKEN + "If-Unmodified-Since: Sun, 01 Jan 2006 00:00:00 GMT\r\n"),
    row("range-ignored", LOOK, TOKEN + "Range: bytes=0-1\r\n"),
    row("range-beyond-ignored", LOOK, TOKEN + "Range: bytes=900000-\r\n"),
    row("if-range-ignored", LOOK, TOKEN + "Range: bytes=0-1\r\nIf-Range: {etag}\r\n"),
    *(closed for call in ("claim", "grab") for closed in of_closed(call)),
    row("grab-open", "POST /v1/envelopes/{open}/grab", TOKEN + EMPTY, state="grabbed"),
    row("grab-no-token", "POST /v1/envelopes/{open}/grab", EMPTY, status=401, code="unauthorized"),
    row("claim-open", "POST /v1/envelopes/{claimed}/claim", TOKEN + EMPTY, state="opened"),
    row("claim-no-token", "POST /v1/envelopes/{open}/claim", EMPTY, status=401, code="unauthorized"),
    row("claim-body", "POST /v1/envelopes/{open}/claim", TOKEN + JSON, "{}", status=400, code="invalid_request"),
    # ---- bodies ----
    row("send-nothing", "POST /v1/envelopes", TOKEN + JSON + EMPTY, own_length=True, status=400),
    row("send-no-type", "POST /v1/envelopes", TOKEN, "{}", status=(400, 415)),
    row("send-chunked", "POST /v1/envelopes", TOKEN + JSON + "Idempotency-Key: {key}\r\n" + CHUNKED,
        chunks('{"mode":"lucky","total":10,"shares":2}'), own_length=True, status=201),
    row("send-chunked-extension", "POST /v1/envelopes", TOKEN + JSON + "Idempotency-Key: {key}x\r\n" + CHUNKED,
        "26;a=b\r\n" + '{"mode":"lucky","total":10,"shares":2}' + "\r\n0\r\n\r\n", own_length=True, status=201),
    row("chunk-size-bad", "POST /v1/envelopes", TOKEN + JSON + CHUNKED, "zz\r\n{}\r\n0\r\n\r\n", own_length=True, status=400),
    row("too-large-for-the-pool", "POST /v1/envelopes", TOKEN + JSON, POOLS_LARGE, status=413, code="body_too_large"),
    row("too-large", "POST /v1/envelopes", TOKEN + JSON, LARGE, status=413, code="body_too_large"),
    row("too-large-chunked", "POST /v1/envelopes", TOKEN + JSON + CHUNKED, chunks(LARGE), own_length=True,
        status=413, code="body_too_large"),
    row("too-large-chunked-for-the-pool", "POST /v1/envelopes", TOKEN + JSON + CHUNKED, chunks(POOLS_LARGE), own_length=True,
        status=413, code="body_too_large"),
    row("too-large-grab-for-the-pool", GRAB, TOKEN, POOLS_LARGE, status=413, code="body_too_large"),
    row("recall-of-others", "POST /v1/envelopes/{others}/recall", TOKEN + EMPTY, status=403, code="not_sender"),
    row("recall-no-token", "POST /v1/envelopes/{open}/recall", EMPTY, status=401, code="unauthorized"),
    row("get-of-recall", "GET /v1/envelopes/{sold}/recall", TOKEN, status=405, code="method_not_allowed"),
    row("too-large-claim", "POST /v1/envelopes/{sold}/claim", TOKEN, LARGE, status=413, code="body_too_large"),
    row("too-large-grab", GRAB, TOKEN, LARGE, status=413, code="body_too_large"),
    row("too-large-get", "GET /v1/me", TOKEN, LARGE, status=(400, 413)),
    row("too-large-open", "POST /v1/envelopes/{open}/open", TOKEN + JSON, LARGE, status=413, code="body_too_large"),
    row("no-length", "POST /v1/envelopes", TOKEN + JSON, own_length=True, status=(400, 411)),
    row("content-encoding", "POST /v1/envelopes", TOKEN + JSON + "Content-Encoding: gzip\r\n", "{}", status=(400, 415)),
    # ---- the page and files ----
    row("page", "GET /", api=False, kind="text/html"),
    row("page-head", "HEAD /", api=False, kind="text/html"),
    row("page-query", f"GET /?e={ID}", api=False, kind="text/html"),
    row("script", "GET {script}", api=False, kind="text/javascript"),
    row("openapi", "GET /openapi.json", api=False, kind="application/json"),
    row("missing-file", "GET /nothing.js", status=404, code="not_found", api=False),
    row("directory", "GET /assets/", status=(403, 404), code="not_found", api=False),
    row("path-below-file", "GET {script}/x", status=(403, 404), code="not_found", api=False),
    row("errors-hidden", "GET /errors/", status=(403, 404), code="not_found", api=False),
    row("post-to-file", "POST {script}", EMPTY, status=(403, 405), api=False),
    row("put-to-file", "PUT {script}", "", "{}", status=(403, 405, 501), api=False),
    row("page-range", "GET {script}", "Range: bytes=0-9\r\n", status=206, api=False, kind="text/javascript"),
]


@pytest.fixture(scope="module")
def scene(service):
    """An open and a sold-out envelope, and a user's token."""
    from client import Client
    alice, bob = Client(service, service.token("table-a")), Client(service, service.token("table-b"))
    service.ctl("topup", "table-a", 100000)
    service.ctl("topup", "table-b", 100)
    others = bob.send(100, 1).json["id"]
    sold, live, claimed = (alice.send(100, shares).json["id"] for shares in (1, 90, 90))
    assert bob.grab_and_open(sold).state == "opened"
    # Until the marker is there, the pool answers: both are tested.
    yield {"open": live, "others": others, "claimed": claimed, "sold": sold, "token": alice.token, "etag": alice.envelope(live).headers["ETag"]}
    alice.close()
    bob.close()


@pytest.fixture
def filled(scene, front, request):
    etag = exchange((front.address, front.port), (f"GET /v1/envelopes/{scene['open']} HTTP/1.1\r\nHost: x\r\n"
                    f"Authorization: Bearer {scene['token']}\r\nConnection: close\r\n\r\n").encode()).headers["ETag"]
    return {**scene, "script": front.script, "etag": etag, "key": f"{front.name}-{front.port}"}


def put_in(text, values):
    for name, value in values.items():
        text = text.replace("{%s}" % name, value)
    return text


def request_bytes(case, values):
    head = f"{put_in(case['line'], values)} {case.get('version', 'HTTP/1.1')}\r\n"
    if case.get("host", True):
        head += "Host: localhost\r\n"
    head += put_in(case["headers"], values)
    body = case["body"]
    if body and not case.get("own_length"):
        head += f"Content-Length: {len(body)}\r\n"
    if "Connection:" not in head:
        head += "Connection: close\r\n"
    return (head + "\r\n" + body).encode()


def once(answer, name):
    values = answer.headers.get_all(name, [])
    assert len(values) == 1, (name, values, answer)
    return values[0]


@pytest.mark.parametrize("case", ROWS)
def test_row(front, filled, case):
    method = case["line"].split()[0]
    answer = exchange((front.address, front.port), request_bytes(case, filled), method)
    assert answer is not None, "closed without an answer"
    assert answer.status in case["status"], answer
    if answer.status == 200 and "kind" in case:
        assert answer.headers["Content-Type"].startswith(case["kind"])
    elif answer.status >= 400 and method != "HEAD":
        document = problem(answer)
        assert case["code"] in (None, document["code"]), document
    elif answer.status == 200 and method != "HEAD" and case.get("api", True):
        assert once(answer, "Content-Type") == "application/json"
        document = json.loads(answer.body)
        assert "state" not in case or document["state"] == case["state"], document
    if case.get("api", True):
        assert once(answer, "Content-Security-Policy") == API_POLICY
    if case.get("bare"):
        return
    once(answer, "X-Content-Type-Options")
    once(answer, "Referrer-Policy")
    once(answer, "Cache-Control")
    for name in ("Content-Type", "Retry-After", "Allow", "ETag", "Content-Length", "Vary", "WWW-Authenticate"):
        assert len(answer.headers.get_all(name, [])) <= 1, (name, answer)
    if answer.status == 405 and method not in ("TRACE",):
        assert "POST" in answer.headers.get("Allow", "POST") or "GET" in answer.headers["Allow"]
