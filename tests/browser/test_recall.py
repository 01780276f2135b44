"""Taking an envelope back: the sender's tool asks first, and everyone who looks is shown how it ended."""
import pytest

MONEY = 88_800


@pytest.fixture
def mine(stage):
    """An envelope of the reader's own, of which one of three shares is opened."""
    me = stage.me(MONEY)
    envelope = me.send(900, 3, greeting=stage.greeting).json["id"]
    (won,) = stage.people.draw(envelope, stage.friends[1])
    return me, envelope, won


def test_the_sender_takes_back_the_rest(stage, mine):
    me, envelope, won = mine
    stage.open("?e=" + envelope, me)
    stage.browser.tap("[data-do=recall]")
    stage.browser.tap("dialog [data-do=yes]")
    stage.browser.state("envelope", "expired")
    stage.browser.see("#over", "You took back what was left")
    stage.browser.gone("[data-do=recall]")
    stage.browser.see(f"#balance[data-fen='{MONEY - won}']")
    shown = me.envelope(envelope).json
    assert (shown["closed_by"], shown["refunded"]) == ("sender", 900 - won)


def test_nothing_is_taken_back_before_yes(stage, mine):
    me, envelope, _ = mine
    stage.open("?e=" + envelope, me)
    stage.browser.tap("[data-do=recall]")
    stage.browser.tap("dialog [data-do=no]")
    stage.browser.gone("dialog")
    assert me.envelope(envelope).state == "open"
    assert stage.proxy.asked("POST", "/recall$") == []


def test_others_have_no_such_tool_and_see_the_end_while_they_look(stage, mine):
    me, envelope, _ = mine
    stage.open("?e=" + envelope, stage.friends[2])
    stage.browser.state("envelope", "sealed")
    stage.browser.see("[data-do=fair]")
    assert stage.browser.all("[data-do=recall]") == []
    assert me.request("POST", f"/v1/envelopes/{envelope}/recall").status == 200
    stage.browser.state("envelope", "expired")
    stage.browser.see("#over", "The sender took back what was left")
    stage.browser.see("[data-do=send-too]")
