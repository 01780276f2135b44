"""What can be wrong with a page whatever it is about. Each check returns a list of sentences, empty if all is well."""
import io
import os
import pathlib
import re

from chromium import source
from PIL import Image
from service import BUILD

MODULES = pathlib.Path(os.environ.get("HONGBAO_NODE_MODULES", f"{BUILD}/browser/node_modules"))
LEAST_CONTRAST = 4.5
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Through the sheets that scripts may make: a style element would be against the page's own policy.
HIDE_TEXT = """
const sheet = new CSSStyleSheet();
sheet.replaceSync('*, ::before, ::after, ::placeholder { color: transparent !important; text-shadow: none !important;' +
    'caret-color: transparent !important; transition: none !important } svg text { fill: transparent !important }');
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
"""
SHOW_TEXT = "document.adoptedStyleSheets = document.adoptedStyleSheets.slice(0, -1);"


def layout(browser):
    """Sideways scrolling, text that is cut off, covered or overlaps, targets too small for a thumb."""
    seen = browser.script(source("sight.js") + source("layout.js"))
    return seen["faults"] + ([] if seen["lines"] else ["nothing is shown"])


def console(browser, network=False):
    """What the browser complained of. network: refused and lost requests belong to the scene."""
    return [f"console: {e['message']}" for e in browser.console() if not (network and e["source"] == "network")]


def strangers(browser, origin):
    """Requests to anywhere but the page's origin."""
    return [f"asked elsewhere: {url}" for url in browser.requested()
            if not url.startswith((origin + "/", "data:", "blob:", "about:"))]


# ---- the language: all that is read or read out is in one ----

WORDS = """
const told = document.querySelectorAll('[aria-label], [alt], [title], [placeholder]');
const names = [...told].flatMap((e) => ['aria-label', 'alt', 'title', 'placeholder'].map((a) => e.getAttribute(a)));
return [document.title, ...document.body.innerText.split('\\n'), ...names].filter((words) => words?.trim());
"""
FOREIGN = {"en": re.compile(r"[\u3400-\u9fff]"), "zh": re.compile(r"[A-Za-z]{3,}")}
# The other language's name, the characters on the coin; addresses, hashes and ids; our name.
EITHER = re.compile(r"中文|福|開|https?://\S+|\?e=\S+|\b[0-9a-f]{8,}\b|SHA-256|hongbao|WhatsApp|Telegram|CSV|\bp\d+\b|bob, carol")


def language(browser, code):
    """Words that are not of this language."""
    return [f"not {code}: {words[:60]!r}" for words in browser.script(WORDS)
            if FOREIGN[code].search(EITHER.sub("", words))]


# ---- contrast, measured on what is painted behind each line of text ----

def luminance(rgb):
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def least_ratio(picture, line):
    """The least contrast of the line's colour with what fills a twentieth or more of its box."""
    left, top, right, bottom = (round(v) for v in line["box"])
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)
    if left >= right or top >= bottom:
        return None  # scrolled out of its box, or below what is pictured
    behind = picture.crop((left, top, right, bottom))
    colours = behind.quantize(8).convert("RGB").getcolors()
    enough = behind.width * behind.height / 20
    *text, alpha = line["color"]
    return min(ratio([t * alpha + b * (1 - alpha) for t, b in zip(text, ground)], ground)
               for count, ground in colours if count >= enough)


def pixels(png):
    return Image.open(io.BytesIO(png)).convert("RGB")


def contrast(browser):
    """Text that stands out too little, on gradients and pictures too."""
    lines = browser.script(source("sight.js") + source("contrast.js"))
    browser.script(HIDE_TEXT)
    browser.painted()
    picture = pixels(browser.picture(draft=True))
    browser.script(SHOW_TEXT)
    width = browser.script("return document.documentElement.clientWidth")
    if picture.width != width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.BOX)
    weak = set()
    for line in lines:
        least = least_ratio(picture, line)
        if least is not None and least < LEAST_CONTRAST:
            weak.add(f"contrast {least:.2f}: {line['text']!r}")
    return sorted(weak)


# ---- accessibility, by axe-core ----

def axe(browser):
    """Violations of WCAG 2, levels A and AA; no rule is left out."""
    if not browser.script("return 'axe' in window"):
        browser.script((MODULES / "axe-core/axe.min.js").read_text())
    found = browser.driver.execute_async_script("""
        const [tags, done] = arguments;
        axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then(done, (e) =>
            done({violations: [{id: 'axe failed', help: String(e), nodes: []}], passes: []}));""", WCAG)
    return [f"axe {v['id']}: {v['help']}: " + "; ".join(n["html"][:120] for n in v["nodes"][:3])
            for v in found["violations"]]


# ---- the focus: what one sees of it ----

AROUND = """
const focused = document.activeElement;
const {x, y, width, height} = (focused.closest('label, .field') ?? focused).getBoundingClientRect();
return {x: Math.max(0, x + scrollX - 8), y: Math.max(0, y + scrollY - 8), width: width + 16, height: height + 16,
    scale: 1};"""
LEAST_RING = 3


def focus_is_seen(browser):
    """Whether a line around what has the focus tells it from what has not, with a contrast of 3:1."""
    browser.script(HIDE_TEXT)  # and what blinks in a field
    browser.painted()
    clip = browser.script(AROUND)
    with_focus = pixels(browser.shoot(clip))
    browser.script("window.focused = document.activeElement; window.focused.blur()")
    browser.painted()
    without = pixels(browser.shoot(clip))
    browser.script("window.focused.focus(); delete window.focused")
    browser.script(SHOW_TEXT)
    changed = sum(ratio(one, other) >= LEAST_RING for one, other in zip(with_focus.getdata(), without.getdata())
                  if one != other)
    return changed >= clip["width"] + clip["height"]
