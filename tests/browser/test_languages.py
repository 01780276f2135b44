"""Chinese and English: as the browser says, as one chose, and whole."""
import pytest

LANGUAGE = "return document.documentElement.lang"


@pytest.mark.parametrize("languages,shown", [("zh-CN,zh", "zh-CN"), ("zh-TW,en", "zh-CN"), ("en-GB,en", "en"),
                                             ("fr-FR,fr", "en"), ("fr,zh,en", "zh-CN")])
def test_follows_the_browser(stage, languages, shown):
    stage.browser.speak(languages)
    stage.open()
    stage.browser.state("signin", "ready")
    assert stage.browser.script(LANGUAGE).split("-")[0] == shown.split("-")[0]


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
    stage.browser.see("[data-do=send]", "Send")


@pytest.mark.parametrize("languages,amount", [("zh-CN,zh", "12,345.67"), ("en-GB,en", "12,345.67")])
def test_amounts_are_written_as_is_usual(stage, languages, amount):
    stage.browser.speak(languages)
    stage.open("", stage.me(1_234_567))
    stage.browser.see("#balance", amount)
