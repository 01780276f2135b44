"""Watching an envelope: pages cached by the process, versions in memcached and the database agree."""
import signal
import threading

import pytest

from cache import Cache
from client import Client
from service import SLOW, Service, wait_until

TRIES = 8  # a version item lives for only a second or two


@pytest.fixture(scope="module")
def watched():
    s = Service(["query.processes=1", "limits.grabs_burst=1000", "limits.grabs_per_second=1000"])
    s.start()
    s.ctl("topup", "alice", 1000000)
    s.alice = Client(s, s.token("alice"))
    yield s
    s.remove()


def opener(s, envelope, user):
    client = Client(s, s.token(user, name=f"{user} 王"))
    client.ticket = wait_until(lambda: client.grab(envelope).json.get("ticket"), 10, "a ticket")
    return client


def test_open_is_visible_without_the_database(watched):
    s = watched
    envelope = s.alice.send(1000, 30).json["id"]
    assert opener(s, envelope, "first").grab_and_open(envelope).state == "opened"
    seen = 0
    for i in range(TRIES):
        assert s.alice.envelope(envelope).json["opened_shares"] == i + 1
        winner = opener(s, envelope, f"winner{i}")
        won = winner.grab_and_open(envelope).json
        s.signal("mariadb", signal.SIGSTOP)
        try:
            answer = s.alice.envelope(envelope, raw=True)
            if answer.status == 200:
                claim = answer.json["claims"][-1]
                assert (claim["user"], claim["name"]) == (f"winner{i}", f"winner{i} 王")
                assert (claim["amount"], claim["seq"]) == (won["amount"], i + 2)
                seen += 1
            else:
                assert answer.code == "unavailable"
        finally:
            s.signal("mariadb", signal.SIGCONT)
        wait_until(lambda: Client(s).get("/readyz").status == 200, 5, "ready")
        kept = s.alice.envelope(envelope).json
        read = s.alice.get(f"/v1/envelopes/{envelope}?limit={60 + i}").json  # a page that is not cached
        assert kept == read
    assert seen >= TRIES / 2


def check(view, before):
    claims = view["claims"]
    assert [c["seq"] for c in claims] == list(range(1, len(claims) + 1))
    assert view["opened_shares"] == len(claims) >= before
    assert view["opened_total"] == sum(c["amount"] for c in claims)


def test_watchers_see_consistent_pages(watched):
    """Several users open at once while the sender watches from several places."""
    s = watched
    envelope = s.alice.send(5000, 48).json["id"]
    openers = [opener(s, envelope, f"crowd{i}") for i in range(45)]
    ending, errors = threading.Event(), []

    def open_some(mine):
        for client in mine:
            wait_until(lambda: client.open(envelope, client.ticket).state == "opened", 10 * SLOW, "the share is opened")

    def watch():
        client = Client(s, s.alice.token)
        before, etag = 0, ""
        try:
            while not ending.is_set():
                answer = client.get(f"/v1/envelopes/{envelope}?limit=100", headers={"If-None-Match": etag})
                if answer.status != 200:
                    assert answer.status in (304, 503)
                    continue
                check(answer.json, before)
                before, etag = answer.json["opened_shares"], answer.headers["ETag"]
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    watchers = [threading.Thread(target=watch) for _ in range(4)]
    crowd = [threading.Thread(target=open_some, args=(openers[i::5],)) for i in range(5)]
    for thread in watchers + crowd:
        thread.start()
    try:
        for thread in crowd:
            thread.join()
        wait_until(lambda: s.alice.envelope(envelope).json["opened_shares"] == 45, 3 * SLOW, "the last open is seen")
    finally:
        ending.set()
        for thread in watchers:
            thread.join()
    assert not errors, errors[0]
    last = s.alice.get(f"/v1/envelopes/{envelope}?limit=100").json
    check(last, 45)
    assert last == s.alice.get(f"/v1/envelopes/{envelope}?limit=99").json


LIES = {  # the part of the version item after the envelope id; the true version is 3, after 2 claims
    "nothing": "",
    "no number": "x 0 0",
    "a version that never was": "9223372036854775807 0 0",
    "an older version": "2 0 0",
    "one claim more, without its claim": "4 0 0",
    "a claim that exceeds the remainder": "4 0 1 nobody n41 990 3 1790000000000000",
    "a claim out of order": "4 0 1 nobody n41 5 9 1790000000000000",
    "a name that is not UTF-8": "4 0 1 nobody nfffe 5 3 1790000000000000",
    "a time out of range": "4 0 1 nobody n41 5 3 9223372036854775807",
    "a claim that was never stored": "4 0 1 nobody n41 5 3 1790000000000000",
    "a guest's": "3 1 0",
}


@pytest.mark.parametrize("name", LIES)
def test_false_version_item_does_not_last(watched, name):
    s, cache = watched, Cache(watched)
    envelope = s.alice.send(1000, 30).json["id"]
    winners = [opener(s, envelope, f"early{i}") for i in range(2)]
    for winner in winners:
        assert winner.grab_and_open(envelope).state == "opened"
    truth = {reader: reader.envelope(envelope).json for reader in (s.alice, *winners)}
    words = cache.get(envelope, "v")
    assert words[2:4] == ["3", "0"]
    cache.set(envelope, f"{words[0]} {words[1]} {LIES[name]}", "v", 2)
    assert s.alice.envelope(envelope, raw=True).status == 200
    wait_until(lambda: not cache.get(envelope, "v"), 5, "the false item is gone")
    assert {reader: reader.envelope(envelope).json for reader in truth} == truth
    assert opener(s, envelope, "late").grab_and_open(envelope).state == "opened"
    wait_until(lambda: s.alice.envelope(envelope).json["opened_shares"] == 3, 3, "the next open is seen")
    cache.socket.close()
