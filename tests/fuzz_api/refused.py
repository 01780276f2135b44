"""Changes of a valid request that must be refused. Each returns the outcomes of which the answer must have one, or None
if it does not fit this request, which it then leaves as it is."""
import json
import time

from values import OF_TYPE, Pairs, Raw, bad, bad_object, dumps

TYPES = ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded", "application", "json", "*/*",
         "multipart/form-data; boundary=x", "application/xml", "text/json", "application/problem+json"]
METHODS = ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET", "POST", "PROPFIND"]


# ---- refused: the body ----
def wrong_member(rng, request, world):
    if not isinstance(request.body, Pairs):
        return None
    schema = request.schema()
    choices = bad_object(rng, schema, request.body)
    name, request.body = rng.choice(choices)
    member = name.split(":")[0].removeprefix("no ")
    request.members |= {member} if member in schema["properties"] and "twice" not in name else set()
    request.limited = name.endswith(": above")
    request.changes[-1] += " " + name
    return {"invalid_request"}


def no_object(rng, request, world):
    if request.body is None:
        return None
    request.body = Raw(dumps(rng.choice([value for name, values in OF_TYPE.items() for value in values if name != "object"])))
    return {"invalid_request"}


def deep(rng, request, world):
    if not isinstance(request.body, Pairs):
        return None
    depth = rng.choice((4, 10, 100, 1500))
    kind = rng.choice(("[]", "{}"))
    text = "[" * depth + "]" * depth if kind == "[]" else '{"a":' * depth + "1" + "}" * depth
    at = rng.randint(0, len(request.body))
    body = Pairs([*request.body[:at], ("deep", Raw(text)), *request.body[at:]])
    if len(dumps(body).encode()) > world.site["limits"]["body_max"]:
        return None
    request.body = body
    return {"invalid_request"}


def no_json(rng, request, world):
    if request.body is None:
        return None
    text = dumps(request.body).encode()
    inside = text.find(b'"') + 1
    ways = [text[:-1], text[:rng.randrange(len(text))], b"", b" ", text + text, text + b" x", b"\xef\xbb\xbf" + text,
            text.decode().encode("utf-16"), text + b"\0", b"/* */" + text, text.replace(b'"', b"'"), b"\xff" + text]
    if inside:
        ways += [text[:inside] + wrong + text[inside:] for wrong in (
            b"\xff", b"\0", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\x41", b"\\u12", b"\n", b"\t", b"\xf4\x90\x80\x80", b"\\u0000")]
    request.text = rng.choice([way for way in ways if not is_json(way)])
    return {"invalid_json"}


def is_json(data):
    """Return True for what the strict reader takes for a document, whatever is in it."""
    try:
        text = data.decode("utf-8")
        if text.startswith("\ufeff"):
            return False
        value = json.loads(text, parse_constant=lambda _: 1 / 0)
        return "\0" not in dumps(value) and not any(0xd800 <= ord(c) < 0xe000 for c in json.dumps(value, ensure_ascii=False))
    except (ValueError, ZeroDivisionError):
        return False


def too_large(rng, request, world):
    limit = world.site["limits"]["body_max"]
    text = dumps(request.body).encode() if request.body is not None else b""
    request.text = (request.text or text) + b" " * rng.choice((limit + 1 - len(text), limit * 2, 66000))
    # lighttpd refuses a GET with a body before it looks at the size
    return {"body_too_large"} if request.method == "POST" else {"body_too_large", "invalid_request"}


def body_for_none(rng, request, world):
    if request.schema() or request.method == "TRACE":
        return None
    request.text = rng.choice((b"{}", b" ", b"x" * 100))
    return {"invalid_request"}


# ---- refused: headers ----
def content_type(rng, request, world):
    if not request.schema():
        return None
    request.set_header("Content-Type", rng.choice(TYPES) or None)
    return {"unsupported_media_type"}


def content_encoding(rng, request, world):
    if not request.schema():
        return None
    request.set_header("Content-Encoding", rng.choice(("gzip", "deflate", "br", "x", "identity, gzip")))
    return {"unsupported_media_type"}


def key(rng, request, world):
    if not request.header("Idempotency-Key"):
        return None
    value = rng.choice((None, "", "x" * 129, "a b", "x\xe9", "a\tb", "x" * 1000))
    request.set_header("Idempotency-Key", value)
    return {"invalid_request"} if value else {"idempotency_key_required"}


def key_twice(rng, request, world):
    if not request.header("Idempotency-Key"):
        return None
    request.headers.append(("Idempotency-Key", "second"))
    return {"invalid_request"}


def token(rng, request, world):
    schemes = request.operation["security"]
    if not schemes:
        return None
    kind = "wallet" if "wallet" in schemes[0] else "token"
    good_token = world.service.token("changed", kind=kind)
    head, payload, mac = good_token.split(".")
    ways = [("Bearer " + text, "unauthorized") for text in (
        f"{head}.{payload}.{mac[:-4]}AAAA", f"{head}.{payload}", f"{head}.{payload}.", "x", "..", "a.b.c", good_token + "x",
        f"{payload}.{head}.{mac}", good_token + "." + mac, world.service.token("u", kind=kind, alg="none"), "\xe9.\xe9.\xe9",
        world.service.token("u", kind=kind, key=b"x" * 32), world.service.token("a b", kind=kind),
        world.service.token("", kind=kind), world.service.token("x" * 256, kind=kind), world.service.token("u", kind=kind, exp="soon"))]
    ways += [(text, "unauthorized") for text in (good_token, "Basic dTpw", "Bearer", "Bearer  ", "Bearer a b")]
    ways.append(("Bearer " + world.service.token("u", kind=kind, exp=int(time.time()) - 3600), "token_expired"))
    other_kind = world.wallets[0] if kind == "token" else world.users[0]
    described = request.operation["responses"].get("403", {}).get("x-problem-codes", ())
    # A pool that moves no money has no key of wallet tokens.
    ways.append(("Bearer " + other_kind, "scope_required" if "scope_required" in described else "unauthorized"))
    if {} not in schemes:
        ways.append((None, "unauthorized"))
    value, code = rng.choice(ways)
    request.set_header("Authorization", value)
    request.changes[-1] += f" {code}"
    # The web server answers for closed envelopes without the pool.
    return {code, "sold_out", "expired"} if request.name in ("grab", "claim") else {code}


def no_host(rng, request, world):
    request.set_header("Host", None)
    return {"invalid_request"}


def long_header(rng, request, world):
    request.headers.append(("X-Long", "a" * 30000))
    request.described = False
    return {"invalid_request"}


# ---- refused: method, path, query ----
def method(rng, request, world):
    request.method = rng.choice([name for name in METHODS if name != request.method])
    if request.method in ("GET", "TRACE"):
        request.body = None
    return {"method_not_allowed"}


def wrong_id(rng, request, world):
    if not request.ids:
        return None
    one = rng.choice(world.envelopes)
    request.ids["id"] = rng.choice((one.upper(), one.replace("-", ""), one[:-1], one + "0", "x", "-", "%20", one + "%00", one + "%20",
                                    one[:14] + "4" + one[15:], "{" + one + "}", "%C3%A9", "a" * 300, one + ";x", "..%2f" + one,
                                    "0" * 8 + "-0000-0000-0000-" + "0" * 12, one.replace("-", "_"), "%zz", "'or'1'='1"))
    return {"not_found", "invalid_request"} if "%" in request.ids["id"] else {"not_found"}


def wrong_path(rng, request, world):
    api = request.path.startswith("/v1/")
    request.path = rng.choice((request.path + "/", request.path + "x", "/v2" + request.path, request.path.replace("/", "//", 1) + "/x",
                               request.path + "%2f", request.path + "/../../x/y/z", request.path + ".json", request.path + "%00"))
    request.described = False
    allowed = {"not_found", "invalid_request"} if "%00" in request.path else {"not_found"}
    page = "/.." in request.path or not request.path.startswith("/v1/") or not api  # which takes GET only
    return allowed | {"method_not_allowed"} if page else allowed


def long_target(rng, request, world):
    request.query.append(("x", "y" * rng.choice((2500, 7000, 20000))))
    request.described = False
    return {"invalid_request", "not_found"}


def query(rng, request, world):
    described = [p for p in request.operation["parameters"] if p["in"] == "query"]
    ways = [("colour", "red"), ("x", ""), ("%00", "1"), ("LIMIT", "5"), ("%zz", "1"), ("%", "%"), ("", "1"), ("limit[]", "5")]
    for parameter in described:
        name, schema = parameter["name"], parameter["schema"]
        request.query = [pair for pair in request.query if pair[0] != name]
        if schema["type"] == "integer":
            ways += [(name, str(dumps(value)).strip('"').replace(" ", "")) for why, value in bad(rng, schema)
                     if why in ("below", "above", "no integer")]
            ways += [(name, value) for value in ("", "x", "%zz", "5%00", "+5", "05", "0x5", "5;", "%20", "5,5", f"5&{name}=5")]
        else:
            ways += [(name, value) for value in ("x", "", "AAAA", "A" * 35, "A" * 600, "%ff", "%zz", "..%2f..")]
    name, value = rng.choice(ways)
    request.query.append((name, value))
    # lighttpd refuses some escapes itself, and names nothing
    request.members |= {name} if name.isascii() and name.islower() and "%" not in value else set()
    return {"invalid_request"}


def no_length(rng, request, world):
    if request.method != "POST" or request.framing != "length":
        return None
    request.framing, request.text = "none", b""
    return {"length_required"}
