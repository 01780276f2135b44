"""The cover of an envelope: chosen by its sender, shown to everyone who sees the envelope."""
import uuid

import pytest

THEMES = ["plain", "new_year", "birthday", "wedding", "thanks", "company"]


def test_site_lists_the_themes(anybody):
    site = anybody.get("/v1/site").json
    assert (site["themes"], site["defaults"]["theme"]) == (THEMES, "plain")


@pytest.mark.parametrize("theme", THEMES)
def test_theme_is_shown_wherever_the_envelope_is(user, anybody, theme):
    alice, bob = user(money=100), user()
    envelope = alice.send(100, 2, theme=theme).json
    assert envelope["theme"] == theme
    bob.claim_until_final(envelope["id"])
    shown = [anybody.envelope(envelope["id"]).json, alice.envelope(envelope["id"]).json, bob.envelope(envelope["id"]).json,
             alice.get("/v1/me/sent").json["items"][0], bob.get("/v1/me/received").json["items"][0]]
    assert [it["theme"] for it in shown] == [theme] * 5


def test_theme_is_plain_by_default(user, service):
    alice = user(money=100)
    envelope = alice.send(100, 2).json
    assert envelope["theme"] == "plain"
    hexadecimal = envelope["id"].replace("-", "")
    assert service.sql(f"SELECT theme FROM envelope WHERE id = X'{hexadecimal}'") == [["0"]]


@pytest.mark.parametrize("theme", ["", "Wedding", "easter", " plain", 1, None, ["plain"], True])
def test_unknown_theme_is_refused_by_name(user, theme):
    answer = user(money=100).send(100, 2, theme=theme)
    assert (answer.status, answer.code, answer.json["member"]) == (400, "invalid_request", "theme")


def test_theme_is_part_of_what_a_key_stands_for(user):
    alice, key = user(money=1000), uuid.uuid4().hex
    first = alice.send(100, 2, theme="wedding", key=key)
    again = alice.send(100, 2, theme="wedding", key=key)
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, first.json, "true")
    for other in ({"theme": "birthday"}, {}):
        assert alice.send(100, 2, key=key, **other).code == "idempotency_key_reused"


def test_restricted_envelope_keeps_its_theme_in_the_cache(user):
    """Its grabs read the envelope item, which holds every member that never changes."""
    alice, bob, eve = user(money=100), user(), user()
    envelope = alice.send(100, 1, theme="company", to={"users": [bob.user]}).json["id"]
    assert [eve.grab(envelope).code, bob.grab(envelope).state] == ["not_recipient", "grabbed"]
    assert bob.envelope(envelope).json["theme"] == "company"
