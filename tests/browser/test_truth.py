"""The page says nothing that is not so: what a crowd is told at each moment is compared with what the database says."""
import concurrent.futures
import random
import time

import pytest
import sentences
from faulty_proxy import change, refuse
from people import send
from scenes import Stage
from service import wait_until


def test_thirty_people_on_five_shares(stage, people, device):
    """One watches in a browser, holding a ticket, and one opens in another; the others open 2 to 5 seconds after their
    grab. Every line that the two were shown is compared with the database; pytest -rP prints the table."""
    me, winner, envelope = stage.me(0), people.person("Wendy"), stage.envelope(shares=5)
    crowd = [people.person(f"Guest {n}") for n in range(28)]
    other = Stage(people, stage.proxy, device(), "en")
    for place, person in ((stage, me), (other, winner)):
        place.browser.run_first(sentences.RECORD)
        place.open("?e=" + envelope, person)
        place.browser.tap("[data-do=grab]")
        place.browser.state("envelope", "grabbed")
    other.browser.tap("[data-do=open]")

    def race(person):
        while (grabbed := person.grab(envelope)).state == "busy":  # every share is held by a ticket
            time.sleep(grabbed.json["retry_after"])
        if grabbed.state != "grabbed":
            return grabbed.state
        time.sleep(random.uniform(2, 5))
        return person.open(envelope, grabbed.json["ticket"]).state
    with concurrent.futures.ThreadPoolExecutor(28) as pool:
        ends = list(pool.map(race, crowd))
    assert ends.count("opened") == 4
    stage.browser.state("envelope", "sold_out")  # by itself
    other.browser.see("#claims > li.luckiest")
    assert stage.browser.all("[data-do=open]") == []
    assert me.envelope(envelope).json["mine"] is None
    shown = winner.envelope(envelope).json
    compared = [row for place, person in ((stage, me), (other, winner))
                for row in sentences.compare(place.browser, shown, person.user)]
    print(sentences.table(compared))
    lines = {line for line, _, _ in compared}
    assert {"Tap the coin!", "Too late: all shares are gone", f"You won ¥{shown['mine']['amount'] / 100:.2f}!"} <= lines
    assert [row for row in compared if row[2] is not True] == []


@pytest.mark.parametrize("ending", ["sold_out", "expired"])
def test_coin_goes_when_the_envelope_is_over(stage, ending):
    envelope = stage.envelope(shares=1, **({"expires_in": 12} if ending == "expired" else {}))
    stage.open("?e=" + envelope, stage.me(0))
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbed")
    if ending == "sold_out":
        stage.people.draw(envelope, stage.friends[2])
    stage.browser.state("envelope", ending)
    stage.browser.gone("[data-do=open]")


def test_amounts_are_not_shown_before_one_opens(stage):
    envelope = stage.envelope(shares=5, opened=2)
    stage.open("?e=" + envelope, stage.me(0))
    stage.browser.see(".hint", "2 of 5 opened")
    amounts = [f"{c['amount'] / 100:.2f}" for c in stage.friends[0].envelope(envelope).json["claims"]]
    text = stage.browser.script("return document.body.textContent")
    assert [a for a in amounts + ["88.88"] if a in text.replace("¥0.00", "")] == []
    assert stage.browser.script("return document.querySelectorAll('#claims > li').length") == 0


# ---- the link in the address bar is the envelope's ----

def test_address_after_sending_is_the_envelopes(stage, device):
    me = stage.me()
    stage.open("", me)
    stage.fill_form()
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready")
    (envelope,) = me.get("/v1/me/sent").json["items"]
    assert stage.browser.url == f"{stage.proxy.url}?e={envelope['id']}"
    stage.browser.reload()
    stage.browser.state("share", "ready")  # the sheet is still there for its sender


