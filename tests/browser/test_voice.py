"""What a screen reader says, and where the focus is, at every change; what has the focus is in the window."""
import pytest

FOCUS = "return document.activeElement === document.body ? 'BODY' : document.activeElement.id || document.activeElement.className"
IN_WINDOW = """const r = document.activeElement.getBoundingClientRect();
return r.height <= innerHeight ? r.top >= -1 && r.bottom <= innerHeight + 1 : r.top < innerHeight && r.bottom > 0;"""


def announced(stage, words):
    stage.browser.true(f"document.querySelector('#announce').textContent.includes({words!r})")
    assert stage.browser.script(FOCUS) != "BODY"


def test_every_change_of_a_visit_is_announced(stage):
    """Sign in, go on to records, back, open, sign out."""
    stage.open()
    stage.browser.type("#name", "Mei")
    stage.browser.tap("[data-do=enter]")
    stage.browser.state("send", "form")
    announced(stage, "Send a red envelope")
    stage.browser.tap("nav a[href*=received]")
    stage.browser.state("records")
    announced(stage, "Received")
    stage.browser.back()
    stage.browser.state("send", "form")
    announced(stage, "Send a red envelope")
    stage.browser.tap("details#menu > summary")
    stage.browser.tap("[data-do=signout]")
    stage.browser.tap("dialog [data-do=yes]")
    stage.browser.state("signin", "ready")
    announced(stage, "Red envelopes")


def test_every_step_of_an_envelope_is_announced(stage):
    envelope = stage.envelope(shares=2)
    stage.open("?e=" + envelope, stage.me(0))
    stage.browser.state("envelope", "sealed")
    assert "red envelope" in stage.browser.script("return document.title")
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbed")
    stage.browser.see("#said", "Tap the coin!")
    assert stage.browser.script("return document.activeElement.dataset.do") == "open"
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")
    announced(stage, "You won")
    assert stage.browser.script(FOCUS) == "mine"


def test_sold_out_while_looking_is_announced(stage):
    envelope = stage.envelope(shares=1)
    stage.open("?e=" + envelope, stage.me(0))
    stage.browser.state("envelope", "sealed")
    stage.browser.script("document.querySelector('[data-do=grab]').focus()")
    stage.people.draw(envelope, stage.friends[2])
    stage.browser.state("envelope", "sold_out")
    announced(stage, "Too late")
    assert stage.browser.script(FOCUS) == "over"


@pytest.mark.parametrize("size", [(320, 256), (667, 375), (320, 568)])
def test_what_has_the_focus_is_in_the_window(stage, size):
    """At 400 % zoom, on a phone held sideways, on a small phone."""
    width, height = size
    stage.browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    stage.open("?e=" + stage.envelope(), stage.me(0))
    stage.browser.state("envelope", "sealed")
    for button, state in (("grab", "grabbed"), ("open", "opened")):
        stage.browser.tap(f"[data-do={button}]")
        stage.browser.state("envelope", state)
        assert stage.browser.script(IN_WINDOW)


@pytest.mark.parametrize("size", [(320, 568), (667, 375)])
@pytest.mark.parametrize("greeting", ["Best wishes!", "May the year ahead bring you joy, health and luck!"])
def test_name_and_button_of_a_preview_are_in_the_window(stage, size, greeting):
    width, height = size
    stage.browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
    stage.open("?e=" + stage.guests_envelope(greeting))
    stage.browser.state("envelope", "preview")
    for css in ("#name", "[data-do=enter]"):
        bottom = stage.browser.script(f"return document.querySelector('{css}').getBoundingClientRect().bottom")
        assert bottom <= height, css


@pytest.mark.parametrize("greeting,direction,language", [("عيد مبارك 2026!", "rtl", "ar"), ("恭喜发财", "ltr", "zh")])
def test_peoples_text_has_its_direction_and_language(stage, greeting, direction, language):
    stage.open("?e=" + stage.envelope(greeting=greeting), stage.me(0))
    stage.browser.state("envelope", "sealed")
    found = stage.browser.script("const g = document.querySelector('.greeting'); return [getComputedStyle(g).direction, g.lang]")
    assert found == [direction, language]


def test_menu_closes_by_escape_and_by_going_on(stage):
    stage.open("", stage.me())
    stage.browser.tap("details#menu > summary")
    stage.browser.see("[data-do=signout]")
    stage.browser.keys("\ue00c")  # Escape
    stage.browser.true("!document.querySelector('#menu').open")
    stage.browser.tap("details#menu > summary")
    stage.browser.tap("nav a[href*=received]")
    stage.browser.state("records")
    stage.browser.true("!document.querySelector('#menu').open")
