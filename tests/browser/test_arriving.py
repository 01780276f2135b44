"""How people come in: as guests, through a chat's link, through a link for somebody else."""
import pytest
from faulty_proxy import refuse
from people import send

STORED = "return JSON.stringify([{...localStorage}, {...sessionStorage}])"


def come_in(browser, name):
    browser.type("input#name", name)
    browser.tap("[data-do=enter]")


def test_guest_is_remembered(stage):
    stage.open()
    stage.browser.state("signin", "ready")
    come_in(stage.browser, "Mei")
    stage.browser.state("send", "form")
    stage.browser.see("#balance[data-fen='100000']")
    stage.browser.reload()
    stage.browser.state("send", "form")
    stage.browser.see("#balance[data-fen='100000']")
    assert len(stage.proxy.asked("POST", "/v1/guests$")) == 1


def test_link_with_a_token(stage):
    me, envelope = stage.me(), stage.envelope()
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "sealed")
    assert stage.browser.url == f"{stage.proxy.url}?e={envelope}"
    lasting, tab = stage.browser.script("return [{...localStorage}, {...sessionStorage}]")
    assert me.token in tab.values() and me.token not in str(lasting)
    assert not [r for r in stage.proxy.requests if me.token in r.path or me.token in (r.headers["Referer"] or "")]
    assert stage.browser.script("return performance.getEntriesByType('navigation')[0].type") == "navigate"
    stage.browser.tap("[data-do=grab]")
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")
    assert me.envelope(envelope).json["mine"]


def test_link_with_a_token_survives_a_reload(stage):
    stage.open("", stage.me())
    stage.browser.see("#balance[data-fen='88800']")
    stage.browser.reload()
    stage.browser.see("#balance[data-fen='88800']")


@pytest.mark.parametrize("choice", ["switch", "stay"])
def test_link_for_somebody_else_asks(stage, choice):
    one, other = stage.people.person("One", 100), stage.people.person("Other", 200)
    stage.open("", one)
    stage.browser.see("#balance[data-fen='100']")
    stage.browser.script("location.hash = 'token=' + arguments[0]", other.token)  # tapped in the tab that is open
    stage.browser.state("switch")
    assert other.token not in stage.browser.url
    stage.browser.tap(f"[data-do={choice}]")
    stage.browser.see(f"#balance[data-fen='{200 if choice == 'switch' else 100}']")


def test_preview_before_signing_in(stage):
    host = stage.people.guest("Host")
    envelope = send(host, greeting="Year of the horse")
    stage.open("?e=" + envelope)
    stage.browser.state("envelope", "preview")
    page = stage.browser.text("main")
    for words in ("Year of the horse", "Host", "Lucky draw"):
        assert words.lower() in page.lower()
    come_in(stage.browser, "Mei")
    stage.browser.state("envelope", "grabbed")  # signing in at an envelope grabs
    assert envelope in stage.browser.url


def test_visitor_before_real_money(stage):
    """Guests play among themselves: a visitor is not asked for a name that would not help."""
    stage.open("?e=" + stage.envelope())
    stage.browser.see("[data-guests=off]", "Open this from your chat")
    assert stage.browser.all("#name") == []


def test_guest_before_real_money(stage):
    """Said, with a way on."""
    stage.open("?e=" + stage.envelope(), stage.people.guest("Mei"))
    stage.browser.state("envelope", "trouble")
    stage.browser.see("[data-trouble=not_for_guests]")
    stage.browser.tap("[data-trouble] a")
    stage.browser.state("send", "form")


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "expired"])
def test_token_that_is_no_good(stage, token):
    """Says so, forgets it, and leaves the guest's way open."""
    if token == "expired":
        token = stage.people.person("Old", exp=1_000_000_000).token
    stage.browser.open(stage.proxy.url + "#token=" + token)
    stage.browser.see("[data-trouble]")
    assert token not in stage.browser.url
    come_in(stage.browser, "Mei")
    stage.browser.state("send", "form")
    assert token not in stage.browser.script(STORED)


def test_session_that_ends_keeps_what_was_typed(stage):
    me = stage.me()
    stage.open("", me)
    stage.browser.state("send", "form")
    stage.browser.type("#amount", "7.77")
    stage.browser.type("#shares", "7")
    stage.proxy.spoil("POST", "/v1/envelopes$", refuse(401, "token_expired"))
    stage.browser.tap("[data-do=send]")
    stage.browser.see("[data-trouble=token_expired]")
    stage.browser.open("about:blank")
    stage.open("", me)
    stage.browser.state("send", "form")
    typed = "return ['amount', 'shares'].map((id) => document.getElementById(id).value)"
    assert stage.browser.script(typed) == ["7.77", "7"]
    assert stage.people.fen(me) == 88_800


def test_no_guests_here(stage):
    stage.open()
    stage.proxy.spoil("POST", "/v1/guests$", refuse(404, "not_found"))
    come_in(stage.browser, "Mei")
    stage.browser.see("[data-trouble=guests_off]")


def test_signing_out(stage):
    me = stage.me()
    stage.open("", me)
    stage.browser.tap("details#menu > summary")
    stage.browser.tap("[data-do=signout]")
    stage.browser.state("signin", "ready")
    assert me.token not in stage.browser.script(STORED)


@pytest.mark.parametrize("answer,view", [("no", "send"), ("yes", "signin")])
def test_guest_is_asked_before_signing_out(stage, answer, view):
    guest = stage.people.guest("Mei")
    stage.open("", guest)
    stage.browser.see("#balance")
    stage.browser.tap("details#menu > summary")
    stage.browser.tap("[data-do=signout]")
    stage.browser.tap(f"dialog [data-do={answer}]")
    stage.browser.gone("dialog")
    stage.browser.state(view)
    assert (guest.token in stage.browser.script(STORED)) == (answer == "no")
