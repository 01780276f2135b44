"""The whole way: somebody sends, somebody else opens in another browser, and the money is there. By touch, by
keyboard alone, under a prefix, and on a page that is no secure context."""
import page_checks
from chromium import HOME
from faulty_proxy import FaultyProxy
from selenium.webdriver.common.keys import Keys

START_FEN = 100_000  # what a guest has


def come_in(browser, name):
    browser.type("input#name", name)
    browser.tap("[data-do=enter]")


def send(browser, url):
    """As a new guest; returns the link."""
    browser.open(url)
    come_in(browser, "Ann")
    browser.state("send", "form")
    browser.type("#amount", "8.88")
    browser.type("#shares", "2")
    browser.tap("[data-do=send]")
    browser.state("share", "ready")
    return browser.script("return document.querySelector('#link').value")


def open_link(browser, link):
    """As a new guest; returns the fen won."""
    browser.open(link)
    browser.state("envelope", "preview")
    come_in(browser, "Ben")
    browser.tap("[data-do=open]")
    browser.state("envelope", "opened")
    return int(browser.attribute("#mine", "data-fen"))


def go_the_whole_way(one, other, url):
    link = send(one, url)
    assert link.startswith(url + "?e=")
    one.see(f"#balance[data-fen='{START_FEN - 888}']")
    one.tap("[data-do=look]")
    one.state("envelope", "sealed")

    first = open_link(other, link)
    assert 1 <= first <= 887
    other.see(f"#balance[data-fen='{START_FEN + first}']")
    one.see(f"#claims > li[data-seq='1'][data-fen='{first}']", "Ben")  # by itself

    one.tap("[data-do=grab]")
    one.tap("[data-do=open]")
    one.state("envelope", "opened")
    second = int(one.attribute("#mine", "data-fen"))
    assert first + second == 888
    one.see(f"#balance[data-fen='{START_FEN - 888 + second}']")
    other.see(f"#claims > li.luckiest[data-fen='{max(first, second)}']")
    assert len(other.all("#claims > li.luckiest")) == 1


def test_two_browsers(device, proxy):
    go_the_whole_way(device(), device("dark"), proxy.url)


def test_under_a_prefix(device, people):
    behind = FaultyProxy(people.service.port, prefix="/gifts/hongbao")
    try:
        one, other = device(), device()
        one.origin = other.origin = behind.origin
        go_the_whole_way(one, other, behind.url)
        assert behind.strays == []
    finally:
        behind.close()


def test_in_a_home_network(device, people):
    """Over plain HTTP: much that browsers have is not there."""
    home = FaultyProxy(people.service.port, host=HOME)
    try:
        one, other = device(), device()
        one.origin = other.origin = home.origin
        one.open(home.url)
        assert one.script("return isSecureContext") is False
        go_the_whole_way(one, other, home.url)
        other.tap("[data-do=fair]")
        other.see("dialog#fair[data-state=right]")
    finally:
        home.close()


# ---- by keyboard alone ----

def reach(browser, css):
    """Presses Tab until this has the focus, and sees that the focus can be seen."""
    browser.true(f"document.querySelector({css!r})")
    for _ in range(60):
        if browser.script("return document.activeElement.matches(arguments[0])", css):
            assert page_checks.focus_is_seen(browser), f"no ring around {css}"
            return
        browser.keys(Keys.TAB)
    raise AssertionError(f"Tab does not reach {css}: {browser.describe()}")


def type_in(browser, css, text):
    reach(browser, css)
    browser.keys(text)


def focus_is_on(browser, css):
    browser.true(f"document.activeElement?.closest('{css}')")


def test_keyboard_alone(device, proxy):
    browser = device("desktop", motion=False)
    browser.open(proxy.url)
    type_in(browser, "input#name", "Kim")
    browser.keys(Keys.ENTER)
    browser.state("send", "form")
    reach(browser, "input[name=mode]")
    browser.keys(Keys.ARROW_RIGHT)
    type_in(browser, "#amount", "1.11")
    type_in(browser, "#shares", "2")
    browser.see("#sum[data-fen='222']")
    browser.keys(Keys.ENTER)
    browser.state("share", "ready")
    reach(browser, "[data-do=look]")
    browser.keys(Keys.ENTER)
    browser.state("envelope", "sealed")
    reach(browser, "[data-do=grab]")
    browser.keys(Keys.ENTER)
    browser.state("envelope", "grabbed")
    reach(browser, "[data-do=open]")
    browser.keys(Keys.SPACE)
    browser.state("envelope", "opened")
    focus_is_on(browser, "#mine")
    assert "1.11" in browser.script("return document.querySelector('#announce').textContent")
    reach(browser, "[data-do=fair]")
    browser.keys(Keys.ENTER)
    browser.see("dialog#fair[data-state=open]")
    browser.keys(Keys.ESCAPE)
    browser.gone("dialog#fair")
    focus_is_on(browser, "[data-do=fair]")
