"""More than a thousand bad inputs: each gets its status and code, changes nothing, and is never a 5xx."""
import base64
import hashlib
import hmac
import json
import re
import subprocess

import pytest

import bad_cases as bad
import fcgi_client as fcgi
from cache import Cache
from client import Client
from service import BUILD, base64url, wait_until

TABLES = ("account", "envelope", "claim", "transfer", "idempotency", "seed", "closing")


@pytest.fixture
def unchanged(service):
    """Compares everything that money is, before and after the test."""
    def read():
        counts = [f"(SELECT COUNT(*) FROM {table})" for table in TABLES]
        return service.sql(f"SELECT {', '.join(counts)}, (SELECT SUM(balance_fen) FROM account), "
                           "(SELECT SUM(version) FROM envelope)")
    wait_until(lambda: service.sql("SELECT COUNT(*) FROM credit") == [["0"]], 20, "credits are booked")
    before = read()
    yield
    assert read() == before


@pytest.fixture
def rich(user):
    return user("Rich", money=1000000)


def distinct(cases):
    cases = list(cases)
    names = [case[0] for case in cases]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    return cases


JSON = distinct(bad.json_cases())
FIELDS = distinct(bad.field_cases())
RECORDS = distinct(bad.records())


def post(service, rich, route, body):
    token = service.token("backend", kind="wallet") if route in ("topup", "withdraw") else rich.token
    return rich.request("POST", bad.JSON_ROUTES[route], body, {"Idempotency-Key": "bad-case"}, token=token)


@pytest.mark.parametrize("cases", [JSON, FIELDS], ids=["json", "fields"])
def test_bodies(service, rich, unchanged, cases):
    wrong = []
    for name, route, body, code, member in cases:
        answer = post(service, rich, route, body)
        found = (answer.json or {}).get("member", "")
        if (answer.status, answer.code) != (400, code) or (member and found.split(".")[0] != member):
            wrong.append((name, answer))
    assert wrong == []


def test_ids(rich, unchanged):
    wrong = []
    for text in bad.NO_ID:
        for method, tail in (("GET", ""), ("POST", "/claim"), ("POST", "/grab"), ("POST", "/open")):
            body = {"ticket": "x"} if tail == "/open" else None
            answer = rich.request(method, f"/v1/envelopes/{text}{tail}", body, raw=True)
            if answer.status not in (400, 404, 405):
                wrong.append((text, tail, answer))
    assert wrong == []


@pytest.mark.parametrize("name", bad.PAGES)
def test_queries(rich, unchanged, name):
    wrong = []
    for query in bad.NO_QUERY + (bad.NO_YEAR if name != "ledger" else ["year=2026"]):
        answer = rich.get(f"{bad.PAGES[name]}?{query}", raw=True)
        if answer.status != 400:
            wrong.append((query, answer))
    assert wrong == []


