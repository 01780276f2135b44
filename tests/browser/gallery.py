"""Shows every scene in both languages and in every look, says what is wrong with it, and takes its picture."""
import page_checks
from chromium import LOOKS
from faulty_proxy import FaultyProxy
from scenes import SCENES, SPOILT, Stage

LANGUAGES = {"zh": "zh-CN,zh", "en": "en-GB,en"}
# axe takes longest, and most of its rules do not depend on the look: layout and contrast are checked in each.
AXE = {"light": "all", "dark": "zh", "desktop": "en"}
STILL = """
const done = arguments[0];
const moving = () => document.getAnimations().filter((a) => a.playState === 'running' &&
    a.effect.getComputedTiming().endTime !== Infinity);
const wait = () => requestAnimationFrame(() => requestAnimationFrame(() => moving().length ? wait() : done()));
document.fonts.ready.then(wait);"""


def show(people, browser, name, language, pictures=None, markup=None):
    """The faults of a scene, each with the name of the picture it is seen in. With a directory, its pictures are
    put there; with a Markup, that is looked at too."""
    proxy = FaultyProxy(people.service.port)
    faults = []
    try:
        browser.look("light")
        browser.speak(LANGUAGES[language])
        SCENES[name](Stage(people, proxy, browser, language))
        for look in LOOKS:
            browser.look(look)
            browser.driver.execute_async_script(STILL)
            faults += [f"{name}-{language}-{look}: {fault}" for fault in look_at(browser, AXE[look] in (language, "all"))]
            if pictures:
                (pictures / f"{name}-{language}-{look}.png").write_bytes(browser.picture())
        faults += [f"{name}-{language}: {fault}" for fault in page_checks.language(browser, language)]
        faults += [f"{name}-{language}: {fault}" for fault in (markup.faults(browser) if markup else [])]
        told = page_checks.console(browser, network=name in SPOILT) + page_checks.strangers(browser, proxy.origin)
        faults += [f"{name}-{language}: {fault}" for fault in told]
    finally:
        browser.offline(False)
        proxy.close()
    return faults


def look_at(browser, axe=True):
    return page_checks.layout(browser) + page_checks.contrast(browser) + (page_checks.axe(browser) if axe else [])


def expected():
    """The names of all pictures."""
    return [f"{name}-{language}-{look}.png" for name in SCENES for language in LANGUAGES for look in LOOKS]
