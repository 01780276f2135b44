"""Is an answer what www/openapi.json describes, and one that the request may get?"""
import json
import re
import shlex

from client import API, RESOLVER, validator

DESCRIBED = {header.lower() for item in API["paths"].values() for operation in item.values()
             for response in operation["responses"].values() for header in response.get("headers", {})}
STATUS = {code: int(status) for item in API["paths"].values() for operation in item.values()
          for status, response in operation["responses"].items() for code in response.get("x-problem-codes", ())}
# What the description lets the web server refuse, on an idle machine.
WEB_SERVER = {400, 408, 411, 413, 414, 417, 431, 501}
# What lighttpd refuses while it reads the head of a request. On a kept connection the conditions of the request before it
# then still apply, so that its own headers are missing.
UNREAD = {400, 411, 414, 417, 431, 501}
POLICY = "default-src 'none'; frame-ancestors 'none'"
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


class Wrong(Exception):
    """What is wrong with an answer."""


def need(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


def parse(body):
    """Parse an answer strictly: no member twice, no number that is not whole."""
    def pairs(members):
        need(len(dict(members)) == len(members), "a member twice")
        return dict(members)

    def refuse(text):
        raise Wrong(f"the answer holds {text}")
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse)
    except ValueError as error:
        raise Wrong(f"the answer is not JSON: {error}") from error


def check_headers(answer, response, by_program):
    """Compare the headers with those of a described response."""
    described = {name.lower(): RESOLVER.resolve(header["$ref"])[1] for name, header in response.get("headers", {}).items()}
    for name in DESCRIBED:
        values = answer.all(name)
        need(len(values) <= 1, name, "is there twice")
        need(not values or name in described, name, "is not described for", answer.status)
        required = described.get(name, {}).get("required") and (by_program or name != "x-request-id")
        need(values or not required, name, "is missing")
        if values and described[name]["schema"].get("type") == "integer":
            need(re.fullmatch("[1-9][0-9]*", values[0]), name, "is", values[0])
        elif values:
            validator(described[name]["schema"]).validate(values[0])


def check_general(request, answer):
    """Check what holds for every answer of the API."""
    need(answer.status < 500 or answer.status == 501, "status", answer.status)
    if answer.status not in UNREAD or answer.header("connection") != "close" or answer.header("cache-control"):
        need(answer.all("x-content-type-options") == ["nosniff"], "nosniff:", answer.all("x-content-type-options"))
        need(answer.all("content-security-policy") == [POLICY], "policy:", answer.all("content-security-policy"))
    need(len(answer.all("content-type")) == (answer.status != 304), "content type:", answer.all("content-type"))
    need(len(answer.all("cache-control")) <= 1, "cache-control:", answer.all("cache-control"))
    by_program = answer.header("x-request-id") is not None
    given = request.header("X-Request-Id")
    if by_program and given is not None:
        echoed = answer.header("x-request-id") == given
        need(echoed == bool(REQUEST_ID.match(given)), "request id", given, "became", answer.header("x-request-id"))
    return by_program


def check_problem(answer, by_program):
    """Check a problem document and return its code."""
    need(answer.all("content-type") == ["application/problem+json"], "content type", answer.all("content-type"))
    document = parse(answer.body)
    validator({"$ref": "#/components/schemas/Problem"}).validate(document)
    need(document["status"] == answer.status, "status in the problem:", document["status"])
    need(document.get("request_id") == answer.header("x-request-id"), "request id in the problem:", document.get("request_id"))
    if by_program:
        need(STATUS[document["code"]] == answer.status, document["code"], "with status", answer.status)
    return document


def check_success(request, answer, response):
    """Check the body of an answer below 400 and return it, or None."""
    if "content" not in response:
        need(answer.body == b"", "a body with", answer.status)
        return None
    (content_type, content), = response["content"].items()
    need(answer.header("content-type") == content_type, "content type", answer.header("content-type"))
    if content_type != "application/json":
        return None
    document = parse(answer.body)
    validator(content["schema"]).validate(document)
    if answer.status == 201 and request.text:
        sent = json.loads(request.text)
        for name in sent.keys() & document.keys() - {"greeting", "name"}:
            need(sent[name] == document[name], name, "was", sent[name], "and is", document[name])
    if answer.header("location") is not None:
        need(answer.header("location") == "/v1/envelopes/" + document["id"], "location", answer.header("location"))
    return document


def check_refusal(request, problem):
    """Check what a refusal for one change says about it."""
    if len(request.changes) > 1 or problem["code"] != "invalid_request":
        return
    if request.members:
        named = problem.get("member", "").split(".")[0]
        need(named in request.members, "the problem names", repr(named), "not one of", request.members)
    if request.limited:
        need("limit" in problem, "the problem names no limit")


def check(request, answer):
    """Raise Wrong or a ValidationError unless answer is right. Return its document, or None."""
    by_program = check_general(request, answer)
    response = request.operation["responses"].get(str(answer.status)) if request.described else None
    if response is None:
        need(answer.status >= 400 and (not by_program or not request.described), "status", answer.status, "is not described")
        # 403: a POST to a path of the page with a condition
        need(by_program or answer.status in WEB_SERVER | {403, 404, 405}, "status", answer.status, "of the web server is not described")
    else:
        check_headers(answer, response, by_program)
    if request.method == "HEAD":
        statuses = {STATUS.get(word, int(word) if word.isdigit() else 200) for word in request.allowed}
        statuses |= WEB_SERVER if "invalid_request" in request.allowed and not by_program else set()
        need(answer.status in statuses, "status", answer.status, "is not one of", statuses)
        return None
    if answer.status >= 400:
        document = check_problem(answer, by_program)
        word = document["code"]
        if response is not None:
            need(word in response["x-problem-codes"], word, "is not described for", answer.status)
        check_refusal(request, document)
    else:
        document = check_success(request, answer, response)
        word = document["state"] if document and "x-states" in response else str(answer.status)
    need(word in request.allowed, word, "is not one of", sorted(request.allowed))
    return document


def word(data):
    """Return data quoted for bash."""
    text = data.decode("latin-1")
    if all(" " <= c <= "~" for c in text):
        return shlex.quote(text)
    return "$'" + "".join(c if " " <= c <= "~" and c not in "'\\" else f"\\x{ord(c):02x}" for c in text) + "'"


def curl(request, port):
    """Return a command that sends the request again."""
    target = request.target if request.target.startswith("http") else f"http://127.0.0.1:{port}{request.target}"
    parts = ["curl", "-i", "--path-as-is", "--globoff", "-X", request.method]
    parts += ["--head"] if request.method == "HEAD" else []
    if request.target.startswith("http"):
        parts += ["-x", f"http://127.0.0.1:{port}"]
    headers = [(name, value) for name, value in request.headers if name != "Connection"]
    for name in ("Host", "Accept", "User-Agent", "Content-Type"):  # curl would add its own
        if request.header(name) is None:
            headers.append((name, None))
    if request.framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    for name, value in headers:
        line = f"{name}:" if value is None else f"{name}: {value}" if value else f"{name};"
        parts += ["-H", word(line.encode("latin-1"))]
    if request.text and b"\0" in request.text:
        octal = "".join(f"\\{byte:03o}" for byte in request.text)
        return f"printf '{octal}' | " + " ".join([*parts, "--data-binary", "@-", word(target.encode("latin-1"))])
    if request.text is not None and request.framing != "none":
        parts += ["--data-binary", word(request.text) if not request.text.startswith(b"@") else "$'\\x40'" + word(request.text[1:])]
    return " ".join([*parts, word(target.encode("latin-1"))])
