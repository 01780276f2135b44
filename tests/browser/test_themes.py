"""The cover of an envelope: chosen in the form, seen small before sending, and on what the receiver opens."""
import pytest
from scenes import choose
from test_sending import ENOUGH, fill, sent

THEMES = ["plain", "new_year", "birthday", "wedding", "thanks", "company"]
COVER = """const packet = document.querySelector(arguments[0]);
return getComputedStyle(packet).getPropertyValue('--red').trim() + getComputedStyle(packet.querySelector('.face'), '::after').backgroundImage"""


@pytest.fixture
def phone(stage):
    """A phone of 360 by 740 points."""
    stage.browser.cdp("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    yield stage
    stage.browser.cdp("Emulation.clearDeviceMetricsOverride")


def test_all_covers_can_be_chosen(phone):
    phone.open("", phone.me(ENOUGH))
    phone.browser.state("send", "form")
    names = phone.browser.script("return [...document.querySelectorAll('input[name=theme]')].map((e) => e.value)")
    assert names == THEMES
    assert phone.browser.script("return document.querySelector('input[name=theme]:checked').value") == "plain"
    covers = set()
    for theme in THEMES:
        choose(phone.browser, "theme", theme)
        phone.browser.see(f".send-preview .packet[data-theme={theme}]")
        covers.add(phone.browser.script(COVER, ".send-preview .packet"))
    assert len(covers) == len(THEMES)


def test_the_receiver_sees_the_cover_that_was_chosen(phone):
    me = phone.me(ENOUGH)
    phone.open("", me)
    fill(phone.browser)
    choose(phone.browser, "theme", "wedding")
    box = phone.browser.script("const {top, width, height} = document.querySelector('.send-preview .packet')"
                               ".getBoundingClientRect(); return [top + scrollY, width, height]")
    form = phone.browser.script("return document.querySelector('.send-form').getBoundingClientRect().top + scrollY")
    assert box[0] < form and box[1] > 150 and box[2] > 100, "the preview is above the form on a phone"
    phone.browser.tap("[data-do=send]")
    phone.browser.state("share", "ready")
    (envelope,) = sent(me)
    assert envelope["theme"] == "wedding"
    phone.open("?e=" + envelope["id"], phone.friends[0])
    phone.browser.tap("[data-do=switch]")
    phone.browser.see(".packet[data-theme=wedding]")
    picture = phone.browser.script("return getComputedStyle(document.querySelector('.packet .face'), '::after').backgroundImage")
    assert picture not in ("", "none")
    phone.browser.tap("[data-do=grab]")
    phone.browser.tap("[data-do=open]")
    phone.browser.see(".packet-open[data-theme=wedding]")


def test_a_visitor_sees_the_cover_before_signing_in(phone):
    guest = phone.people.guest("Mei")
    envelope = guest.send(888, 3, theme="birthday").json["id"]
    phone.open("?e=" + envelope)
    phone.browser.state("envelope", "preview")
    phone.browser.see(".packet[data-theme=birthday]")


def test_a_draft_keeps_its_cover_across_a_reload(phone):
    phone.open("", phone.me(ENOUGH))
    fill(phone.browser)
    choose(phone.browser, "theme", "company")
    phone.browser.reload()
    phone.browser.state("send", "form")
    phone.browser.see(".send-preview .packet[data-theme=company]")
