"""Small and quick: on a phone, in the cache, and with five hundred names."""
import concurrent.futures

import pytest
from chromium import PHONE_4G

READY = """
window.readyAt = null;
new MutationObserver(() => {
    const {state} = document.querySelector('main')?.dataset ?? {};
    if (['preview', 'ready'].includes(state)) {
        window.readyAt ??= performance.now();
    }
}).observe(document, {subtree: true, childList: true, attributes: true});
"""


@pytest.mark.parametrize("view", ["signin", "envelope"])
def test_first_view_is_under_100_kb(stage, view, record_property):
    stage.open("?e=" + stage.guests_envelope() if view == "envelope" else "")
    stage.browser.state(view)
    stage.browser.see("input#name")
    stage.browser.true("document.readyState === 'complete'")
    record_property("bytes", stage.proxy.bytes_sent)
    assert stage.proxy.bytes_sent < 100_000


def test_second_view_comes_from_the_cache(stage):
    stage.open()
    stage.browser.state("signin", "ready")
    first, stage.proxy.bytes_sent = stage.proxy.bytes_sent, 0
    stage.open("?e=" + stage.envelope())
    stage.browser.state("envelope", "preview")
    assert stage.proxy.bytes_sent < first / 3


def test_usable_on_a_phone_on_4g(stage, record_property):
    envelope = stage.envelope()
    stage.browser.run_first(READY)
    stage.browser.slow(PHONE_4G, processor=4)
    stage.open("?e=" + envelope)
    ready = stage.browser.true("window.readyAt")
    record_property("milliseconds", ready)
    assert ready < 1200


def test_five_hundred_claims_scroll(stage, people):
    envelope = stage.envelope(total=50_000, shares=500)
    crowd = [people.person(f"Guest {n}") for n in range(500)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda guest: people.draw(envelope, guest), crowd))
    stage.open("?e=" + envelope, crowd[0])
    stage.browser.state("envelope", "opened")
    while (before := len(stage.browser.all("#claims > li"))) < 500:  # it grows by itself meanwhile
        stage.browser.script("document.querySelector('#claims').lastElementChild.scrollIntoView()")
        stage.browser.true(f"document.querySelectorAll('#claims > li').length > {before}")
    stage.browser.script("window.scrollTo(0, 0)")
    gaps = stage.browser.driver.execute_async_script("""
        const done = arguments[0], gaps = [];
        let last = performance.now();
        requestAnimationFrame(function step(now) {
            gaps.push(now - last);
            last = now;
            window.scrollBy(0, 200);
            const end = window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 1;
            return end ? done(gaps) : requestAnimationFrame(step);
        });""")
    gaps = sorted(gaps[1:])
    assert len(gaps) > 50 and gaps[len(gaps) // 2] < 34
