"""Bad inputs by the table: lists of (name, ...) that tests/system/test_bad_cases.py sends. Names are unique in a list.

Only what stays bad whatever limits are configured: types, grammar, ranges and encodings."""
import itertools
import json

import fcgi_client as fcgi

ID = "01a20d63-04ab-7000-b431-b856e67a7b86"
SEND = {"mode": "lucky", "total": 100, "shares": 2}
MONEY = {"user": "u", "amount": 1, "reference": "r"}

# ---- JSON: what is no document ----
NO_JSON = {
    "empty": b"", "blank": b" ", "newline": b"\n", "open brace": b"{", "close brace": b"}", "open bracket": b"[",
    "half null": b"nul", "half true": b'{"a":tru}', "capital null": b"NULL", "crossed": b"{]", "key alone": b'{"a"}',
    "key and colon": b'{"a":}', "trailing comma": b'{"a":1,}', "leading comma": b'{,"a":1}', "two commas": b'{"a":1,,"b":2}',
    "comma in array": b'{"a":[1,]}', "single quotes": b"{'a':1}", "bare key": b"{a:1}", "number as key": b"{1:1}",
    "comment": b"/* c */ {}", "line comment": b"{} // c", "hash comment": b"# c\n{}", "two documents": b"{}{}",
    "word after": b"{} x", "byte order mark": b"\xef\xbb\xbf{}", "UTF-16": '{"a":1}'.encode("utf-16"),
    "NUL raw": b'{"a":"x\x00"}', "NUL escaped": b'{"a":"\\u0000"}', "NUL in key": b'{"a\\u0000":1}', "NUL after": b"{}\x00",
    "high surrogate": b'{"a":"\\ud800"}', "low surrogate": b'{"a":"\\udc00"}', "surrogates turned": b'{"a":"\\udc00\\ud800"}',
    "high surrogate and letter": b'{"a":"\\ud800x"}', "surrogate in key": b'{"\\ud800":1}', "invalid byte": b'{"a":"\xff"}',
    "overlong slash": b'{"a":"\xc0\xaf"}', "overlong NUL": b'{"a":"\xc0\x80"}', "raw surrogate": b'{"a":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}', "cut character": b'{"a":"\xe7\xa6"}', "lone continuation": b'{"a":"\x80"}',
    "newline in string": b'{"a":"\n"}', "tab in string": b'{"a":"\t"}', "hex escape": b'{"a":"\\x41"}',
    "short unicode escape": b'{"a":"\\u12"}', "unknown escape": b'{"a":"\\q"}', "string without end": b'{"a":"x}',
    "lone quote": b'"', "leading zero": b'{"a":01}', "plus": b'{"a":+1}', "leading point": b'{"a":.5}',
    "trailing point": b'{"a":5.}', "NaN": b'{"a":NaN}', "Infinity": b'{"a":-Infinity}', "hexadecimal": b'{"a":0x10}',
    "exponent without digits": b'{"a":1e}', "minus alone": b'{"a":-}', "underscore": b'{"a":1_0}',
"no-break space": "\u00a0{}".encode(), "form": b"a=1&b=2", "XML": b"<a/>",
}
# Documents that are no request: (name, text).
NO_REQUEST = {
    "array": b"[]", "number": b"1", "string": b'"x"', "null": b"null", "true": b"true", "false": b"false",
    "array of objects": b"[{}]", "unknown member": b'{"nonsense":1}', "unknown null member": b'{"nonsense":null}',
    "empty key": b'{"":1}', "very long key": b'{"' + b"k" * 3000 + b'":1}', "prototype": b'{"__proto__":{}}',
    "member twice": b'{"nonsense":1,"nonsense":1}', "deep arrays": b'{"a":' + b"[" * 20 + b"]" * 20 + b"}",
    "deep objects": b'{"a":' * 20 + b"1" + b"}" * 20, "many values": b'{"a":[' + b"1," * 999 + b"1]}",
}
JSON_ROUTES = {"send": "/v1/envelopes", "guest": "/v1/guests", "topup": "/v1/topups", "withdraw": "/v1/withdrawals",
               "open": f"/v1/envelopes/{ID}/open", "thanks": f"/v1/envelopes/{ID}/thanks"}

