"""Changes of a request that must not matter. Each returns outcomes that are allowed besides those of the request, or None
if it does not fit this request, which it then leaves as it is."""
import time

from values import dumps


def spaces(rng, request, world):
    if request.body is None:
        return None
    request.text = dumps(request.body, gap=rng.choice((" ", "\n", "\r\n", "\t ", "   "))).encode()
    return set()


def escapes(rng, request, world):
    if request.body is None:
        return None

    def write(text):
        units = text.encode("utf-16-be")
        return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2)) + '"'
    request.text = dumps(request.body, write).encode()
    return set() if len(request.text) <= world.site["limits"]["body_max"] else {"body_too_large"}


def damage(rng, request, world):
    """Change a byte or two: most become invalid, some stay valid."""
    if request.body is None:
        return None
    text = bytearray(dumps(request.body).encode())
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(text))
        text[at:at + rng.choice((0, 1, 2))] = bytes([rng.randrange(256)])
    request.text = bytes(text)
    return {"invalid_json", "invalid_request", "ticket_invalid"}


def good_type(rng, request, world):
    if not request.schema():
        return None
    request.set_header("Content-Type", rng.choice(("application/json; charset=utf-8", "APPLICATION/JSON", "Application/Json;x=y",
                                                   "application/json ; q")))
    return set()


def header(rng, request, world):
    name, value = rng.choice((
        ("Accept", "text/html"), ("Accept-Encoding", "gzip"), ("Accept-Encoding", "identity;q=0, *;q=0"), ("Range", "bytes=0-1"),
        ("If-Match", '"x"'), ("If-Modified-Since", "Sun, 01 Jan 2040 00:00:00 GMT"), ("If-Range", '"x"'), ("TE", "trailers"),
        ("If-Unmodified-Since", "Sun, 01 Jan 2006 00:00:00 GMT"), ("Cookie", "a=b; c"), ("X-Forwarded-For", "192.0.2.1"),
        ("X-Other", "\xe9" * 20), ("Origin", "https://other.example"), ("Content-Encoding", "identity"), ("Prefer", "x"),
        ("X-HTTP-Method-Override", "DELETE"), ("Proxy", "x"), ("Upgrade", "websocket"), ("X-Sendfile", "/etc/passwd"),
        ("Content-Language", "zh"), ("Cache-Control", "only-if-cached"), ("Referer", "x" * 500)))
    request.set_header(name, value)
    return set()


def request_id(rng, request, world):
    request.set_header("X-Request-Id", rng.choice(("abc-1", "a" * 20, "x" * 300, "a b", "\xe9", "<script>", "1.2_3-4", "")))
    return set()


def none_match(rng, request, world):
    tags = ["*", "*", "*", '"x"', "x", "W/" + world.etag, world.etag, f'"a", {world.etag}', '"', ",,,", "W/", world.etag[:-1] + '-gzip"']
    request.set_header("If-None-Match", rng.choice(tags))
    return {"304"} if request.name in ("envelope", "site") else set()


def chunked(rng, request, world):
    if request.method != "POST" or request.framing != "length":
        return None
    request.framing = "chunked"
    return set()


def head(rng, request, world):
    if request.method != "GET":
        return None
    request.method = "HEAD"
    return set()


def absolute(rng, request, world):
    request.write()
    request.target = "http://localhost" + request.target
    return set()


def encoded(rng, request, world):
    if not request.query:
        return None
    request.query = [(name, "".join(f"%{ord(c):02x}" for c in value)) for name, value in request.query]
    return set()


def preview(rng, request, world):
    if {} not in request.operation["security"]:
        return None
    request.set_header("Authorization", None)
    return {"unauthorized"}  # for what an unknown reader must not learn


def other_token(rng, request, world):
    """A token with odd display data, unknown groups and members, or of a guest."""
    if not request.header("Authorization") or {"wallet": []} in request.operation["security"]:
        return None
    odd = [{"name": value} for value in ("", None, 5, "x" * 50, "\u202e\u3164", "e\u0301" * 40, "\ud83d", "\0")]
    odd += [{"groups": value} for value in ([], "x", [1, None], ["a b", "\n", "g"], [f"g{i}" for i in range(100)], {})]
    odd += [{"exp": time.time() + 1000.5}, {"nbf": 1e9}, {"iat": "x"}, {"x": [[[[[[1]]]]]]}, {"scope": ["a"]}]
    made = world.service.token(rng.choice(("odd|1", "@a:b", "x" * 255)), **rng.choice(odd))
    guest = not (request.body and request.name == "send" and request.body.get("to"))
    request.set_header("Authorization", "Bearer " + (rng.choice(world.guests) if guest and rng.random() < 0.3 else made))
    return {"not_recipient"} if request.name in ("grab", "open", "claim", "envelope") else set()
