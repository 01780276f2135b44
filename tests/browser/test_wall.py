"""The hall: on a projector, a code over half the height, names as they open, the count, the top three, the end."""
import concurrent.futures
import io

from PIL import Image
from pyzbar import pyzbar

CROWD = 300


def test_wall_with_a_crowd(stage, people):
    host = stage.friends[0]
    envelope = stage.envelope(total=60_000, shares=CROWD)
    stage.browser.cdp("Emulation.setDeviceMetricsOverride", width=1920, height=1080, deviceScaleFactor=1, mobile=False)
    stage.open(f"?e={envelope}&wall", host)
    stage.browser.state("wall", "open")
    code = stage.browser.see("#wall-qr")
    stage.browser.true("document.querySelector('#wall-qr').naturalWidth > 0")
    assert code.size["height"] > 540
    read = pyzbar.decode(Image.open(io.BytesIO(code.screenshot_as_png)))
    assert [c.data.decode() for c in read] == [f"{stage.proxy.url}?e={envelope}"]
    crowd = [people.person(f"Guest {n}") for n in range(CROWD)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda guest: people.draw(envelope, guest), crowd))
    stage.browser.state("wall", "sold_out")
    stage.browser.see("#wall-count", f"All {CROWD} shares are gone")
    claims, after = [], ""
    while after is not None:
        page = host.get(f"/v1/envelopes/{envelope}?limit=100{after and '&after=' + after}").json
        claims, after = claims + page["claims"], page["next"]
    assert len(claims) == CROWD
    best = sorted(claims, key=lambda c: (-c["amount"], c["seq"]))[:3]
    stage.browser.true(f"document.querySelector('#wall-names li')?.dataset.seq === '{CROWD}'")
    shown = stage.browser.script("return [...document.querySelectorAll('#wall-top li')].map((li) => +li.dataset.seq)")
    assert shown == [c["seq"] for c in best]
    assert stage.browser.script("return document.documentElement.scrollHeight") <= 1300
    stage.browser.keys("\ue00c")  # Escape leads back to the envelope
    stage.browser.true("!location.search.includes('wall')")
