"""Thanks with one tap after opening, shown in everyone's list; and ways on."""
import pytest
from service import wait_until

WORDS = ["thanks", "hug", "luck", "cheers", "wow"]
PRESSED = "return [...document.querySelectorAll('[data-do=thank][aria-pressed=true]')].map((e) => e.dataset.word)"


def opened(stage, shares, person=None):
    """A page of somebody who has opened a share."""
    me, envelope = person or stage.me(), stage.envelope(shares=shares)
    stage.people.draw(envelope, me)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")
    return me, envelope


@pytest.mark.parametrize("shares", [1, 3], ids=["closed", "open"])
def test_one_tap_thanks_and_the_list_shows_it(stage, shares):
    me, envelope = opened(stage, shares)
    stage.browser.see("#claims > li.me")
    stage.browser.tap("[data-do=thank][data-word=hug]")
    stage.browser.see("#claims > li.me .thanked", "A hug")
    assert stage.browser.script(PRESSED) == ["hug"]
    stage.browser.tap("[data-do=thank][data-word=wow]")  # the last counts
    stage.browser.see("#claims > li.me[data-thanks=wow] .thanked", "Wow")
    assert stage.browser.script(PRESSED) == ["wow"]
    assert [c["thanks"] for c in me.envelope(envelope).json["claims"]] == ["wow"]
    stage.browser.reload()
    stage.browser.see("#claims > li.me .thanked", "Wow")
    stage.browser.true("document.querySelector('[data-do=thank][data-word=wow]')?.getAttribute('aria-pressed') === 'true'")


def test_thanks_of_others_come_into_the_list(stage):
    _, envelope = opened(stage, 4)
    friend = stage.friends[1]
    stage.people.draw(envelope, friend)
    stage.browser.see("#claims > li", friend.name)
    assert friend.request("POST", f"/v1/envelopes/{envelope}/thanks", {"thanks": "luck"}).status == 200
    stage.browser.see("#claims .thanked", "Good luck")


def test_thanks_come_after_the_close_too(stage):
    friend = stage.friends[1]
    me, envelope = stage.me(), stage.envelope(shares=2)
    stage.people.draw(envelope, me, friend)
    stage.open("?e=" + envelope, me)
    stage.browser.see("#claims > li.luckiest")
    assert friend.request("POST", f"/v1/envelopes/{envelope}/thanks", {"thanks": "luck"}).status == 200
    stage.browser.see("#claims .thanked", "Good luck")


def test_thanks_on_every_page_of_a_long_list(stage, people):
    """The first of 101 thanks long after its page was loaded, while only the last page is followed."""
    crowd = [people.person(f"Guest {n}") for n in range(100)]
    me, envelope = stage.me(), stage.envelope(total=30_000, shares=110)
    people.draw(envelope, *crowd, me)
    stage.open("?e=" + envelope, me)
    followed = f"/v1/envelopes/{envelope}.*after="
    wait_until(lambda: len(stage.proxy.asked("GET", followed)) >= 3, 15, "it follows the last page")
    assert crowd[0].request("POST", f"/v1/envelopes/{envelope}/thanks", {"thanks": "luck"}).status == 200
    stage.browser.type("#find", "Guest 0")
    stage.browser.see("#claims > li[data-seq='1'][data-thanks=luck] .thanked", "Good luck")


@pytest.mark.parametrize("languages,words", [
    ("en-GB,en", ["Thank you", "A hug", "Good luck", "Cheers", "Wow"]), ("zh-CN,zh", ["谢谢老板", "抱抱", "沾沾喜气", "干杯", "哇塞"]),
    ("zh-TW,zh", ["謝謝老闆", "抱抱", "沾沾喜氣", "乾杯", "哇塞"])])
def test_the_words_are_in_the_readers_language(stage, languages, words):
    stage.browser.speak(languages)
    opened(stage, 2)
    stage.browser.see("[data-do=thank]")
    shown = stage.browser.script("return [...document.querySelectorAll('[data-do=thank]')].map((e) => e.innerText)")
    assert [text.split(" ", 1)[1] for text in shown] == words


def test_the_luckiest_is_told_whose_turn_it_is(stage):
    opened(stage, 1)
    stage.browser.see("[data-do=send-too]", "your turn")


def test_too_late_is_no_dead_end(stage):
    envelope = stage.envelope(shares=1, opened=1)
    stage.open("?e=" + envelope, stage.me())
    stage.browser.state("envelope", "sold_out")
    assert stage.browser.all("[data-do=thank]") == []
    stage.browser.tap("[data-do=send-too]")
    stage.browser.state("send", "form")
