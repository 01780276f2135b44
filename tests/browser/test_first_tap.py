"""From a link to the amount in few taps, each with an effect at once; few requests; a list that costs late-comers
nothing."""
import concurrent.futures
import threading

import pytest
from faulty_proxy import Hold, lose_request, refuse
from people import send
from service import wait_until

# The effect is part of the tap's own task: neither an answer nor a timer lies in between, however slow the machine is.
EFFECT = """
window.effect = null;
let task = 0;
addEventListener('click', (e) => {
    if (e.target.closest('[data-do]')) {
        const mine = ++task;
        setTimeout(() => { task = task === mine ? 0 : task; });
    }
}, true);
new MutationObserver(() => {
    window.effect ??= task > 0 ? 'at once' : 'late';
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""


def test_new_guest_needs_a_name_and_two_taps(stage, people):
    envelope = send(people.guest("Host"), 888, 3)
    stage.open("?e=" + envelope)
    stage.browser.type("#name", "Mei")
    stage.browser.tap("[data-do=enter]")
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")
    assert len(stage.proxy.asked("POST", "/grab$")) == 1


def test_signed_in_person_needs_two_taps(stage):
    stage.open("?e=" + stage.envelope(), stage.me(0))
    stage.browser.tap("[data-do=grab]")
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")


@pytest.mark.parametrize("button,path", [("enter", "/v1/guests$"), ("grab", "/grab$"), ("open", "/open$"),
                                         ("send", "/v1/envelopes$")])
def test_tap_has_an_effect_at_once(stage, people, button, path):
    """Whatever the network does: here it never answers."""
    stage.browser.run_first(EFFECT)
    me = people.guest("Me")
    envelope = send(people.guest("Host"), 888, 3)
    if button == "enter":
        stage.open("?e=" + envelope)
        stage.browser.type("#name", "Mei")
    elif button == "send":
        stage.open("", me)
        stage.browser.state("send", "form")
        stage.fill_form()
    else:
        stage.open("?e=" + envelope, me)
        stage.browser.state("envelope", "sealed")
        if button == "open":
            stage.browser.tap("[data-do=grab]")
            stage.browser.state("envelope", "grabbed")
    stage.proxy.spoil("POST", path, Hold(), times=None)
    stage.browser.script("window.effect = null")
    stage.browser.tap(f"[data-do={button}]")
    assert stage.browser.true("window.effect") == "at once"


# ---- requests ----

SIGNED_IN = pytest.mark.parametrize("signed_in", [False, True])


def asked(stage):
    return [r.path for r in stage.proxy.requests]


def settled(stage, signed_in):
    """The view is there, and all that it asks for."""
    stage.browser.see("[data-do=grab]" if signed_in else "#name")
    stage.browser.true("document.readyState === 'complete'")
    if signed_in:
        stage.browser.see("#balance[data-fen]")


def arrive(stage, signed_in):
    me, envelope = (stage.me(0), stage.envelope()) if signed_in else (None, stage.guests_envelope())
    stage.open("?e=" + envelope, me)
    settled(stage, signed_in)
    return envelope


@SIGNED_IN
def test_first_view_is_at_most_eight_requests(stage, signed_in):
    arrive(stage, signed_in)
    assert len(asked(stage)) <= 8, asked(stage)
    calls = [path.split("?")[0] for path in asked(stage) if path.startswith("/v1/")]
    assert len(calls) == len(set(calls)) == (3 if signed_in else 2), "what was asked for ahead is not asked for again"


@SIGNED_IN
def test_second_visit_is_at_most_three_requests(stage, signed_in):
    envelope = arrive(stage, signed_in)
    stage.browser.open("about:blank")
    before = len(asked(stage))
    stage.open("?e=" + envelope)
    settled(stage, signed_in)
    assert len(asked(stage)) - before <= 3, asked(stage)[before:]


@SIGNED_IN
def test_service_is_asked_before_the_modules_have_come(stage, signed_in):
    gate = stage.proxy.spoil("GET", "/assets/main-", Hold())
    me, envelope = (stage.me(0), stage.envelope()) if signed_in else (None, stage.guests_envelope())
    opening = threading.Thread(target=stage.open, args=("?e=" + envelope, me))
    opening.start()
    wanted = {f"/v1/envelopes/{envelope}", "/v1/site"} | ({"/v1/me"} if signed_in else set())
    try:
        wait_until(lambda: {path.split("?")[0] for path in asked(stage)} >= wanted, 20, lambda: f"{wanted} are asked for: {asked(stage)}")
    finally:
        gate.release()
        opening.join()
    settled(stage, signed_in)


@SIGNED_IN
@pytest.mark.parametrize("fault", [lose_request, refuse(503, "unavailable", 1)])
def test_what_was_lost_ahead_is_asked_for_again(stage, signed_in, fault):
    stage.proxy.spoil("GET", "/v1/", fault, times=3 if signed_in else 2)
    arrive(stage, signed_in)
    stage.browser.console()


def test_big_envelope_costs_a_latecomer_nothing_before_the_amount(stage, people):
    me, envelope = stage.me(0), stage.envelope(total=50_000, shares=200)
    crowd = [people.person(f"Guest {n}") for n in range(150)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda guest: people.draw(envelope, guest), crowd))
    stage.open("?e=" + envelope, me)
    stage.browser.tap("[data-do=grab]")
    stage.browser.tap("[data-do=open]")
    looks = stage.proxy.asked("GET", f"/v1/envelopes/{envelope}")
    before = [r.path for r in looks if r.at < stage.proxy.asked("POST", "/open$")[0].at]
    assert before and all("limit=1" in path.split("?")[1].split("&") for path in before)
    stage.browser.state("envelope", "opened")
    stage.browser.see("#claims > li.me")
    assert 0 < stage.browser.script("return document.querySelectorAll('#claims > li').length") <= 120
    # order and search
    stage.browser.script("document.querySelector('input[name=order][value=amount]').click()")
    fens = stage.browser.script("return [...document.querySelectorAll('#claims > li')].map((li) => +li.dataset.fen)")
    assert fens == sorted(fens, reverse=True)
    stage.browser.type("#find", "guest 149")
    stage.browser.true("document.querySelectorAll('#claims > li').length === 1")
    assert "Guest 149" in stage.browser.text("#claims > li")