@pytest.mark.parametrize("query", ["?e={}&share", "?e={}"])
def test_address_bar_of_the_sender_shows_a_friend_the_envelope(stage, people, query):
    envelope = send(people.guest("Host"))
    stage.open(query.format(envelope), people.guest("Friend"))
    stage.browser.state("envelope", "sealed")
    assert "ready" not in stage.browser.text("main")


# ---- refusals name the true reason ----

def test_guest_at_an_envelope_of_real_money(stage, people):
    stage.open("?e=" + stage.envelope(), people.guest("Mei"))
    stage.browser.see("[data-trouble=not_for_guests]", "Not for guests")


def test_person_who_is_not_a_recipient(stage):
    stage.open("?e=" + stage.envelope(shares=1, to={"users": [stage.friends[1].user]}), stage.me(0))
    stage.browser.see("[data-trouble=not_recipient]", "not among the people")


# ---- where guests are not admitted, nobody is asked for a name ----

def site(**more):
    return change(lambda content: content.update(more))


def test_no_guests_no_name_field(stage):
    stage.proxy.spoil("GET", "/v1/site$", site(demo=False), times=None)
    stage.open()
    stage.browser.see("[data-guests=off]", "Open this from your chat")
    assert stage.browser.all("#name") == []
    stage.open("?e=" + stage.envelope())
    stage.browser.see("[data-guests=off]", "Open this from your chat")
    assert stage.browser.all("#name") == []


def test_no_guests_no_rush(stage):
    stage.proxy.spoil("GET", "/v1/site$", site(demo=False), times=None)
    stage.open("", stage.me())
    stage.browser.tap("details#menu > summary")
    stage.browser.see("[data-do=signout]")
    assert stage.browser.all("a[href*=rush]") == []


def test_service_that_does_not_tell_what_it_allows(stage):
    stage.proxy.spoil("GET", "/v1/site$", refuse(404, "not_found"), times=None)
    stage.open()
    stage.browser.see("#name")


def test_limits_are_numbers_before_and_after(stage):
    limits = {"share_cap": 20000, "shares_max": 300, "greeting_max": 50, "expires_min": 60, "expires_max": 43200}
    stage.proxy.spoil("GET", "/v1/site$", site(limits=limits), times=None)
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    assert "300" in stage.browser.attribute("#shares", "placeholder")
    options = stage.browser.script("return [...document.querySelectorAll('#expires option')].map((o) => +o.value)")
    assert options and max(options) <= 43200
    stage.fill_form("500", "400")
    stage.browser.tap("[data-do=send]")
    stage.browser.see("#fault-shares", "300")
    stage.fill_form("200.01", "1")
    stage.browser.tap("[data-do=send]")
    stage.browser.see("#fault-amount", "200.00")


# ---- offline: what the banner promises happens ----

def test_sign_in_while_offline_goes_on_once_back(stage):
    stage.open()
    stage.browser.type("#name", "Mei")
    stage.browser.offline(True)
    stage.browser.see("#offline", "goes on once you are back")
    stage.browser.tap("[data-do=enter]")
    stage.browser.see("[data-trouble=offline]")
    stage.browser.offline(False)
    stage.browser.state("send", "form")


def test_fairness_sheet_while_offline_says_so(stage):
    me, envelope = stage.me(), stage.envelope(shares=2, opened=1)
    stage.people.draw(envelope, me)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")
    stage.browser.offline(True)
    stage.browser.tap("[data-do=fair]")
    stage.browser.see("dialog#fair")
    stage.browser.offline(False)
    stage.browser.see("dialog#fair[data-state=right]")


def test_balance_follows_what_another_tab_has_opened(stage):
    me, envelope = stage.me(0), stage.envelope()
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "sealed")
    (won,) = stage.people.draw(envelope, me)
    stage.browser.state("envelope", "opened")
    stage.browser.see(f"#balance[data-fen='{won}']")
    wait_until(lambda: stage.people.credited(me) == won, 15, "it is credited")
