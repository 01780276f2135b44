"""Thirty guests of one browser grab one envelope at once."""
from people import send


def test_rush(stage, people):
    stage.open("?v=rush", stage.me())
    stage.browser.state("rush", "idle")
    stage.browser.tap("[data-do=rush]")
    stage.browser.state("rush", "done", seconds=60)
    won = len(stage.browser.all("#rush-won li"))
    away = int("".join(c for c in stage.browser.text("#rush-away") if c.isdigit()))
    assert 0 < won < 30 and won + away == 30
    (sent,) = stage.proxy.asked("POST", "/v1/envelopes$")
    assert sent.json["shares"] == won
    assert len({r.headers["Authorization"] for r in stage.proxy.asked("POST", "/grab$")}) == 30
    for figure in ("#rush-rate", "#rush-median"):
        assert any(c.isdigit() for c in stage.browser.text(figure))
    stage.browser.see("svg#rush-hist")
    counts = stage.browser.script("return [...document.querySelectorAll('#rush-hist-table tbody tr')].map("
                                  "(tr) => parseInt(tr.cells[1].textContent.replace(/\\D/g, ''), 10))")
    assert sum(counts) >= 30
    assert people.service.audit() == {}


def test_rush_of_a_guests_envelope(stage, people):
    """The one that is shown, and the guests of the browser pay nothing for it."""
    host = people.guest("Host")
    envelope = send(host, 500, 10)
    stage.open(f"?v=rush&e={envelope}", host)
    stage.browser.tap("[data-do=rush]")
    stage.browser.state("rush", "done", seconds=60)
    assert len(stage.browser.all("#rush-won li")) == 10
    assert people.closed(host, envelope)["opened_total"] == 500
    assert people.service.audit() == {}
