"""Grab and open: whatever is lost on the way, one tap of each is enough and one share is taken; the coin turns as
long as it should, and the result is seen, heard of and felt."""
import pytest
from faulty_proxy import Hold, Slow, answer, lose_answer, lose_request, refuse
from service import wait_until

GRAB, OPEN = ("POST", "/grab$"), ("POST", "/open$")
MOMENTS = """
window.moments = {};
const mark = (name, at = performance.now()) => { window.moments[name] ??= at; };
addEventListener('click', (e) => e.target.closest?.('[data-do=open]') && mark('tap', e.timeStamp), true);
new MutationObserver(() => {
    const {view, state} = document.querySelector('main')?.dataset ?? {};
    mark(view + ' ' + state);
    if (document.querySelector('[data-do=open].turning')) {
        mark('turning');
    }
}).observe(document, {subtree: true, childList: true, attributes: true});
"""
FAULTS = {
    "lost answer": (lose_answer, 1), "lost answers": (lose_answer, 3), "lost request": (lose_request, 1),
    "503": (refuse(503, "unavailable", 1), 2), "429": (refuse(429, "rate_limited", 1), 1), "slow": (Slow(3), 1),
}


def seal(stage, **more):
    """Somebody before a sealed envelope; returns both."""
    me, envelope = stage.me(0), stage.envelope(**more)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "sealed")
    return me, envelope


def grab(stage, **more):
    me, envelope = seal(stage, **more)
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbed", seconds=30)
    return me, envelope


def won_once(stage, me, envelope):
    """One share was taken, and what is shown is what was won."""
    stage.browser.state("envelope", "opened", seconds=30)
    now = me.envelope(envelope).json
    assert now["opened_shares"] == 1 and now["mine"]["amount"] == now["opened_total"]
    assert int(stage.browser.attribute("#mine", "data-fen")) == now["mine"]["amount"]
    assert stage.people.credited(me) == now["mine"]["amount"]


@pytest.mark.parametrize("fault", FAULTS)
def test_grab_that_fails(stage, fault):
    me, envelope = seal(stage)
    what, times = FAULTS[fault]
    stage.proxy.spoil(*GRAB, what, times)
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbed", seconds=30)
    stage.browser.tap("[data-do=open]")
    won_once(stage, me, envelope)


@pytest.mark.parametrize("fault", FAULTS)
def test_open_that_fails(stage, fault):
    me, envelope = grab(stage)
    what, times = FAULTS[fault]
    stage.proxy.spoil(*OPEN, what, times)
    stage.browser.tap("[data-do=open]")
    won_once(stage, me, envelope)
    asked = stage.proxy.asked(*OPEN)
    assert len(asked) == (1 if fault == "slow" else times + 1)
    assert len({r.body for r in asked}) == 1  # the identical request


def test_offline_at_the_open(stage):
    me, envelope = grab(stage)
    stage.browser.offline(True)
    stage.browser.tap("[data-do=open]")
    stage.browser.see("#offline")
    stage.browser.offline(False)
    won_once(stage, me, envelope)


def test_reload_in_the_middle_of_an_open(stage):
    me, envelope = grab(stage)
    stage.proxy.spoil(*OPEN, lose_answer, times=None)
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opening")
    wait_until(lambda: me.envelope(envelope).json["mine"], 10, "the share is taken")
    stage.browser.reload()
    won_once(stage, me, envelope)


@pytest.mark.parametrize("code", ["ticket_expired", "ticket_invalid"])
def test_lapsed_ticket_is_grabbed_again(stage, code):
    me, envelope = grab(stage)
    stage.proxy.spoil(*OPEN, refuse(403, code))
    stage.browser.tap("[data-do=open]")
    won_once(stage, me, envelope)
    assert len(stage.proxy.asked(*GRAB)) == 2


@pytest.mark.parametrize("languages,words", [("en-GB,en", "Almost there"), ("zh-CN,zh", "人太多，马上就好")])
def test_busy_goes_on_by_itself(stage, languages, words):
    stage.browser.speak(languages)
    seal(stage)
    stage.proxy.spoil(*GRAB, answer({"state": "busy", "retry_after": 1}), times=2)
    stage.browser.tap("[data-do=grab]")
    stage.browser.see("#said", words)
    stage.browser.state("envelope", "grabbed")
    assert len(stage.proxy.asked(*GRAB)) == 3


