"""Putting money in: what was typed is what is sent, and whatever is lost on the way, it is sent once."""
import http.client
import io
import urllib.parse

import pytest
from faulty_proxy import Hold, Slow, lose_answer, lose_request, refuse
from PIL import Image
from pyzbar import pyzbar
from scenes import choose

SEND = ("POST", "/v1/envelopes$")
ENOUGH = 88_800


def fill(browser, amount="8.88", shares="3"):
    browser.state("send", "form")
    browser.type("#amount", amount)
    browser.type("#shares", shares)


def sent(person):
    """All that this person has sent."""
    return person.get("/v1/me/sent").json["items"]


def sent_once(stage, me, total=888):
    """Only one envelope there is, paid for once, and every request for it was the same."""
    (envelope,) = sent(me)
    assert envelope["total"] == total
    assert stage.people.fen(me) == ENOUGH - total
    asked = stage.proxy.asked(*SEND)
    assert len({(r.headers["Idempotency-Key"], r.body) for r in asked}) == 1
    assert stage.browser.url.split("?")[1] == f"e={envelope['id']}"
    return len(asked)


FAULTS = {
    "lost answer": (lose_answer, 1), "lost answers": (lose_answer, 3), "lost request": (lose_request, 1),
    "503": (refuse(503, "unavailable", 1), 2), "429": (refuse(429, "rate_limited", 1), 1),
    "still running": (refuse(409, "idempotency_in_progress"), 1), "slow": (Slow(3), 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_sent_once(stage, fault):
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    what, times = FAULTS[fault]
    stage.proxy.spoil(*SEND, what, times)
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready", seconds=30)
    assert sent_once(stage, me) == (1 if fault == "slow" else times + 1)


@pytest.mark.parametrize("fault", [lose_answer, lose_request])
def test_sent_once_across_a_reload(stage, fault):
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    stage.proxy.spoil(*SEND, fault, times=None)
    stage.browser.tap("[data-do=send]")
    stage.browser.true("document.querySelector('main').dataset.state !== 'form'")
    stage.browser.reload()
    stage.browser.state("send", "unknown", "sending")
    stage.proxy.mend()
    stage.browser.state("share", "ready", seconds=30)  # by itself
    sent_once(stage, me)


def test_sent_once_when_the_session_ends_after_a_lost_answer(stage):
    """Whether it was sent is not known then: the next session of the same person asks."""
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    stage.proxy.spoil(*SEND, lose_answer)
    stage.proxy.spoil(*SEND, refuse(401, "token_expired"))
    stage.browser.tap("[data-do=send]")
    stage.browser.see("[data-trouble=token_expired]")
    stage.browser.open("about:blank")
    stage.open("", me)
    stage.browser.state("share", "ready", seconds=30)
    assert sent_once(stage, me) == 3


def test_sent_once_when_tapped_twice(stage):
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    gate = stage.proxy.spoil(*SEND, Hold())
    stage.browser.script("const b = document.querySelector('[data-do=send]'); b.click(); b.click()")
    stage.browser.state("send", "sending")
    gate.release()
    stage.browser.state("share", "ready")
    assert sent_once(stage, me) == 1


def test_offline_at_the_send(stage):
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    stage.browser.offline(True)
    stage.browser.see("#offline")
    stage.browser.tap("[data-do=send]")
    stage.browser.true("document.querySelector('main').dataset.state !== 'form' ||"
                       " document.querySelector('[data-trouble=offline]')")
    stage.browser.offline(False)
    if stage.browser.all("[data-trouble] [data-do=again]"):
        stage.browser.tap("[data-trouble] [data-do=again]")
    stage.browser.state("share", "ready", seconds=30)
    sent_once(stage, me)


def test_two_envelopes_are_two(stage):
    """The same again, on purpose, is another one."""
    me = stage.me(ENOUGH)
    for _ in range(2):
        stage.open("", me)
        fill(stage.browser)
        stage.browser.tap("[data-do=send]")
        stage.browser.state("share", "ready")
    assert len(sent(me)) == 2 and stage.people.fen(me) == ENOUGH - 2 * 888


# ---- what is typed ----

@pytest.mark.parametrize("mode,amount,shares,total", [
    ("lucky", "8.88", "3", 888), ("lucky", "0.1", "10", 10), ("lucky", "100", "2", 10_000),
    ("equal", "0.07", "3", 21), ("equal", "1.1", "3", 330), ("equal", "4.35", "100", 43_500),
])
def test_amounts_are_what_was_typed(stage, mode, amount, shares, total):
    me = stage.me(ENOUGH)
    stage.open("", me)
    stage.browser.state("send", "form")
    choose(stage.browser, "mode", mode)
    fill(stage.browser, amount, shares)
    stage.browser.see(f"#sum[data-fen='{total}']")
    assert stage.browser.script("return document.querySelector('#amount').value") == amount
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready")
    (envelope,) = sent(me)
    assert (envelope["mode"], envelope["total"], envelope["shares"]) == (mode, total, int(shares))


@pytest.mark.parametrize("amount,shares", [("", "3"), ("0", "3"), ("8.888", "3"), ("1e3", "3"), ("-1", "3"),
                                           ("8", ""), ("8", "0"), ("8", "1.5"), ("0.02", "3")])
def test_nonsense_is_not_sent(stage, amount, shares):
    stage.open("", stage.me(ENOUGH))
    fill(stage.browser, amount, shares)
    stage.browser.tap("[data-do=send]")
    assert stage.browser.see(".fault", " ").get_attribute("id") in ("fault-amount", "fault-shares")
    focused = stage.browser.script("return document.activeElement.id")
    assert focused in ("amount", "shares"), "the focus goes to the field at fault"
    assert stage.proxy.asked(*SEND) == []


@pytest.mark.parametrize("languages,greeting", [("en-GB,en", "Best wishes!"), ("zh-CN,zh", "恭喜发财，大吉大利")])
def test_default_greeting(stage, languages, greeting):
    me = stage.me(ENOUGH)
    stage.browser.speak(languages)
    stage.open("", me)
    fill(stage.browser)
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready")
    assert [e["greeting"] for e in sent(me)] == [greeting]


def test_to_certain_people(stage):
    me, (ben, eve) = stage.me(ENOUGH), stage.friends[:2]
    stage.open("", me)
    stage.browser.state("send", "form")
    stage.browser.pick("#to", "users")
    fill(stage.browser, shares="1")
    stage.browser.type("#ids", ben.user)
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready")
    (envelope,) = sent(me)
    assert envelope["to"] == {"users": [ben.user]}
    assert (ben.grab(envelope["id"]).status, eve.grab(envelope["id"]).status) == (200, 403)


@pytest.mark.parametrize("refusal", [(422, "insufficient_funds"), (422, "limit_exceeded")])
def test_a_refusal_loses_nothing_typed(stage, refusal):
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    stage.browser.type("#greeting", "For you")
    stage.proxy.spoil(*SEND, refuse(*refusal))
    stage.browser.tap("[data-do=send]")
    stage.browser.see(f"[data-trouble={refusal[1]}]")
    typed = "return ['amount', 'shares', 'greeting'].map((id) => document.getElementById(id).value)"
    assert stage.browser.script(typed) == ["8.88", "3", "For you"]
    stage.browser.type("#amount", "5")
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready")
    assert [e["total"] for e in sent(me)] == [500]


def test_a_reload_loses_nothing_typed(stage):
    stage.open("", stage.me(ENOUGH))
    fill(stage.browser, "12.34", "7")
    stage.browser.type("#greeting", "Soon yours")
    stage.browser.reload()
    stage.browser.state("send", "form")
    typed = "return ['amount', 'shares', 'greeting'].map((id) => document.getElementById(id).value)"
    assert stage.browser.script(typed) == ["12.34", "7", "Soon yours"]


# ---- passing it on ----

def shared(stage):
    me = stage.me(ENOUGH)
    stage.open("", me)
    fill(stage.browser)
    stage.browser.tap("[data-do=send]")
    stage.browser.state("share", "ready")
    return f"{stage.proxy.url}?e={sent(me)[0]['id']}"


def test_link_is_copied_alone(stage):
    link = shared(stage)
    stage.browser.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    stage.browser.tap("[data-do=copy]")
    stage.browser.true("navigator.clipboard.readText().then((text) => text.includes('http'))")
    copied = stage.browser.script("return navigator.clipboard.readText()")
    assert copied == link


def test_qr_code_is_the_link(stage):
    link = shared(stage)
    picture = stage.browser.see("img#qr")
    assert stage.browser.attribute("img#qr", "src").startswith("data:image/png")
    assert stage.browser.attribute("img#qr", "alt")
    read = pyzbar.decode(Image.open(io.BytesIO(picture.screenshot_as_png)))
    assert [code.data.decode() for code in read] == [link]


def test_share_sheet(stage):
    stage.browser.run_first("navigator.share = async (what) => { window.shared = what; }")
    link = shared(stage)
    stage.browser.tap("[data-do=share]")
    what = stage.browser.true("window.shared")
    assert what.get("url") == link or link in what["text"]
    assert "Best wishes!" in what["text"]


def test_no_share_sheet(stage):
    stage.browser.run_first("delete Navigator.prototype.share")
    shared(stage)
    assert not [e for e in stage.browser.all("[data-do=share]") if e.is_displayed()]


# ---- what fails says so, and offers another way ----

BROKEN = {
    "never answers": "navigator.clipboard.writeText = () => new Promise(() => undefined);",
    "refuses": "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));",
}


@pytest.mark.parametrize("clipboard", BROKEN)
@pytest.mark.parametrize("old_way", ["return false", "throw new Error('not supported')"])
def test_copy_that_fails_says_so(stage, clipboard, old_way):
    stage.browser.run_first(BROKEN[clipboard] + f"document.execCommand = () => {{ {old_way}; }};")
    shared(stage)
    stage.browser.tap("[data-do=copy]")
    stage.browser.see("#share-said", "Copying did not work")
    assert stage.browser.script("return document.activeElement.id") == "link"


def test_copy_can_be_repeated(stage):
    stage.browser.run_first("document.execCommand = () => true; navigator.clipboard.writeText = async () => undefined;")
    shared(stage)
    stage.browser.tap("[data-do=copy]")
    stage.browser.see("[data-do=copy]", "Copied")
    stage.browser.see("[data-do=copy]", "Copy link")


def test_share_sheet_that_fails_offers_chats(stage):
    stage.browser.run_first("navigator.share = () => Promise.reject(new DOMException('no', 'NotAllowedError'));")
    link = shared(stage)
    stage.browser.tap("[data-do=share]")
    stage.browser.see("#share-said", "Sharing did not work")
    for chat in ("whatsapp", "telegram", "mail"):
        assert urllib.parse.quote(link, safe="") in stage.browser.attribute(f"[data-do=chat-{chat}]", "href")


def test_preview_card_and_icons(stage):
    """What a chat fetches of a link before anyone opens it."""
    connection = http.client.HTTPConnection(stage.proxy.origin.split("//")[1], timeout=10)
    page = None
    for path, kind in (("/", "text/html"), ("/card.png", "image/png"), ("/favicon.ico", "image/x-icon"),
                       ("/apple-touch-icon.png", "image/png"), ("/manifest.webmanifest", "application/manifest+json")):
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind), path
        page = page or body.decode()
    for tag in ("og:title", "og:description", "og:image"):
        assert f'property="{tag}"' in page


@pytest.mark.parametrize("typed,fen", [("8,88", 888), ("８，８８", 888), (".5", 50), ("1.000,50", 100_050),
                                       ("8元", 800), ("€1,5", 150)])
def test_what_was_understood_is_shown(stage, typed, fen):
    stage.open("", stage.me(1_000_000))
    stage.browser.state("send", "form")
    stage.browser.type("#amount", typed)
    stage.browser.see(f"#sum[data-fen='{fen}']")


def test_lucky_amounts_to_tap(stage):
    stage.open("", stage.me(ENOUGH))
    stage.browser.state("send", "form")
    stage.browser.tap("[data-do=lucky][data-fen='6666']")
    stage.browser.see("#sum[data-fen='6666']")


def test_a_fault_belongs_to_its_field(stage):
    stage.open("", stage.me(ENOUGH))
    fill(stage.browser, "8", "")
    stage.browser.tap("[data-do=send]")
    stage.browser.see("#fault-shares", "Enter the number")
    described = stage.browser.script("return [...document.querySelectorAll('[aria-describedby]')].map((e) => e.id)")
    assert described == ["shares"]