def sign(service, claims, kind="token", head=None):
    parts = [base64url(json.dumps(part).encode()) for part in (head or {"alg": "HS256", "typ": "JWT"}, claims)]
    mac = hmac.new(service.key(kind), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join(parts + [base64url(mac)])


def bad_tokens(service):
    good = service.token("u")
    head, body, mac = good.split(".")
    yield from (("bearer", text) for text in bad.NO_BEARER)
    yield from ((f"claims {claims!r:.60}", sign(service, claims)) for claims in bad.NO_CLAIMS)
    for at in range(0, len(mac) - 1, 3):  # the last character has bits that do not count
        yield f"signature changed at {at}", f"{head}.{body}.{mac[:at]}{'A' if mac[at] != 'A' else 'B'}{mac[at + 1:]}"
    for length in (0, 1, 10, 42):
        yield f"signature of {length}", f"{head}.{body}.{mac[:length]}"
    for algorithm in ("none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "", 1, None, ["HS256"]):
        yield f"algorithm {algorithm!r}", sign(service, {"sub": "u", "exp": 4000000000}, head={"alg": algorithm, "typ": "JWT"})
    for kind in ("guest", "wallet"):
        yield f"user signed with the {kind} key", sign(service, {"sub": "u", "exp": 4000000000}, kind)
    other = base64.urlsafe_b64encode(json.dumps({"sub": "v", "exp": 4000000000}).encode()).rstrip(b"=").decode()
    yield "another's claims", f"{head}.{other}.{mac}"
    yield "parts turned", f"{mac}.{body}.{head}"
    yield "part missing", f"{head}.{mac}"
    yield "part twice", f"{head}.{body}.{body}.{mac}"
    yield "padding", f"{head}.{body}.{mac}="
    yield "expired long ago", sign(service, {"sub": "u", "exp": 1})


def test_tokens(service, anybody, unchanged):
    wrong = []
    for name, token in bad_tokens(service):
        try:
            answer = anybody.get("/v1/me", headers={"Authorization": f"Bearer {token}".encode()}, raw=True)
        except ValueError:
            continue  # no header could hold it
        if answer.status not in (400, 401, 431):
            wrong.append((name, answer))
    assert wrong == []


def test_tickets(service, user, unchanged_after_setup):
    one, two, ticket, bob, eve = unchanged_after_setup
    wrong = []
    tickets = ["", "x", "A", "=" * 39, "é" * 10, ticket + "=", ticket[1:], ticket[::-1], ticket.swapcase(), ticket * 2]
    tickets += [ticket[:at] + ("A" if ticket[at] != "A" else "B") + ticket[at + 1:] for at in range(len(ticket))]
    tickets += [ticket[:at] for at in range(0, len(ticket), 3)]
    attempts = [(bob, one, text) for text in tickets] + [(eve, one, ticket), (bob, two, ticket)]
    for client, envelope, text in attempts:
        answer = client.open(envelope, text)
        if answer.code != "ticket_invalid":
            wrong.append((envelope, text, answer))
    assert wrong == []


@pytest.fixture
def unchanged_after_setup(service, user, request):
    alice, bob, eve = user(money=1000), user(), user()
    one, two = alice.send(100, 2).json["id"], alice.send(100, 2).json["id"]
    ticket = bob.grab(one).json["ticket"]
    request.getfixturevalue("unchanged")
    return one, two, ticket, bob, eve


def test_gates(service, user):
    """A gate that no program writes is replaced: the envelope stays open and a user still gets a share."""
    alice, cache = user(money=100000), Cache(service)
    wrong = []
    for number, text in enumerate(bad.NO_GATE):
        envelope = alice.send(30, 3).json["id"]
        plain = text.replace("@", envelope.replace("-", "")).replace("#", cache.generation)
        data = plain.encode("latin-1")
        cache.socket.sendall(b"set %s 0 600 %d\r\n%s\r\n" % (cache.key(envelope).encode(), len(data), data))
        assert cache.file.readline().strip() == b"STORED"
        answer = user().grab_and_open(envelope)
        if answer.state != "opened":
            wrong.append((number, text, answer))
    assert wrong == []


@pytest.mark.parametrize("pool", ["send", "grab", "open", "query"])
def test_records(service, pool, unchanged):
    before, wrong = service.workers(pool), []
    path = str(service.directory / "run" / f"{pool}.sock")
    waiting = [(name, data, fcgi.connect(path)) for name, data in RECORDS]  # at once: some are closed only after a while
    for _, data, s in waiting:
        try:
            s.sendall(data)
            s.shutdown(1)
        except OSError:
            pass  # closed already
    for name, _, s in waiting:
        try:
            wrong.append((name, fcgi.read_answer(s).status))
        except (fcgi.Broken, OSError):
            pass  # as it should be: closed without an answer
        s.close()
    assert wrong == [] and service.workers(pool) == before
    assert fcgi.request(path, "GET", "/healthz").status in (200, 404)


def test_settings(service, tmp_path):
    """Each is refused with its name, or the section's, and where it stands."""
    good, wrong = (service.directory / "hongbao.conf").read_text(), []

    def check(text):
        path = tmp_path / "hongbao.conf"
        path.write_text(text)
        path.chmod(0o640)
        return subprocess.run([f"{BUILD}/hongbaoctl", "--config", str(path), "show", "no-such-user"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert "line" not in check(good).stderr
    for section, line in bad.NO_SETTING:
        name = line.split(" ")[0]
        text = re.sub(rf"(?m)^{re.escape(name)} = .*\n", "", good) if name.isidentifier() else good
        done = check(f"{text}\n[{section}]\n{line}\n" if section else f"{line}\n{text}")
        if done.returncode != 2 or not re.search(r"line \d+|not in this order|ends with /", done.stderr):
            wrong.append((section, line, done.returncode, done.stderr))
    assert wrong == []


def test_command_line(service, unchanged):
    wrong = []
    for arguments in bad.NO_COMMAND:
        done = service.ctl(*arguments, check=False)
        if done.returncode != 2 or not done.stderr or done.stdout:
            wrong.append((arguments, done.returncode, done.stdout, done.stderr))
    assert wrong == []


def test_count(service):
    """The cases that this file sends, counted."""
    counts = {"json": len(JSON), "fields": len(FIELDS), "ids": 3 * len(bad.NO_ID), "settings": len(bad.NO_SETTING),
              "queries": 3 * len(bad.NO_QUERY) + 2 * len(bad.NO_YEAR) + 1, "tokens": len(list(bad_tokens(service))),
              "gates": len(bad.NO_GATE), "records": 4 * len(RECORDS), "commands": len(bad.NO_COMMAND)}
    assert sum(counts.values()) >= 1000, counts
