"""Thirty guests of one browser claim shares of one envelope at once."""
import pytest
from people import send


def test_rush(stage, people):
    stage.open("?v=rush", stage.me())
    stage.browser.state("rush", "idle")
    stage.browser.tap("[data-do=rush]")
    assert stage.proxy.asked("POST", "/v1/guests$") == [], "nothing is created before the question is answered"
    stage.browser.tap("dialog [data-do=yes]")
    stage.browser.state("rush", "done", seconds=60)
    won = len(stage.browser.all("#rush-won li"))
    away = int("".join(c for c in stage.browser.text("#rush-away") if c.isdigit()))
    assert 0 < won < 30 and won + away == 30
    (sent,) = stage.proxy.asked("POST", "/v1/envelopes$")
    assert sent.json["shares"] == won
    assert len({r.headers["Authorization"] for r in stage.proxy.asked("POST", "/claim$")}) == 30
    for figure in ("#rush-rate", "#rush-median"):
        assert any(c.isdigit() for c in stage.browser.text(figure))
    stage.browser.see("svg#rush-hist")
    counts = stage.browser.script("return [...document.querySelectorAll('#rush-hist-table tbody tr')].map("
                                  "(tr) => parseInt(tr.cells[1].textContent.replace(/\\D/g, ''), 10))")
    assert sum(counts) >= 30
    assert people.service.audit() == {}


@pytest.mark.parametrize("query", ["?v=rush&e={}", "?e={}&v=rush"])
def test_rush_leaves_other_envelopes_alone(stage, people, query):
    """It sends an envelope of its own; one that a link names stays as it is."""
    host = people.guest("Host")
    envelope = send(host, 500, 10)
    stage.open(query.format(envelope), host)
    stage.browser.tap("[data-do=rush]")
    stage.browser.tap("dialog [data-do=yes]")
    stage.browser.state("rush", "done", seconds=60)
    assert host.envelope(envelope).json["opened_shares"] == 0


def test_rush_is_not_offered_at_an_envelope(stage, people):
    guest = people.guest("Guest")
    stage.open("?e=" + send(people.guest("Host"), 500, 10), guest)
    stage.browser.state("envelope", "sealed")
    links = stage.browser.script("return [...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))")
    assert [link for link in links if "rush" in link] == ["?v=rush"], "only the menu's"
    assert not stage.browser.script("return document.querySelector('nav a[href*=rush]')")


def test_a_question_answered_with_no_creates_nothing(stage):
    stage.open("?v=rush", stage.me())
    stage.browser.tap("[data-do=rush]")
    stage.browser.tap("dialog [data-do=no]")
    stage.browser.gone("dialog")
    stage.browser.state("rush", "idle")
    assert stage.proxy.asked("POST", "/v1/") == []
