"""What is seen once one has opened: the list fills by itself, and asks no more than it must."""
import pytest
from service import wait_until

LOOK = "return [...document.querySelectorAll('#claims > li')].map((li) => [+li.dataset.seq, +li.dataset.fen])"


def watch(stage, opened=1, **more):
    """Somebody who has opened and looks on; returns both and the requests of their looking."""
    me, envelope = stage.me(), stage.envelope(opened=opened, **more)
    stage.people.draw(envelope, me)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")
    stage.browser.see("#claims > li.me")
    return me, envelope, lambda: stage.proxy.asked("GET", f"/v1/envelopes/{envelope}")


def test_list_fills_by_itself(stage):
    _, envelope, _ = watch(stage, shares=4)
    for friend in stage.friends[2:4]:
        (won,) = stage.people.draw(envelope, friend)
        stage.browser.see(f"#claims > li[data-fen='{won}']", friend.name)
    claims = stage.friends[0].envelope(envelope).json["claims"]
    assert sorted(stage.browser.script(LOOK)) == [[c["seq"], c["amount"]] for c in claims]
    assert len(stage.browser.all("#claims > li.luckiest")) == 1


def test_nothing_new_costs_nothing(stage):
    """It asks whether something changed, at most about once a second."""
    _, _, looks = watch(stage)
    wait_until(lambda: len(looks()) >= 4, 15, "it looks again")
    first, *later = looks()
    assert all(r.headers["If-None-Match"] for r in later[1:])
    gaps = [b.at - a.at for a, b in zip(later, later[1:])]
    assert min(gaps) >= 0.8


def test_hidden_page_does_not_ask(stage):
    _, _, looks = watch(stage)
    stage.browser.script("""
        Object.defineProperty(document, 'hidden', {value: true, configurable: true});
        Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));""")
    stage.browser.driver.execute_async_script("setTimeout(arguments[0], 300)")  # one may be on its way
    before = len(looks())
    stage.browser.driver.execute_async_script("setTimeout(arguments[0], 3000)")
    assert len(looks()) == before
    stage.browser.script("""
        delete document.hidden;
        delete document.visibilityState;
        document.dispatchEvent(new Event('visibilitychange'));""")
    wait_until(lambda: len(looks()) > before, 3, "it looks again as soon as it is seen")


def test_closed_envelope_is_asked_for_thanks_alone(stage):
    """At most 12 times a minute, and the answer is that nothing changed."""
    _, envelope, looks = watch(stage, shares=2)
    stage.browser.see("#claims > li.luckiest")
    before = len(looks())
    wait_until(lambda: len(looks()) >= before + 3, 30, "it looks again")
    *_, one, other = looks()
    assert other.headers["If-None-Match"] and other.at - one.at >= 5


@pytest.mark.parametrize("languages,count,best", [("en-GB,en", "opened in", "Luckiest"),
                                                  ("zh-CN,zh", "抢光", "手气最佳")])
def test_closed_envelope_in_words(stage, languages, count, best):
    stage.browser.speak(languages)
    watch(stage, shares=2)
    stage.browser.see("#count", count)
    stage.browser.see("#claims > li.luckiest", best)


@pytest.mark.parametrize("languages,count", [("en-GB,en", "2 of 5 opened"), ("zh-CN,zh", "已领取 2/5 个")])
def test_open_envelope_in_words(stage, languages, count):
    stage.browser.speak(languages)
    watch(stage)
    stage.browser.see("#count", count)


@pytest.mark.parametrize("languages,words", [("en-GB,en", "Expired: the rest went back to the sender"),
                                             ("zh-CN,zh", "红包已过期，剩余已退回")])
def test_expired_in_words(stage, languages, words):
    envelope = stage.envelope(opened=1, expires_in=1)
    stage.people.closed(stage.friends[0], envelope)
    stage.browser.speak(languages)
    stage.open("?e=" + envelope, stage.me())
    stage.browser.state("envelope", "expired")
    stage.browser.see("#over", words)


def test_what_the_chart_shows_is_in_the_list(stage):
    """Once, for eyes and for screen readers."""
    _, envelope, _ = watch(stage, opened=3, shares=4)
    claims = stage.friends[0].envelope(envelope).json["claims"]
    stage.browser.see("svg#draws")
    assert stage.browser.attribute("svg#draws", "aria-label")
    assert stage.browser.all("#everybody table") == []
    assert sorted(stage.browser.script(LOOK)) == [[c["seq"], c["amount"]] for c in claims]
    for claim in claims:
        row = stage.browser.text(f"#claims > li[data-seq='{claim['seq']}']")
        assert claim["name"] in row and f"{claim['amount'] / 100:.2f}" in row