# ---- amounts: what is no whole number in any range, as text ----
NO_AMOUNT = ["0", "-0", "-1", "1.0", "1.5", "1e2", "1E2", "1e-2", "100e0", "0.1", "-1e9", '""', '"1"', '" 1"', '"１"', '"1e2"',
             '"0x1"', "null", "true", "false", "[]", "[1]", "{}", '{"n":1}', str(2**53), str(2**53 + 1), str(2**63 - 1),
             str(2**63), str(2**64 - 1), str(2**64), str(2**64 + 1), str(2**64 + 100), str(2**128), "9" * 30, "9" * 400,
             "-" + str(2**63), "-" + str(2**64), "1000000000001", "1" + "0" * 100, "1" + "0" * 18, "1.0000000000000001"]
NUMBERS = [("send", "total", SEND), ("send", "shares", SEND), ("send", "expires_in", SEND), ("topup", "amount", MONEY),
           ("withdraw", "amount", MONEY)]

# ---- what is no text, and what is no user or reference ----
NO_TEXT = [1, 0, -1, 1.5, True, False, None, [], ["x"], {}, {"text": "x"}, [None]]
NO_WORD = ["", " ", "a b", " a", "a ", "a\tb", "a\nb", "a\rb", "a\x1fb", "a\x7fb", "用户", "é", "a\u00a0b", "a\u200bb",
           "\u202ea", "a" * 256, "x" * 1000]
WORDS = [("topup", "user", MONEY), ("topup", "reference", MONEY), ("withdraw", "user", MONEY),
         ("withdraw", "reference", MONEY)]

# ---- recipients ----
NO_RECIPIENTS = [{}, [], "g", 1, None, True, {"group": "g", "users": ["a"]}, {"group": ""}, {"group": 1}, {"group": None},
                 {"group": ["g"]}, {"group": {}}, {"group": "a\nb"}, {"group": "x" * 200}, {"users": []}, {"users": None},
                 {"users": "a"}, {"users": {}}, {"users": [""]}, {"users": [1]}, {"users": [None]}, {"users": [["a"]]},
                 {"users": [{}]}, {"users": ["a", "a"]}, {"users": ["a", "b", "a"]}, {"users": ["a", "b c"]},
                 {"users": ["a\n"]}, {"users": ["用户"]}, {"users": [f"u{i}" for i in range(101)]}, {"team": "x"},
                 {"users": ["a"], "team": 1}, {"Group": "g"}]
NO_MODE = ["", "fair", "LUCKY", "Lucky", " lucky", "lucky ", "luckyx", "equal\n", 0, 1, None, True, [], ["lucky"], {}]

# ---- ids of envelopes in a path ----
NO_ID = ["0", "x", "-", "%20", "..%2f", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
         ID.upper(), ID.replace("-", ""), ID[:-1], ID + "0", ID[1:], "{" + ID + "}", ID + "%00", ID + "%20", "%20" + ID,
         ID.replace("-7000-", "-4000-"), ID.replace("-7000-", "-1000-"), ID.replace("-b431-", "-f431-"),
         ID.replace("-b431-", "-0431-"), ID.replace("-", "_"), ID.replace("0", "g"), ID.replace("-", "%2d"),
         ID + ";x", ID + ".json", ID + "'--", "'or'1'='1", "1%27%20OR%201=1", "%E7%A6%8F", "a" * 500, "1e9", "-1", "null",
         "undefined", "*", "%2a", "~", "$(id)", "%0d%0aX:%201"]

# ---- parameters of a query ----
PAGES = {"sent": "/v1/me/sent", "received": "/v1/me/received", "ledger": "/v1/me/ledger"}
NO_QUERY = ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.0", "limit=", "limit", "limit=1e1", "limit=0x1", "limit=+1",
            "limit=01", "limit=%31%30%31", "limit=5&limit=5", "limit=5;limit=5", "limit=99999999999999999999", "limit=%zz",
            "limit=%", "limit=%1", "limit=%00", "limit=5%00", "limit=%20", "after=x", "after=", "after", "after=AAAA",
            "after=" + "A" * 35, "after=" + "A" * 600, "after=%ff", "after=../..", "colour=red", "LIMIT=5", "limi=5", "limitt=5",
            "%00=1", "limit[]=5", "__proto__=1", "x=" + "y" * 500]
NO_YEAR = ["year=0", "year=1969", "year=9999", "year=99999", "year=x", "year=", "year=-2026", "year=2026&year=2026",
           "year=2026.0", "year=%32", "year=2e3"]

# ---- tokens, by what is wrong with them; made from a good one by the test ----
NO_BEARER = ["", " ", "x", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "e30.e30.", "e30.e30.e30", "=.=.=", "x" * 9000,
             "{}.{}.{}", "null", "undefined", "Bearer", "%00", "a" * 40 + "." + "b" * 40 + "." + "c" * 43]
