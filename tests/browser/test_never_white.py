"""The page is never white: before its scripts have come, when one of them is lost, late or broken, and in browsers that
are too old for it."""
import pytest
from chromium import Chromium
from faulty_proxy import Hold, Reply, lose_request

PAINTED = "performance.getEntriesByName('first-contentful-paint').length"


def broken(_request, _forward):
    return Reply(200, [("Content-Type", "text/javascript")], b"(((")


def missing(_request, _forward):
    return Reply(404, [("Content-Type", "text/plain")], b"not here\n")


FAULTS = {"lost": lose_request, "missing": missing, "broken": broken}


def asset(name):
    return "GET", f"/assets/{name}-"


def preview(stage):
    stage.open("?e=" + stage.guests_envelope())


@pytest.fixture(autouse=True)
def complaints(stage):
    """The browser complains of what these tests break."""
    yield
    stage.browser.console()


@pytest.mark.parametrize("fault", FAULTS)
def test_script_that_fails_once(stage, fault):
    """The page is loaded again by itself, and works."""
    stage.proxy.spoil(*asset("main"), FAULTS[fault])
    preview(stage)
    stage.browser.state("envelope", "preview")


@pytest.mark.parametrize("fault", FAULTS)
def test_script_that_always_fails(stage, fault):
    """Says so in both languages, with a way to try again; does not reload for ever."""
    stage.proxy.spoil(*asset("main"), FAULTS[fault], times=None)
    preview(stage)
    stage.browser.see("#boot-failed", "could not be loaded")
    assert "重试" in stage.browser.text("#boot-failed")
    assert len(stage.proxy.asked("GET", r"^/(\?|$)")) == 2
    stage.proxy.mend()
    stage.browser.tap("#boot-failed a")
    stage.browser.state("envelope", "preview")


@pytest.fixture
def impatient(stage):
    """The stage with a browser whose commands do not wait for pages that never finish loading."""
    patient, stage.browser = stage.browser, Chromium(waits=False)
    stage.browser.settle_down()
    stage.browser.speak("en-GB,en")
    yield stage
    stage.browser.close()
    stage.browser = patient


def test_script_that_hangs(impatient):
    """First it says that it takes long, then that it failed."""
    impatient.proxy.spoil(*asset("main"), Hold(), times=None)
    preview(impatient)
    impatient.browser.see("main svg")
    impatient.browser.see("#boot-slow", "taking long")
    impatient.browser.see("#boot-failed", "could not be loaded", seconds=90)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["boot", "page"])
def test_works_without(stage, name, fault):
    """Neither the watch over the start nor the style is needed for the page to work."""
    stage.proxy.spoil(*asset(name), FAULTS[fault], times=None)
    preview(stage)
    stage.browser.state("envelope", "preview")
    stage.browser.see("#name")


def test_style_that_hangs(impatient):
    """The page waits a few seconds for its style, then works without."""
    impatient.proxy.spoil(*asset("page"), Hold(), times=None)
    preview(impatient)
    impatient.browser.state("envelope", "preview")


@pytest.mark.parametrize("fault", FAULTS)
def test_later_view_that_fails(stage, fault):
    """Says so with a way on; the token that the link brought is not lost."""
    stage.proxy.spoil(*asset("signed_in"), FAULTS[fault], times=None)
    stage.open("", stage.me())
    stage.browser.state("missing", "trouble")
    stage.proxy.mend()
    stage.browser.tap("[data-do=again]")
    stage.browser.state("send", "form")


def test_token_of_the_link_survives_the_reload(stage):
    stage.proxy.spoil(*asset("main"), lose_request)
    stage.open("", stage.me())
    stage.browser.see("#balance[data-fen='88800']")


def test_painted_before_any_script_or_style(impatient):
    """One round trip after the address: the envelope and words are in the page itself."""
    for name in ("main", "boot", "page"):
        impatient.proxy.spoil(*asset(name), Hold(), times=None)
    impatient.open()
    impatient.browser.see("main svg")
    impatient.browser.true(PAINTED)


def test_browser_that_knows_no_modules(stage):
    stage.browser.run_first("delete HTMLScriptElement.prototype.noModule")
    stage.proxy.spoil(*asset("main"), lose_request, times=None)
    stage.open()
    stage.browser.see("#boot-old", "Chrome 80")
    assert "浏览器版本太旧" in stage.browser.text("#boot-old")


def test_without_scripts(stage):
    stage.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        stage.open()
        tree = stage.browser.cdp("Accessibility.getFullAXTree")["nodes"]
        assert any("needs JavaScript" in node.get("name", {}).get("value", "") for node in tree)
    finally:
        stage.browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