def test_slow_down_is_obeyed(stage):
    seal(stage)
    stage.proxy.spoil(*GRAB, refuse(429, "rate_limited", 2))
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbed")
    first, second = stage.proxy.asked(*GRAB)
    assert second.at - first.at >= 2


# ---- the coin ----

def open_and_time(stage, motion, hold=None):
    stage.browser.look("light", motion)
    stage.browser.run_first(MOMENTS)
    grab(stage)
    if hold:
        stage.proxy.spoil(*OPEN, hold)
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")
    moments = stage.browser.script("return window.moments")
    return {name: at - moments["tap"] for name, at in moments.items()}


def test_coin_turns_at_once_and_long_enough(stage):
    moments = open_and_time(stage, motion=True)
    assert 0 <= moments["turning"] < 100
    assert moments["envelope opened"] >= 600


def test_coin_turns_until_the_answer(stage):
    moments = open_and_time(stage, motion=True, hold=Slow(2))
    assert moments["envelope opened"] >= 2000


def test_reduced_motion_shows_it_at_once(stage):
    moments = open_and_time(stage, motion=False)
    assert moments["envelope opened"] < 600
    assert stage.browser.all("canvas") == []


def test_confetti_vibration_and_no_sound(stage):
    stage.browser.run_first("""
        window.felt = []; window.heard = 0;
        navigator.vibrate = (pattern) => window.felt.push(pattern);
        for (const name of ['AudioContext', 'Audio']) {
            const Old = window[name];
            window[name] = function (...args) { window.heard++; return new Old(...args); };
        }""")
    grab(stage)
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")
    stage.browser.see("canvas")
    assert stage.browser.script("return [window.felt.length, window.heard]") == [1, 0]
    stage.browser.gone("canvas")  # it does not lie over the page for ever


def test_sound_is_a_choice_that_is_remembered(stage):
    stage.open("", stage.me(0))
    stage.browser.tap("details#menu > summary")
    assert stage.browser.attribute("[data-do=sound]", "aria-pressed") == "false"
    stage.browser.tap("[data-do=sound]")
    stage.browser.reload()
    stage.browser.tap("details#menu > summary")
    stage.browser.true("document.querySelector('[data-do=sound]').getAttribute('aria-pressed') === 'true'")


@pytest.mark.parametrize("ending", ["opened", "sold_out", "expired"])
def test_result_has_the_focus_and_is_announced(stage, ending):
    me, envelope = grab(stage, shares=1, **({"expires_in": 10} if ending == "expired" else {}))
    if ending == "sold_out":
        stage.people.draw(envelope, stage.friends[2])
    if ending == "expired":
        stage.people.closed(stage.friends[0], envelope)
    if ending == "opened":
        stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", ending)  # the other endings by themselves: a ticket promises nothing
    place = "#mine" if ending == "opened" else "#over"
    stage.browser.true(f"document.activeElement?.closest('{place}')")
    assert stage.browser.true("document.querySelector('#announce').textContent.trim()")
    assert stage.people.credited(me) == (8888 if ending == "opened" else 0)


@pytest.mark.parametrize("languages,words", [("en-GB,en", "Too late: all shares are gone"),
                                             ("zh-CN,zh", "手慢了，红包派完了")])
def test_too_late(stage, languages, words):
    stage.browser.speak(languages)
    _, envelope = seal(stage, shares=2)
    gate = stage.proxy.spoil(*GRAB, Hold())
    stage.browser.tap("[data-do=grab]")
    stage.people.draw(envelope, *stage.friends[1:3])
    gate.release()
    stage.browser.state("envelope", "sold_out")
    stage.browser.see("#over", words)
    stage.browser.see("#claims > li[data-seq='2']")  # the list comes with the next look
    assert len(stage.browser.all("#claims > li")) == 2


def test_not_for_me_has_a_way_on(stage):
    envelope = stage.envelope(shares=1, to={"users": [stage.friends[1].user]})
    stage.open("?e=" + envelope, stage.me(0))
    stage.browser.see("[data-trouble=not_recipient]")
    stage.browser.tap("[data-trouble] a")
    stage.browser.state("send", "form")
