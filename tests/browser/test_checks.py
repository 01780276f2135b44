"""The checks of the page find what is planted for them, and nothing in a page that is well."""
import http.client
import importlib.machinery
import importlib.util
import pathlib

import gallery
import page_checks
import pytest
from faulty_proxy import Reply, lose_answer, lose_request, refuse
from markup import Markup
from scenes import SCENES

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>body { margin: 8px; font: 16px/1.5 sans-serif } button { min-width: 60px; min-height: 50px } input { font: inherit }</style>
<main><h1>Well</h1>"""
WELL = """<p>A <a href="#x">link</a> in a sentence. <button id="x">Tap</button>
<label>Name <input value="short" style="height: 46px"></label>
<label style="display: inline-block; padding: 14px">One <input type="radio" name="r"></label>"""
PLANTED = {
    "scrolls sideways": '<div style="width: 600px; height: 9px"></div>',
    "outside the window": '<p style="position: fixed; left: 350px; white-space: nowrap">much too far to the right</p>',
    "cut off": '<p style="height: 9px; overflow: hidden">only the upper half is seen</p>',
    "cut off sideways": '<p style="width: 60px; white-space: nowrap; overflow: hidden">goes on and on</p>',
    "overlap": '<div style="position: relative"><p style="margin: 0">lower text</p>'
               '<p style="position: absolute; top: 0; margin: 4px">upper text</p></div>',
    "covered": '<div style="position: relative"><p>hidden text</p>'
               '<i style="position: absolute; inset: 0; background: #ccc"></i></div>',
    "sticks out": '<p style="width: 40px; background: #eee">unbreakable</p>',
    "cut off: \"a value": '<label>Name <input size="4" style="height: 46px" value="a value too long"></label>',
    "small letters": '<label>Name <input style="height: 46px; font-size: 15px" value="short"></label>',
    "small target": '<button style="min-width: 0; min-height: 0">x</button>',
}


def open_planted(browser, proxy, body):
    page = Reply(200, [("Content-Type", "text/html; charset=utf-8")], (HEAD + body + "</main>").encode())
    proxy.spoil("GET", "/planted$", lambda _request, _forward: page)
    browser.open(proxy.url + "planted")


def test_a_page_that_is_well(device, proxy):
    browser = device()
    open_planted(browser, proxy, WELL)
    for check in (page_checks.layout, page_checks.contrast, page_checks.axe, page_checks.console):
        assert check(browser) == []


@pytest.mark.parametrize("fault", PLANTED)
def test_layout_fault_is_found(device, proxy, fault):
    browser = device()
    open_planted(browser, proxy, WELL + PLANTED[fault])
    found = page_checks.layout(browser)
    assert any(sentence.startswith(fault) for sentence in found), found


def test_an_empty_page_is_found(device, proxy):
    browser = device()
    open_planted(browser, proxy, "<script>document.querySelector('main').remove()</script>")
    assert page_checks.layout(browser) == ["nothing is shown"]


@pytest.mark.parametrize("ground", ["#999", "linear-gradient(#fff, #999)"])
def test_weak_contrast_is_found(device, proxy, ground):
    browser = device()
    open_planted(browser, proxy, f'<p style="color: #888; background: {ground}">hard to read')
    assert any("hard to read" in sentence for sentence in page_checks.contrast(browser))


def test_violation_is_found(device, proxy):
    browser = device()
    open_planted(browser, proxy, '<img src="data:," width="9" height="9"><input>')
    found = page_checks.axe(browser)
    assert {sentence.split(":")[0] for sentence in found} == {"axe image-alt", "axe label"}


@pytest.mark.parametrize("body,rule", [("<section><p>No heading", None), ("<p id=a>One<p id=a>Two", "no-dup-id"),
                                       ("<ul><p>No item</ul>", "element-permitted-content"),
                                       ('<label for="gone">Name</label>', "no-missing-references")])
def test_wrong_markup_is_found(device, proxy, body, rule):
    browser = device()
    open_planted(browser, proxy, body)
    markup = Markup()
    found = markup.faults(browser)
    markup.close()
    assert {sentence.split(":")[0] for sentence in found} == ({f"markup {rule}"} if rule else set())


@pytest.mark.parametrize("script", ["console.error('said')", "nothing.there()", "fetch('nothing-there')"])
def test_complaint_is_found(chromiums, device, proxy, script):
    browser = device()
    open_planted(browser, proxy, f"<script>{script}</script>")
    assert browser.see("h1")
    complaints = []
    while not complaints:  # the browser tells a little later
        complaints = page_checks.console(browser)
    assert len(complaints) == 1


@pytest.mark.parametrize("code,body", [("en", "<p>Read <b>全部</b>"), ("en", '<img alt="全部" src="data:,">'),
                                       ("zh", "<p>全部 opened")])
def test_foreign_word_is_found(device, proxy, code, body):
    browser = device()
    open_planted(browser, proxy, body)
    browser.script("document.querySelector('h1').remove(); document.title = '1'")
    assert len(page_checks.language(browser, code)) == 1


@pytest.mark.parametrize("ring,seen", [("outline: 3px solid #06c", True), ("box-shadow: 0 0 0 2px #06c", True),
                                       ("outline: none", False), ("outline: 3px solid #eee", False)])
def test_focus_that_is_not_seen_is_found(device, proxy, ring, seen):
    browser = device()
    open_planted(browser, proxy, f"<style>#x {{ outline: none }} #x:focus {{ {ring} }}</style>" + WELL)
    browser.script("document.querySelector('#x').focus()")
    assert page_checks.focus_is_seen(browser) == seen
    assert browser.script("return document.activeElement.id") == "x"


def test_request_to_elsewhere_is_found(device, proxy, people):
    browser = device()
    elsewhere = f"http://127.0.0.1:{people.service.port}/icon.svg"
    open_planted(browser, proxy, f'<img src="{elsewhere}" alt="">')
    assert page_checks.strangers(browser, proxy.origin) == [f"asked elsewhere: {elsewhere}"]


# ---- the gallery tells what the checks find ----

def test_gallery_tells(people, take, monkeypatch, tmp_path):
    def planted(stage):
        open_planted(stage.browser, stage.proxy, '<img src="nothing-there"><p>全部' + PLANTED["overlap"])
    monkeypatch.setitem(gallery.SCENES, "planted", planted)
    faults = gallery.show(people, take(), "planted", "en", tmp_path)
    for look in gallery.LOOKS:
        for fault in ("overlap", "axe image-alt") if gallery.AXE[look] in ("all", "en") else ("overlap",):
            assert any(said.startswith(f"planted-en-{look}: {fault}") for said in faults), (look, fault)
    for fault in ("console", "not en"):
        assert any(said.startswith(f"planted-en: {fault}") for said in faults), fault
    assert len(list(tmp_path.glob("planted-en-*.png"))) == len(gallery.LOOKS)


@pytest.fixture
def shots():
    path = str(pathlib.Path(__file__).parents[1] / "page/shots")
    loader = importlib.machinery.SourceFileLoader("shots", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("shots", loader))
    loader.exec_module(module)
    return module


def test_missing_pictures_are_told(shots, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shots, "take_all", lambda directory, names: 0)
    assert shots.main(tmp_path) == 1
    missing = capsys.readouterr().out.count(": missing\n")
    assert missing == len(SCENES) * 2 * 3 and len(SCENES) >= 14


def test_state_that_is_not_reached_is_told(shots, monkeypatch, people, take, tmp_path):
    def never(stage):
        stage.open()
        stage.browser.see("#nothing-there", seconds=0.1)
    monkeypatch.setitem(gallery.SCENES, "never", never)
    (fault,) = shots.take(people, take(), "never", "en", tmp_path)
    assert fault.startswith("never-en: not reached")


# ---- the proxy spoils what it says, once ----

def ask(proxy, path="/healthz"):
    connection = http.client.HTTPConnection(proxy.origin.split("//")[1], timeout=10)
    connection.request("GET", path)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("fault,reaches", [(lose_answer, True), (lose_request, False)])
def test_lost(proxy, monkeypatch, fault, reaches):
    forwarded = []
    forward = proxy._forward
    monkeypatch.setattr(proxy, "_forward", lambda request: forwarded.append(request) or forward(request))
    proxy.spoil("GET", "/healthz", fault)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy)
    assert bool(forwarded) == reaches
    assert ask(proxy) == 200


def test_refused(proxy):
    proxy.spoil("GET", "/healthz", refuse(503, "unavailable", 1), times=2)
    assert [ask(proxy) for _ in range(3)] == [503, 503, 200]
