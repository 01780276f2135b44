"""The clients of clients/ against the service, through a proxy that fails as services and networks do."""
import http.server
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from service import SOURCE

sys.path.insert(0, str(SOURCE / "clients/python"))
import hongbao  # noqa: E402

PROBLEMS = {"409": "idempotency_in_progress", "429": "rate_limited", "503": "unavailable"}
DRIVER = """
import {Hongbao} from '%s/clients/javascript/hongbao.js';
const {base, token, options, method, words} = JSON.parse(process.argv[1]);
const show = (value) => console.log(JSON.stringify(value));
await new Hongbao(base, token, options)[method](...words).then((result) => show({result}),
    (error) => show({error: error.constructor.name, code: error.code ?? ''}));
"""


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards requests, except as `faults` says of the next ones: a status with Retry-After, "lost": forwarded, but
    the connection is closed instead of the answer, "refused": closed at once, "html": 502 without JSON."""

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.faults, self.seen = port, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        self.server.seen.append((self.command, self.path, body, self.headers["Idempotency-Key"]))
        self.close_connection = True
        if fault in PROBLEMS:
            self.answer(int(fault), json.dumps({"code": PROBLEMS[fault]}).encode(), [("Retry-After", "1")])
        elif fault == "html":
            self.answer(502, b"<html>bad gateway</html>")
        elif fault != "refused":
            self.forward(body, fault == "lost")

    def forward(self, body, lose):
        names = ("Authorization", "Content-Type", "Idempotency-Key")
        headers = {name: self.headers[name] for name in names if self.headers[name]}
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.target}{self.path}", headers=headers,
                                         data=body if self.command == "POST" else None, method=self.command)
        try:
            got = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            got = error
        with got:
            text = got.read()
        if not lose:
            kept = [(n, got.headers[n]) for n in ("Content-Type", "Retry-After") if got.headers[n]]
            self.answer(got.status, text, kept)

    do_POST = do_GET


@pytest.fixture(scope="module")
def proxy(service):
    made = Proxy(service.port)
    yield made
    made.shutdown()
    made.server_close()


def in_python(base, token, options, method, words):
    client = hongbao.Hongbao(base, token, **options)
    *words, more = [*words, {}] if not (words and isinstance(words[-1], dict)) else words
    try:
        return {"result": getattr(client, method)(*words, **more)}
    except (hongbao.Refused, hongbao.Unavailable) as error:
        return {"error": type(error).__name__, "code": getattr(error, "code", "")}


def in_javascript(base, token, options, method, words):
    request = json.dumps({"base": base, "token": token, "options": options, "method": method, "words": words})
    done = subprocess.run(["node", "--input-type=module", "-e", DRIVER % SOURCE, request], text=True, capture_output=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=[in_python, in_javascript])
def call(request, proxy):
    """Return a function that calls a method of a client with faults planned, and the requests that were seen."""
    def run(user, method, *words, faults=(), **options):
        proxy.faults[:], proxy.seen[:] = faults, []
        done = request.param(f"http://127.0.0.1:{proxy.server_port}/", user.token, options, method, words)
        assert not proxy.faults, "there were fewer requests than faults"
        return done, list(proxy.seen)
    return run


def test_a_send_is_repeated_with_its_key(user, call):
    alice = user(money=1000)
    done, seen = call(alice, "send", 100, 2, {"greeting": "你好"}, faults=["lost", "409", "html", "503"])
    assert done["result"]["total"] == 100 and done["result"]["greeting"] == "你好"
    assert len(seen) == 5 and len(set(seen)) == 1 and seen[0][3]
    assert alice.get("/v1/me").json["balance"] == 900
    assert call(alice, "send", 100, 2)[0]["result"]["id"] != done["result"]["id"]


def test_a_claim_is_repeated_until_it_is_final(user, call):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 2).json["id"]
    done, seen = call(bob, "claim", envelope, faults=["429", "refused", "lost"])
    assert done["result"]["state"] == "opened" and len(seen) == 4
    assert done == call(bob, "claim", envelope)[0]
    assert alice.envelope(envelope).json["opened_shares"] == 1


def test_a_winner_whose_answer_was_lost_is_told_after_the_end(user, call):
    """The marker answers "sold out" to everybody; the envelope knows better."""
    alice, bob, carol = user(money=1000), user(), user()
    envelope = alice.send(100, 1).json["id"]
    done, _ = call(bob, "claim", envelope, faults=["lost"])
    assert {**done["result"], "opened_at": ""} == {"state": "opened", "amount": 100, "seq": 1, "opened_at": ""}
    assert call(carol, "claim", envelope)[0] == {"result": {"state": "sold_out"}}


def test_what_is_wrong_is_not_repeated(user, call):
    alice = user(money=10)
    done, seen = call(alice, "send", 100, 2)
    assert done == {"error": "Refused", "code": "insufficient_funds"} and len(seen) == 1
    done, seen = call(alice, "claim", "01a20d63-04ab-7000-b431-b856e67a7b86")
    assert done == {"error": "Refused", "code": "not_found"} and len(seen) == 1


def test_patience_ends(user, call):
    done, seen = call(user(), "envelope", "01a20d63-04ab-7000-b431-b856e67a7b86", faults=["503"], patience=0.5)
    assert done["error"] == "Unavailable" and len(seen) == 1
