"""An installation for the tests of the page, and browsers in front of it, each behind a proxy of the test's own."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import page_checks  # noqa: E402
from chromium import Chromium  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402
from people import People  # noqa: E402
from scenes import Stage  # noqa: E402


@pytest.fixture(scope="session")
def people():
    """The installation and whoever lives on it."""
    made = People.start()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def chromiums():
    """Browsers that were started, to be used again."""
    idle = []
    yield idle
    for browser in idle:
        browser.close()


@pytest.fixture
def take(chromiums):
    """Gives browsers that remember nothing of an earlier test."""
    taken = []

    def give():
        browser = chromiums.pop() if chromiums else Chromium()
        taken.append(browser)
        return browser.settle_down()

    yield give
    for browser in taken:
        browser.open("about:blank")
    chromiums.extend(taken)


@pytest.fixture
def proxy(people):
    made = FaultyProxy(people.service.port)
    yield made
    made.close()


@pytest.fixture
def device(take, proxy):
    """Makes browsers: device(look="light", languages="en-GB,en"). In the end none of them may have complained of
    anything but requests that the test spoiled, or have asked anything of anybody else."""
    made = []

    def make(look="light", languages="en-GB,en", motion=True):
        browser = take()
        made.append(browser)
        browser.origin = proxy.origin
        browser.forget(proxy.origin)
        browser.look(look, motion)
        browser.speak(languages)
        return browser

    yield make
    wrong = []
    for browser in made:
        wrong += page_checks.console(browser, network=True) + page_checks.strangers(browser, browser.origin)
    assert wrong == []


@pytest.fixture
def stage(people, proxy, device):
    """A browser that speaks English, and people to meet in it."""
    return Stage(people, proxy, device(), "en")
