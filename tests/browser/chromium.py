"""One Chromium, driven as a person would: looks at what is shown, taps, types, waits until something is there."""
import base64
import contextlib
import json
import pathlib
import shutil

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from service import new_directory, wait_until

HOME = "hongbao.test"  # this machine under a name: without TLS no secure context, as in a home network
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
         f"--host-resolver-rules=MAP {HOME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
LOOKS = {  # name -> width, height, pixels a point, phone, dark
    "light": (390, 844, 2, True, False),
    "dark": (390, 844, 2, True, True),
    "desktop": (1280, 800, 1, False, False),
}
PATIENCE_S = 30  # only a test that fails waits as long
# A phone on 4G: 60 ms and 9 Mbit/s; the processor is slowed down as well.
PHONE_4G = {"latency": 60, "downloadThroughput": 9_000_000 / 8, "uploadThroughput": 3_000_000 / 8}


@contextlib.contextmanager
def drawn_anew():
    """What is read may go away meanwhile: an element is drawn anew, or the page is loaded again."""
    try:
        yield
    except StaleElementReferenceException:
        pass
    except WebDriverException as error:
        if "unhandled inspector error" not in (error.msg or ""):
            raise


class Chromium:
    def __init__(self, waits=True):
        """waits: commands wait until a page has loaded; false for pages that never do."""
        self.profile = new_directory("hb-chromium-")
        options = webdriver.ChromeOptions()
        options.page_load_strategy = "normal" if waits else "none"
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={self.profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.set_capability("goog:perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
        self.driver = webdriver.Chrome(service=Driver("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(30)
        self.driver.set_script_timeout(60)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    # ---- what kind of device this is ----
    def settle_down(self):
        """Forgets what an earlier test did to the device; nothing of its page is left open."""
        self.offline(False)
        self.slow(None)
        self.script("window.onbeforeunload = null")
        old = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        new = self.driver.current_window_handle
        self.driver.switch_to.window(old)
        self.driver.close()
        self.driver.switch_to.window(new)
        self.cdp("Network.enable")
        self.cdp("Emulation.setFocusEmulationEnabled", enabled=True)  # as a window in front of everything
        self.console(), self.requested()
        return self

    def forget(self, origin):
        """Forget what is stored and cached of an origin: its port may have been that of an earlier test."""
        self.cdp("Network.clearBrowserCache")
        self.cdp("Storage.clearDataForOrigin", origin=origin, storageTypes="all")

    def look(self, name, motion=False):
        width, height, scale, phone, dark = LOOKS[name]
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                 mobile=phone)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=phone)
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"}])

    def speak(self, languages):
        """The languages that the person has set in the browser, as "zh-CN,zh"."""
        agent = self.script("return navigator.userAgent")
        self.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=languages)

    def offline(self, yes):
        self.cdp("Network.emulateNetworkConditions", offline=yes, latency=0, downloadThroughput=-1,
                 uploadThroughput=-1)

    def slow(self, network, processor=1):
        self.cdp("Network.emulateNetworkConditions", offline=False,
                 **(network or {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}))
        self.cdp("Emulation.setCPUThrottlingRate", rate=processor)

    def run_first(self, script):
        """A script that runs before those of every page that is opened from now on in this tab."""
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)

    # ---- where it is ----
    def open(self, url):
        self.driver.get(url)

    def reload(self):
        self.driver.refresh()

    def back(self):
        self.driver.back()

    @property
    def url(self):
        return self.driver.current_url

    # ---- what is seen ----
    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def see(self, css, text="", seconds=PATIENCE_S):
        """Waits for a visible element that has this in its text, and returns it."""
        def seen():
            with drawn_anew():
                return [e for e in self.all(css) if e.is_displayed() and text in e.text]
            return []
        return wait_until(seen, seconds, f"{css} {text!r} is seen at {self.describe()}")[0]

    def gone(self, css, seconds=PATIENCE_S):
        def absent():
            with drawn_anew():
                return not any(e.is_displayed() for e in self.all(css))
            return False
        wait_until(absent, seconds, f"{css} is gone")

    def true(self, expression, seconds=PATIENCE_S):
        """Waits until an expression of JavaScript holds, and returns its value."""
        return wait_until(lambda: self.script(f"return {expression}"), seconds,
                          f"{expression} at {self.describe()}")

    def state(self, view, *states, seconds=PATIENCE_S):
        """Waits until the page says it shows this view in one of these states; returns which."""
        def there():
            main = self.script("const m = document.querySelector('main#page'); return {...m?.dataset}")
            return main.get("view") == view and (not states or main.get("state") in states) and main
        return wait_until(there, seconds, f"{view} {states} at {self.describe()}").get("state")

    def attribute(self, css, name):
        return self.script("return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null",
                           css, name)

    def text(self, css):
        return self.see(css).text

    def describe(self):
        try:
            return self.script("return location.href.split('#')[0] + ' ' + JSON.stringify({...(document"
                               ".querySelector('main')?.dataset ?? {})}) + ' ' + (document.body?.innerText ?? '')"
                               ".replace(/\\s+/g, ' ').slice(0, 300)")
        except WebDriverException as error:
            return f"no page ({error.msg})"

    # ---- what is done ----
    def tap(self, css, seconds=PATIENCE_S):
        def tapped():
            try:
                element = next((e for e in self.all(css) if e.is_displayed() and e.is_enabled()), None)
                if element is None:
                    return False
                self.script("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
                return True
            except WebDriverException:  # drawn anew, or something moves over it just now
                return False
        wait_until(tapped, seconds, f"{css} can be tapped at {self.describe()}")

    def type(self, css, text):
        """Into this field, instead of what is in it."""
        element = self.see(css)
        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(text)

    def pick(self, css, value):
        Select(self.see(css)).select_by_value(value)

    def keys(self, *keys):
        """To whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    # ---- what comes out ----
    def painted(self):
        """Waits until what was changed in the page is in its picture."""
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def picture(self, draft=False):
        """PNG bytes of the whole page; with a dialog open, of the window, in whose middle it is. A draft is packed
        in haste and, without a dialog, has a pixel a point."""
        width, height, scale = self.script(
            "const e = document.documentElement; return [e.clientWidth, document.querySelector('dialog:modal') ? 0 :"
            " Math.max(e.scrollHeight, innerHeight), window.devicePixelRatio]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 4000), "scale": 1 / scale if draft else 1}
        return self.shoot(clip if height else None, optimizeForSpeed=draft)

    def shoot(self, clip, **more):
        """PNG bytes of a part of the page, in points of it; None: of the window."""
        part = {"clip": clip} if clip else {}
        return base64.b64decode(self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=bool(clip),
                                         **part, **more)["data"])

    def console(self):
        """What was complained of since the last call: dicts with level, source, message."""
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requested(self):
        """The addresses asked for since the last call."""
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls


def source(name):
    return (pathlib.Path(__file__).parent / name).read_text()
