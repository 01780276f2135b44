"""Chinese and English: as the browser says, as one chose, and whole."""
import re

import pytest

LANGUAGE = "return document.documentElement.lang"


@pytest.mark.parametrize("languages,shown", [("zh-CN,zh", "zh-CN"), ("zh-TW,en", "zh-TW"), ("zh-Hant-HK,zh", "zh-Hant-HK"), ("en-GB,en", "en-GB"),
                                             ("fr-FR,fr", "en"), ("fr,zh,en", "zh-CN")])
def test_follows_the_browser(stage, languages, shown):
    stage.browser.speak(languages)
    stage.open()
    stage.browser.state("signin", "ready")
    assert stage.browser.script(LANGUAGE) == shown
    expected = {"zh-CN": "红包", "en": "Red envelopes", "en-GB": "Red envelopes"}.get(shown, "紅包")
    assert expected in stage.browser.text("h1")


def test_choice_is_remembered(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    stage.browser.type("#amount", "3.21")
    stage.browser.tap("[data-do=language]")
    stage.browser.see("[data-do=send]", "塞钱进红包")
    assert stage.browser.script("return document.querySelector('#amount').value") == "3.21"
    stage.browser.reload()
    stage.browser.see("[data-do=send]", "塞钱进红包")
    stage.browser.tap("[data-do=language]")
    stage.browser.see("[data-do=send]", "塞錢進紅包")
    stage.browser.tap("[data-do=language]")
    stage.browser.see("[data-do=send]", "Send")


@pytest.mark.parametrize("languages,amount", [("zh-CN,zh", "12,345.67"), ("en-GB,en", "12,345.67")])
def test_amounts_are_written_as_is_usual(stage, languages, amount):
    stage.browser.speak(languages)
    stage.open("", stage.me(1_234_567))
    stage.browser.see("#balance", amount)


@pytest.mark.parametrize("languages,date", [("en-GB,en", r"\d{1,2} \w{3,4} \d{4}, \d\d:\d\d"),
                                            ("en-US,en", r"\w{3} \d{1,2}, \d{4}, \d\d:\d\d"),
                                            ("zh-CN,zh", r"\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d")])
def test_dates_are_written_as_in_the_region(stage, languages, date):
    stage.browser.speak(languages)
    stage.open("?e=" + stage.envelope(), stage.me())
    stage.browser.state("envelope", "sealed")
    assert re.search(date, stage.browser.text(".until"))


def test_language_switch_keeps_what_was_typed_and_held(stage):
    """A name, offline too; and a ticket."""
    stage.open("?e=" + stage.guests_envelope())
    stage.browser.type("#name", "Mei")
    stage.browser.offline(True)
    stage.browser.tap("[data-do=language]")
    stage.browser.true("document.documentElement.lang.startsWith('zh')")
    stage.browser.offline(False)
    stage.browser.true("document.querySelector('#name')?.value === 'Mei'")