NO_CLAIMS = [{}, [], "x", 1, None, {"sub": "u"}, {"exp": 4000000000}, {"sub": None, "exp": 4000000000},
             {"sub": 1, "exp": 4000000000}, {"sub": True, "exp": 4000000000}, {"sub": [], "exp": 4000000000},
             {"sub": {}, "exp": 4000000000}, {"sub": ["u"], "exp": 4000000000}, {"sub": "", "exp": 4000000000},
             {"sub": " ", "exp": 4000000000}, {"sub": "a b", "exp": 4000000000}, {"sub": "a\n", "exp": 4000000000},
             {"sub": "a\tb", "exp": 4000000000}, {"sub": "\u0000", "exp": 4000000000}, {"sub": "x" * 300, "exp": 4000000000},
             {"sub": "u", "exp": None}, {"sub": "u", "exp": "4000000000"}, {"sub": "u", "exp": True}, {"sub": "u", "exp": []},
             {"sub": "u", "exp": {}}, {"sub": "u", "exp": "soon"}, {"sub": "u", "exp": 4000000000, "nbf": 3900000000},
             {"sub": "u", "exp": 4000000000, "scope": "wallet"}, {"sub": "guest:1", "exp": 4000000000}]

# ---- cache: texts of a gate that no program writes. @ the id, # the generation ----
NO_GATE = ["", " ", "x", "g", "g2", "g2 ", "g1 # @ 5 0 0 0 9 3 0 2 0 0 1 0", "G2 # @ 5 0 0 0 9 3 0 2 0 0 1 0",
           "g2 @ # 5 0 0 0 9 3 0 2 0 0 1 0", "g2 # @", "g2 # @ 5", "g2 # @ 5 0 0 0 9 3 0 2 0 0 1", "g2 # @ 5 0 0 0 9 3 0 2 0 0 1 0 0",
           "g2 # @ 5 0 0 0 9 3 0 2 0 0 1 0 ", " g2 # @ 5 0 0 0 9 3 0 2 0 0 1 0", "g2  # @ 5 0 0 0 9 3 0 2 0 0 1 0",
           "g2 # @ 5 0 0 0 9 3 0 4 0 0 1 0", "g2 # @ 5 0 0 0 9 3 0 -1 0 0 1 0", "g2 # @ 5 0 0 0 9 3 3 2 0 0 1 0",
           "g2 # @ 5 0 0 0 9 3 -1 2 0 0 1 0", "g2 # @ 5 0 0 0 9 0 0 0 0 0 1 0", "g2 # @ 5 0 0 0 9 1000001 0 2 0 0 1 0",
           "g2 # @ 5 0 0 0 9 3 0 2 2 0 1 0", "g2 # @ 5 0 0 0 9 3 0 2 0 2 1 0", "g2 # @ 5 0 0 0 9 3 0 2 0 0 0 0",
           "g2 # @ 5 0 0 0 9 3 0 2 0 0 3 0", "g2 # @ 5 0 0 0 9 3 0 2 0 0 128 0", "g2 # @ 5 0 0 0 9 3 0 2 0 0 1 5",
           "g2 # @ 5 0 0 0 9 3 0 2 0 0 1 -1", "g2 # @ x 0 0 0 9 3 0 2 0 0 1 0", "g2 # @ 99999999999999999999 0 0 0 9 3 0 2 0 0 1 0",
           "g2 # @ 5 0 0 0 -9 3 0 2 0 0 1 0", "g2 # @ 05 0 0 0 9 3 0 2 0 0 1 0", "g2 # @ +5 0 0 0 9 3 0 2 0 0 1 0",
           "g2 # @ 5 0 0 0 9 3.0 0 2 0 0 1 0", "g2\t#\t@\t5\t0\t0\t0\t9\t3\t0\t2\t0\t0\t1\t0", "g2 # @ 5 0 0 0 9 3 0 2 0 0 1 0\x00",
           "g2 " + "0" * 32 + " @ 5 0 0 0 9 3 1 0 0 0 1 0", "g2 # " + "0" * 32 + " 5 0 0 0 9 3 1 0 0 0 1 0",
           "g2 " + "0" * 32 + " @ 5 0 0 0 9 3 2 0 0 0 1 0", "g2 # " + "0" * 32 + " 5 0 0 0 9 3 2 0 0 0 1 0", "0", "1", "999999999",
           "-1", "sold_out", "expired", '{"state":"sold_out"}', "g2 # @ 5 0 0 0 9 3 one 2 0 0 1 0", "x" * 399, "x" * 400, "x" * 5000,
           "\xff" * 30, "%s%s%n", "'; DROP TABLE envelope; --", "g2 # @ 5 0 0 0 9 3 1 0 0 0 1", "g2 # @ 5 0 0 0 9 3 1 4 0 0 1 0"]

