"""Thanks: one word of a fixed set per claim, shown in the list."""
import pytest
from client import Client
from service import wait_until
from test_races import together

WORDS = ["thanks", "hug", "luck", "cheers", "wow"]


def thank(client, envelope, word):
    return client.request("POST", f"/v1/envelopes/{envelope}/thanks", {"thanks": word})


def shown(client, envelope):
    return {c["user"]: c["thanks"] for c in client.envelope(envelope).json["claims"]}


def see(word, *readers, envelope):
    """Wait until readers see the word as the only thanks: a version that the cache lost, as it does after a restart, is
    believed for two seconds."""
    for reader in readers:
        wait_until(lambda r=reader: list(shown(r, envelope).values()) == [word], 5, f"{word} is shown")


def test_site_lists_the_thanks(anybody):
    assert anybody.get("/v1/site").json["thanks"] == WORDS


@pytest.mark.parametrize("shares", [1, 3], ids=["closed", "open"])
def test_thanks_are_shown_in_the_list(user, shares, service):
    alice, bob = user(money=100), user()
    envelope = alice.send(100, shares).json["id"]
    seq = bob.claim_until_final(envelope).json["seq"]
    assert shown(alice, envelope) == {bob.user: None}
    for word in WORDS:  # the last counts
        answer = thank(bob, envelope, word)
        assert (answer.json, answer.headers["Idempotent-Replayed"]) == ({"seq": seq, "thanks": word}, None)
        see(word, alice, bob, envelope=envelope)
    assert service.audit() == {}


def test_etag_changes_with_the_thanks_and_only_then(user):
    alice, bob = user(money=100), user()
    envelope = alice.send(100, 3).json["id"]
    bob.claim_until_final(envelope)

    def look(tag):
        return alice.envelope(envelope, headers={"If-None-Match": tag})
    tag = alice.envelope(envelope).headers["ETag"]
    assert look(tag).status == 304
    thank(bob, envelope, "hug")
    answer = wait_until(lambda: (a := look(tag)).status == 200 and a, 5, "another version")
    assert answer.json["claims"][0]["thanks"] == "hug"
    again = thank(bob, envelope, "hug")
    assert again.headers["Idempotent-Replayed"] == "true" and look(answer.headers["ETag"]).status == 304


def test_claims_after_the_thanks_are_seen_by_watchers(user):
    """A version without a claim of its own lies between two claims."""
    alice, bob, carol = user(money=100), user(), user()
    envelope = alice.send(100, 4).json["id"]
    bob.claim_until_final(envelope)
    shown(alice, envelope)
    thank(bob, envelope, "luck")
    carol.claim_until_final(envelope)
    wait_until(lambda: shown(alice, envelope) == {bob.user: "luck", carol.user: None}, 5, "both claims are shown")


def test_only_those_with_a_share_thank(user, anybody):
    alice, bob, eve = user(money=200), user(), user()
    restricted = alice.send(100, 1, to={"users": [bob.user]}).json["id"]
    envelope = alice.send(100, 1).json["id"]
    for client in (alice, eve):
        for one in (envelope, restricted):
            assert (thank(client, one, "hug").status, thank(client, one, "hug").code) == (403, "not_opened")
    assert thank(anybody, envelope, "hug").code == "unauthorized"
    assert thank(bob, "01a20d63-04ab-7000-b431-b856e67a7b86", "hug").code == "not_found"
    bob.claim_until_final(restricted)
    assert thank(bob, restricted, "cheers").status == 200 and shown(alice, restricted) == {bob.user: "cheers"}


@pytest.mark.parametrize("word", ["", "HUG", "hate", "hug ", 1, None, ["hug"]])
def test_other_words_are_refused_by_name(user, word):
    alice, bob = user(money=100), user()
    envelope = alice.send(100, 2).json["id"]
    bob.claim_until_final(envelope)
    answer = thank(bob, envelope, word)
    assert (answer.status, answer.code, answer.json["member"]) == (400, "invalid_request", "thanks")
    assert shown(alice, envelope) == {bob.user: None}


def test_blocked_user_cannot_thank_and_get_is_no_way(user, service):
    bob = user()
    for call in ("thanks", "recall"):
        assert bob.get(f"/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/{call}").code == "method_not_allowed"
    service.ctl("user", "block", bob.user, "--why", "asked to")
    wait_until(lambda: thank(bob, "01a20d63-04ab-7000-b431-b856e67a7b86", "hug").code == "user_blocked", 5, "the block is known")


def test_everyone_thanks_while_others_claim(user, service):
    alice = user(money=1000)
    envelope = alice.send(1000, 30).json["id"]
    tokens = [service.token(f"thankful{i}-{envelope}") for i in range(30)]

    def take_part(number):
        client = Client(service, tokens[number])
        assert client.claim_until_final(envelope).state == "opened"
        answer = thank(client, envelope, WORDS[number % 5])
        client.close()
        return answer
    answers = together([lambda i=i: take_part(i) for i in range(30)])
    assert {a.status for a in answers} <= {200, 503}
    seen = alice.envelope(envelope + "?limit=100").json["claims"]
    by_seq = {a.json["seq"]: a.json["thanks"] for a in answers if a.status == 200}
    assert {c["seq"]: c["thanks"] for c in seen if c["seq"] in by_seq} == by_seq
    assert service.audit() == {}
