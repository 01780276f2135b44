"""Who watches an envelope: what the process remembers, the cache tells and the database holds are one."""
import signal
import threading

import pytest

from client import Client
from service import Service, wait_until

TRIES = 8  # what the cache tells of a version, it tells for a second or two


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
    client.ticket = client.grab(envelope).json["ticket"]
    return client


def test_an_open_is_seen_without_the_database(watched):
    s = watched
    envelope = s.alice.send(1000, 30).json["id"]
    assert opener(s, envelope, "first").grab_and_open(envelope).state == "opened"
    seen = 0
    for i in range(TRIES):
        assert s.alice.envelope(envelope).json["opened_shares"] == i + 1
        winner = opener(s, envelope, f"winner{i}")
        won = winner.open(envelope, winner.ticket).json
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
        read = s.alice.get(f"/v1/envelopes/{envelope}?limit={60 + i}").json  # a page nobody has asked for
        assert kept == read
    assert seen >= TRIES / 2


def check(view, before):
    claims = view["claims"]
    assert [c["seq"] for c in claims] == list(range(1, len(claims) + 1))
    assert view["opened_shares"] == len(claims) >= before
    assert view["opened_total"] == sum(c["amount"] for c in claims)


def test_what_a_crowd_sees_adds_up(watched):
    """Several open at a time while many watch."""
    s = watched
    envelope = s.alice.send(5000, 48).json["id"]
    openers = [opener(s, envelope, f"crowd{i}") for i in range(45)]
    ending, errors = threading.Event(), []

    def open_some(mine):
        for client in mine:
            client.open(envelope, client.ticket)

    def watch(number):
        client = Client(s, s.token(f"watcher{number}"))
        before, etag = 0, ""
        try:
            while not ending.is_set():
                answer = client.get(f"/v1/envelopes/{envelope}?limit=100", headers={"If-None-Match": etag})
                if answer.status == 304:
                    continue
                check(answer.json, before)
                before, etag = answer.json["opened_shares"], answer.headers["ETag"]
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    watchers = [threading.Thread(target=watch, args=(i,)) for i in range(4)]
    crowd = [threading.Thread(target=open_some, args=(openers[i::5],)) for i in range(5)]
    for thread in watchers + crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    wait_until(lambda: s.alice.envelope(envelope).json["opened_shares"] == 45, 3, "the last open is seen")
    ending.set()
    for thread in watchers:
        thread.join()
    assert not errors, errors[0]
    last = s.alice.get(f"/v1/envelopes/{envelope}?limit=100").json
    check(last, 45)
    assert last == s.alice.get(f"/v1/envelopes/{envelope}?limit=99").json