# ---- configuration: (section, line) ----
NO_SETTING = [
    ("site", "demo = maybe"), ("site", "demo = 1"), ("site", "demo = YES"), ("site", "demo ="), ("site", "nonsense = 1"),
    ("site", "address = hongbao.example.com/"), ("site", "address = https://hongbao.example.com"),
    ("site", "year_offset = 841"), ("site", "year_offset = x"), ("site", "set_number = 4096"), ("site", "set_number = -1"),
    ("site", "currency = " + "x" * 100), ("site", "run_dir = " + "x" * 300), ("site", "marker_days = 0"),
    ("site", "marker_days = x"), ("site", "markers = perhaps"), ("limits", "share_cap = 0"), ("limits", "share_cap = x"),
    ("limits", "share_cap = 1.5"), ("limits", "share_cap = 99999999999999999999"), ("limits", "shares_max = 0"),
    ("limits", "shares_max = -1"), ("limits", "shares_max = 1000001"), ("limits", "shares_max = 5x"),
    ("limits", "shares_max = 0x5"), ("limits", "greeting_max = 51"), ("limits", "greeting_max = 0"),
    ("limits", "expires_min = 0"), ("limits", "expires_min = 604801"), ("limits", "expires_max = 0"),
    ("limits", "grabs_per_second = 0"), ("limits", "grabs_burst = 0"), ("limits", "body_max = 1"), ("limits", "body_max = x"),
    ("limits", "sent_per_day = x"), ("limits", "Shares_max = 5"), ("database", "port = 65536"), ("database", "port = x"),
    ("database", "timeout = 0"), ("database", "name = " + "x" * 100), ("cache", "timeout = 0"), ("cache", "timeout = x"),
    ("cache", "servers = " + "x" * 600), ("grab", "cas_tries = 0"), ("grab", "cas_tries = x"), ("grab", "hold = 0"),
    ("grab", "ticket_life = 0"), ("grab", "ticket_life = x"), ("send", "processes = 0"), ("send", "processes = 65"),
    ("send", "processes = x"), ("send", "threads = 0"), ("send", "threads = 257"), ("send", "deadline = 0"),
    ("send", "acceptors = 0"), ("send", "acceptors = 9"), ("send", "leaders = 0"), ("open", "processes = 65"),
    ("open", "threads = 0"), ("open", "leaders = 5"), ("query", "processes = -1"), ("query", "threads = 1e2"),
    ("settle", "interval = x"), ("settle", "threads = 0"), ("settle", "batch = 0"), ("settle", "batch = 513"),
    ("nonsense", "a = 1"), ("Send", "processes = 1"), ("", "processes = 1"), ("send", "just words"), ("send", "= 5"),
    ("send", "[half"), ("limits", "shares_max = 5\nshares_max = 5"), ("limits", "shares_max = ５"),
]

# ---- command line of hongbaoctl ----
NO_COMMAND = [
    ["nonsense"], [""], ["--nonsense"], ["-x"], ["topup"], ["topup", "a"], ["topup", "a", ""], ["topup", "a", "0"],
    ["topup", "a", "-1"], ["topup", "a", "1.0"], ["topup", "a", "1e2"], ["topup", "a", "x"], ["topup", "a", " 1"],
    ["topup", "a", "1 "], ["topup", "a", "+1"], ["topup", "a", "01"], ["topup", "a", "0x1"], ["topup", "a", str(2**63)],
    ["topup", "a", str(2**64 + 1)], ["topup", "a", "1000000000001"], ["topup", "", "1"], ["topup", "a b", "1"],
    ["topup", "a\n", "1"], ["topup", "用户", "1"], ["topup", "a" * 256, "1"], ["topup", "a", "1", "2"],
    ["topup", "a", "1", "--ref"], ["topup", "a", "1", "--ref", ""], ["topup", "a", "1", "--ref", "a b"],
    ["topup", "a", "1", "--nonsense"], ["withdraw"], ["withdraw", "a"], ["withdraw", "a", "0"], ["withdraw", "a", "-1"],
    ["withdraw", "a", "x"], ["withdraw", "a", "1", "2"], ["withdraw", "a b", "1"], ["show"], ["show", ""], ["show", "a b"],
    ["show", "a", "b"], ["close"], ["close", ""], ["close", "x"], ["close", ID.upper()], ["close", ID[:-1]], ["close", ID, ID],
    ["unfreeze"], ["unfreeze", "x"], ["unfreeze", ID.replace("-", "")], ["verify"], ["audit", "--xml"],
    ["token"], ["token", ""], ["token", "a b"], ["token", "a", "--ttl"], ["token", "a", "--ttl", "0"],
    ["token", "a", "--ttl", "-1"], ["token", "a", "--ttl", "x"], ["token", "a", "--nonsense", "1"], ["init", "x"], ["migrate", "x"],
    ["restored", "x"], ["doctor", "x"],
]


