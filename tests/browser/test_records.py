"""The records say what the books say."""
from people import send
from scenes import remember
from service import wait_until


def rows(stage):
    return len(stage.browser.all("#rows > li"))


def test_received_and_sent_add_up(stage):
    me = remember(stage)
    for kind in ("received", "sent"):
        told = me.get(f"/v1/me/{kind}").json
        stage.open("?v=" + kind, me)
        stage.browser.state("records", "ready")
        stage.browser.see(f"#sum[data-fen='{told['total']}']")
        assert rows(stage) == told["count"] == 3
        assert str(told["year"]) in stage.browser.text("#year")


def test_ledger(stage):
    me = remember(stage)
    told = me.get("/v1/me/ledger").json
    stage.open("?v=ledger", me)
    stage.browser.state("records", "ready")
    stage.browser.see(f"#sum[data-fen='{told['balance']}']")
    assert rows(stage) == len(told["items"]) == 7  # a top-up, three sent, three won
    assert sum(item["amount"] for item in told["items"]) == told["balance"]


def test_tabs_lead_to_each_other(stage):
    stage.open("?v=received", remember(stage))
    for kind in ("sent", "ledger", "received"):
        stage.browser.tap(f"main a[href='?v={kind}']")
        stage.browser.see(f"main[data-kind={kind}]")
        stage.browser.state("records", "ready")


def test_a_record_leads_to_its_envelope(stage):
    stage.open("?v=received", remember(stage))
    stage.browser.tap("#rows > li a")
    stage.browser.state("envelope", "opened")


def test_year_before(stage):
    stage.open("?v=received", remember(stage))
    stage.browser.state("records", "ready")
    stage.browser.tap("[data-do=year-back]")
    stage.browser.state("records", "empty")
    assert "year=" in stage.browser.url
    stage.browser.tap("[data-do=year-on]")
    stage.browser.state("records", "ready")


def test_long_records_load_as_one_scrolls(stage):
    me = stage.me(100_000)
    for _ in range(120):
        send(me, 100, 1)
    stage.open("?v=sent", me)
    stage.browser.state("records", "ready")
    first = wait_until(lambda: rows(stage), 10, "rows are there")
    assert first < 120

    def all_there():
        stage.browser.script("window.scrollTo(0, document.documentElement.scrollHeight)")
        return rows(stage) == 120
    wait_until(all_there, 15, "all are there")
    links = stage.browser.script("return [...document.querySelectorAll('#rows a')].map((a) => a.href)")
    assert len(set(links)) == 120
