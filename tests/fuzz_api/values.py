"""Values for the schemas of www/openapi.json: good ones, and bad ones with what is bad about them.

Objects are lists of pairs, so that a member can occur twice; Raw is JSON text that json.dumps would not write."""
import json
import re
import string
import uuid

from client import RESOLVER

VISIBLE = list(string.ascii_letters + string.digits + "!#'\"\\/<>&;%") + list("é福恭喜发财ñßж") + ["\U0001f9e7", "\U0001fae9", "\u20bf"]
PRINTABLE = [chr(c) for c in range(0x21, 0x7f)]


class Raw(str):
    """JSON text."""


class Pairs(list):
    """An object: its (name, value) pairs in order."""

    def get(self, name):
        return next((value for key, value in self if key == name), None)

    def with_value(self, name, value):
        return Pairs((key, value if key == name else old) for key, old in self)


def dumps(value, escape=None, gap=""):
    """Return value as JSON text with gap around each token. escape(text) writes a string; without it, json.dumps does."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        members = (gap + dumps(key, escape) + gap + ":" + gap + dumps(member, escape, gap) + gap for key, member in value)
        return gap + "{" + ",".join(members) + "}" + gap
    if isinstance(value, list):
        return "[" + ",".join(gap + dumps(item, escape, gap) + gap for item in value) + "]"
    if isinstance(value, str) and escape:
        return escape(value)
    return json.dumps(value, ensure_ascii=False)


def plain(value):
    """Return value with dicts in place of Pairs."""
    if isinstance(value, Pairs):
        return {name: plain(member) for name, member in value}
    return [plain(item) for item in value] if isinstance(value, list) else value


def resolve(schema):
    return RESOLVER.resolve(schema["$ref"])[1] if "$ref" in schema else schema


def new_id(rng):
    number = rng.getrandbits(128) & ~(0xf << 76 | 3 << 62) | 7 << 76 | 2 << 62
    return str(uuid.UUID(int=number))


def near(rng, low, high):
    """Return a number in low..high, often at the edges or small."""
    return rng.choice((low, high, min(high, low + 1), rng.randint(low, high), rng.randint(low, min(high, low + 1000))))


def text(rng, schema):
    low, high = schema.get("minLength", 1), schema.get("maxLength", 40)
    length = min(near(rng, low, high), rng.choice((20, high)))
    pattern = schema.get("pattern", "")
    if "-7[0-9a-f]" in pattern:
        return new_id(rng)
    if pattern == "^[!-~]+$":
        return "".join(rng.choices(PRINTABLE, k=length))
    if pattern:
        assert re.match(r"^\^\[\^.*]\+\$$", pattern), schema  # all but some characters; the length is in bytes
        length = max(1, length // 4)
    return "".join(rng.choices(VISIBLE, k=length))


def good(rng, schema):
    """Return a value that the schema allows."""
    schema = resolve(schema)
    if "oneOf" in schema:
        return good(rng, rng.choice(schema["oneOf"]))
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if schema["type"] == "integer":
        return near(rng, schema["minimum"], schema["maximum"])
    if schema["type"] == "string":
        return text(rng, schema)
    if schema["type"] == "array":
        count = rng.choice((1, 2, 5, rng.randint(schema["minItems"], schema["maxItems"])))
        return list(dict.fromkeys(text(rng, {**resolve(schema["items"]), "maxLength": 12}) for _ in range(count)))
    assert schema["type"] == "object", schema
    names = [name for name in schema["properties"] if name in schema["required"] or rng.random() < 0.5]
    rng.shuffle(names)
    return Pairs((name, good(rng, schema["properties"][name])) for name in names)


OF_TYPE = {"null": [None], "boolean": [True, False], "integer": [0, 1, 5], "string": ["", "x", "1", "null"],
           "array": [[], ["x"], [1], [Pairs()]], "object": [Pairs(), Pairs([("a", 1)])]}
NO_INTEGER = ["1.0", "1.5", "1e2", "-0", "0.1", "1E5", "1e-2", str(2**63), str(2**64), str(2**64 + 100), "9" * 50, "-" + str(2**63)]


def bad_text(rng, schema):
    high = schema.get("maxLength")
    if schema.get("minLength"):
        yield "empty", ""
    if high:
        yield "too long", "x" * (high + rng.choice((1, 2, 100)))
    if "pattern" in schema:
        good_text = text(rng, {**schema, "maxLength": min(high or 20, 20)})
        at = rng.randint(0, len(good_text))
        wrong = [c for c in " \t\n\x7f\x1f\x85é福\u200b\ufeff" if not re.search(schema["pattern"], c)]
        yield "forbidden character", good_text[:at] + rng.choice(wrong) + good_text[at:]
    elif schema.get("minLength"):
        yield "nothing visible", rng.choice((" ", "\u200d", "\u3164", "\u2800", "\u0301", "\n", "\u202e\u2069", "\ue000"))


def bad(rng, schema):
    """Return a list of (name, value): values that the schema does not allow."""
    schema = resolve(schema)
    if "oneOf" in schema:
        branch = rng.choice(schema["oneOf"])
        return bad(rng, branch)
    kind = schema.get("type", "string")
    found = [(f"type {name}", rng.choice(values)) for name, values in OF_TYPE.items() if name != kind]
    if "enum" in schema:
        word = rng.choice(schema["enum"])
        found += [("enum", rng.choice((word.upper(), word + " ", " " + word, word[:-1], word + "x", "")))]
    elif kind == "integer":
        found += [("below", schema["minimum"] - rng.choice((1, 2, 10**6))), ("above", schema["maximum"] + rng.choice((1, 2, 10**6)))]
        found += [("no integer", Raw(rng.choice(NO_INTEGER)))]
    elif kind == "string":
        found += list(bad_text(rng, schema))
    elif kind == "array":
        items = [f"u{i}" for i in range(schema["maxItems"] + 1)]
        found += [("empty", []), ("too many", items), ("twice", ["u1", "u2", "u1"])]
        found += [("item " + name, ["u1", value]) for name, value in bad(rng, schema["items"])]
    elif kind == "object":
        found += bad_object(rng, schema, good(rng, schema))
    return found


def bad_object(rng, schema, value):
    """Return (name, value) like bad(), made from a good value of an object."""
    found = [(f"no {name}", Pairs(pair for pair in value if pair[0] != name)) for name in schema["required"]]
    name = rng.choice(("extra", "Mode", "__proto__", "", "to ", "x" * 70, "\u0301", "ключ", "id"))
    at = rng.randint(0, len(value))
    found.append(("unknown member", Pairs(value[:at] + [(name, rng.choice((1, None, "x", [], Pairs())))] + value[at:])))
    if value:
        pair = rng.choice(value)
        found.append(("member twice", Pairs([*value, pair])))
    for name, member in value:
        found += [(f"{name}: {why}", value.with_value(name, wrong)) for why, wrong in bad(rng, schema["properties"][name])]
    return found