# ---- FastCGI: records that are no request ----
def records():
    """(name, bytes)."""
    begin, post = fcgi.begin(), fcgi.stream(fcgi.PARAMS, fcgi.params("POST", "/v1/guests", b"{}"))
    whole = fcgi.request_bytes("GET", "/healthz")
    yield "nothing", b""
    for size in (1, 7, 8, 9, 64, 1000):
        yield f"{size} zeros", bytes(size)
        yield f"{size} ones", b"\xff" * size
    for name, data in {"HTTP": b"GET / HTTP/1.1\r\n\r\n", "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}.items():
        yield name, data
    for cut in range(1, len(whole) - 8, 9):
        yield f"cut at {cut}", whole[:cut]
    for kind in (2, 3, 6, 7, 8, 11, 12, 99, 255):
        yield f"record {kind} after begin", begin + fcgi.record(kind, b"zz")
    for role in (0, 2, 3, 9, 65535):
        yield f"role {role}", fcgi.begin(role=role) + post
    for version in (0, 2, 9, 255):
        yield f"version {version}", fcgi.record(fcgi.BEGIN_REQUEST, bytes(8), version=version)
    yield "short begin", fcgi.record(fcgi.BEGIN_REQUEST, b"x")
    yield "begin of request 0", fcgi.record(fcgi.BEGIN_REQUEST, bytes(8), request_id=0)
    yield "begun twice", begin + begin + post
    yield "no body", begin + post
    yield "half a body", begin + post + fcgi.record(fcgi.STDIN, b"{")
    yield "aborted", begin + fcgi.record(fcgi.ABORT_REQUEST)
    yield "another request's parameters", begin + fcgi.record(fcgi.PARAMS, b"x", request_id=7)
    for name, content in {"lengths only": b"\xff" * 8 + b"AB", "cut length": b"\x80", "too short": b"\x7f\xff",
                          "no value": b"\x05\x05ABCDE", "long length cut": b"\x80\x00\x00"}.items():
        yield f"parameters: {name}", begin + fcgi.stream(fcgi.PARAMS, content)


def json_cases():
    """(name, route, body, expected code, expected member or None)."""
    for route in JSON_ROUTES:
        for name, text in NO_JSON.items():
            yield f"{route}: {name}", route, text, "invalid_json", None
        for name, text in NO_REQUEST.items():
            yield f"{route}: {name}", route, text, "invalid_request", None


def field_cases():
    """(name, route, body, expected code, expected member)."""
    def text_of(base, member, value):
        return json.dumps({**base, member: "@"}).replace('"@"', value).encode()
    for (route, member, base), value in itertools.product(NUMBERS, NO_AMOUNT):
        yield f"{route} {member}: {value[:24]} ({len(value)})", route, text_of(base, member, value), "invalid_request", member
    for (route, member, base), value in itertools.product(WORDS, NO_TEXT + NO_WORD):
        yield (f"{route} {member}: {value!r:.24} ({len(str(value))})", route, json.dumps({**base, member: value}).encode(),
               "invalid_request", member)
    for member, values in (("mode", NO_MODE), ("to", NO_RECIPIENTS), ("greeting", NO_TEXT)):
        for number, value in enumerate(values):
            yield (f"send {member} {number}: {value!r:.40}", "send", json.dumps({**SEND, member: value}).encode(),
                   "invalid_request", member)
    for number, value in enumerate(NO_TEXT):
        yield f"guest name {number}: {value!r}", "guest", json.dumps({"name": value}).encode(), "invalid_request", "name"
        yield f"open ticket {number}: {value!r}", "open", json.dumps({"ticket": value}).encode(), "invalid_request", "ticket"
    for route, base in (("send", SEND), ("topup", MONEY), ("withdraw", MONEY)):
        for member in base:
            body = {name: value for name, value in base.items() if name != member}
            yield f"{route} without {member}", route, json.dumps(body).encode(), "invalid_request", member
            body = {(name.upper() if name == member else name): value for name, value in base.items()}
            yield f"{route} with {member.upper()}", route, json.dumps(body).encode(), "invalid_request", member.upper()
