"""Every state that the page can show a person in, by name, and how it is reached.

A scene's function gets a Stage and leaves its browser in that state. SPOILT names the scenes in which
requests fail, as they should: the browser's own complaint of that is no fault of the page.
"""
from faulty_proxy import Hold, answer, change, lose_request, refuse
from people import send
from selenium.webdriver.common.keys import Keys

COVERS = ("plain", "new_year", "birthday", "wedding", "thanks", "company")
SCENES = {}
SPOILT = set()
NAMES = {
    "zh": ("王小明", "李雷", "韩梅梅", "陈静", "欧阳娜娜", "张伟", "刘洋", "赵敏", "黄磊", "周杰", "杨帆", "吴桐"),
    "en": ("Alice", "Bob", "Carol", "Dave", "Eleanor", "Frank", "Grace", "Henry", "Iris", "Jack", "Kate", "Liam"),
}
GREETINGS = {"zh": "恭喜发财，大吉大利", "en": "Best wishes!"}
LONGEST = {
    "zh": ("欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐钟离宇文长孙司徒鲜于夏侯", "岁岁平安，年年有余，万事如意，" * 3 + "大吉大利！"),
    "en": ("Maximiliane Wilhelmina von Hohen", "May the year ahead bring you joy, health and luck!!"),
}


def scene(name, spoilt=False):
    def keep(function):
        SCENES[name] = function
        if spoilt:
            SPOILT.add(name)
        return function
    return keep


class Stage:
    """A browser and an origin of its own, and people whose names are of its language."""
    _friends = {}

    def __init__(self, people, proxy, browser, language):
        self.people, self.proxy, self.browser, self.language = people, proxy, browser, language
        self.greeting = GREETINGS[language]

    @property
    def friends(self):
        """Eleven people with money, the same for all scenes of a language."""
        if self.language not in self._friends:
            self._friends[self.language] = [self.people.person(name, money=10_000_000)
                                            for name in NAMES[self.language][1:]]
        return self._friends[self.language]

    def me(self, money=88_800):
        return self.people.person(NAMES[self.language][0], money=money)

    def envelope(self, total=8888, shares=5, opened=0, **more):
        """One that the first friend sent, of which the next friends opened some."""
        envelope = send(self.friends[0], total, shares, greeting=more.pop("greeting", self.greeting), **more)
        self.people.draw(envelope, *self.friends[1:1 + opened])
        return envelope

    def guests_envelope(self, greeting=None, **more):
        """One that a visitor without an account may open: a guest sent it."""
        return send(self.people.guest(NAMES[self.language][1]), greeting=greeting or self.greeting, **more)

    def open(self, query="", person=None):
        self.browser.open(self.proxy.url + query + (f"#token={person.token}" if person else ""))

    def fill_form(self, amount="88.88", shares="5"):
        self.browser.type("#amount", amount)
        self.browser.type("#shares", shares)
        self.browser.type("#greeting", self.greeting)


# ---- arriving ----

@scene("sign-in")
def sign_in(stage):
    stage.open()
    stage.browser.state("signin", "ready")


@scene("preview")
def preview(stage):
    stage.open("?e=" + stage.guests_envelope())
    stage.browser.state("envelope", "preview")


@scene("session-over", spoilt=True)
def session_over(stage):
    me = stage.me()
    stage.proxy.spoil("GET", "/v1/me", refuse(401, "token_expired"), times=None)
    stage.open("", me)
    stage.browser.see("[data-trouble=token_expired]")


@scene("somebody-else")
def somebody_else(stage):
    one, other = stage.friends[1:3]
    stage.open("", one)
    stage.browser.state("send")
    stage.browser.open("about:blank")
    stage.open("", other)
    stage.browser.state("switch")


# ---- sending ----

@scene("send-lucky")
def send_lucky(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    stage.browser.see("#balance[data-fen='88800']")
    stage.fill_form()
    stage.browser.see("#sum[data-fen='8888']")


@scene("send-equal")
def send_equal(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    choose(stage.browser, "mode", "equal")
    stage.browser.pick("#to", "users")
    stage.fill_form("6.66", "10")
    stage.browser.type("#ids", "bob, carol")
    stage.browser.see("#sum[data-fen='6660']")


@scene("send-no-money", spoilt=True)
def send_no_money(stage):
    stage.open("", stage.me(money=100))
    stage.browser.state("send", "form")
    stage.fill_form()
    stage.browser.tap("[data-do=send]")
    stage.browser.see("[data-trouble=insufficient_funds]")


@scene("send-over-limit", spoilt=True)
def send_over_limit(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    stage.fill_form()
    stage.proxy.spoil("POST", "/v1/envelopes$", refuse(422, "limit_exceeded"))
    stage.browser.tap("[data-do=send]")
    stage.browser.see("[data-trouble=limit_exceeded]")


@scene("send-fault")
def send_fault(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    stage.fill_form("0.03", "5")
    stage.browser.tap("[data-do=send]")
    stage.browser.see("#fault-amount", "0.01")


@scene("send-unknown", spoilt=True)
def send_unknown(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    stage.fill_form()
    stage.proxy.spoil("POST", "/v1/envelopes$", refuse(503, "unavailable", 30), times=None)
    stage.browser.tap("[data-do=send]")
    stage.browser.true("document.querySelector('main').dataset.state !== 'form'")
    stage.browser.state("send", "sending", "unknown")


@scene("share")
def share(stage):
    me = stage.me()
    stage.open(f"?e={send(me, greeting=stage.greeting)}&share", me)
    stage.browser.state("share", "ready")
    stage.browser.true("document.querySelector('img#qr').naturalWidth > 0")


# ---- opening ----

@scene("sealed")
def sealed(stage):
    stage.open("?e=" + stage.envelope(opened=2), stage.me())
    stage.browser.state("envelope", "sealed")


@scene("crowded")
def crowded(stage):
    stage.open("?e=" + stage.envelope(), stage.me())
    stage.browser.state("envelope", "sealed")
    stage.proxy.spoil("POST", "/grab$", answer({"state": "busy", "retry_after": 30}), times=None)
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbing")
    stage.browser.true("document.querySelector('#said')?.innerText.trim()")


@scene("grabbed")
def grabbed(stage):
    stage.open("?e=" + stage.envelope(), stage.me())
    stage.browser.tap("[data-do=grab]")
    stage.browser.state("envelope", "grabbed")


@scene("opening")
def opening(stage):
    grabbed(stage)
    stage.proxy.spoil("POST", "/open$", Hold())
    stage.browser.tap("[data-do=open]")
    stage.browser.see("[data-do=open].turning")


@scene("service-down", spoilt=True)
def service_down(stage):
    grabbed(stage)
    stage.proxy.spoil("POST", "/open$", refuse(503, "unavailable", 30), times=None)
    stage.browser.tap("[data-do=open]")
    stage.browser.true("document.querySelector('#said')?.innerText.trim()")
    stage.browser.state("envelope", "opening")


@scene("opened")
def opened(stage):
    grabbed(stage)
    stage.browser.tap("[data-do=open]")
    stage.browser.state("envelope", "opened")
    stage.browser.see("#claims > li.me")


# ---- afterwards ----

@scene("all-opened")
def all_opened(stage):
    me, envelope = stage.me(), stage.envelope(18_888, 10, opened=9)
    stage.people.draw(envelope, me)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")
    stage.browser.see("#claims > li.luckiest")


@scene("too-late")
def too_late(stage):
    stage.open("?e=" + stage.envelope(opened=5), stage.me())
    stage.browser.state("envelope", "sold_out")


@scene("expired")
def expired(stage):
    envelope = stage.envelope(opened=1, expires_in=1)
    stage.people.closed(stage.friends[0], envelope)
    stage.open("?e=" + envelope, stage.me())
    stage.browser.state("envelope", "expired")


@scene("equal-shares")
def equal_shares(stage):
    me, envelope = stage.me(), stage.envelope(5000, 5, opened=4, mode="equal")
    stage.people.draw(envelope, me)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")


@scene("longest")
def longest(stage):
    """Names, a greeting and amounts as long as they may be."""
    name, greeting = LONGEST[stage.language]
    sender = stage.people.person(name, money=2_000_000)
    me = stage.people.person(name)
    envelope = send(sender, 2_000_000, 100, greeting=greeting[:50])
    stage.people.draw(envelope, sender, me, *stage.friends[:4])
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")
    stage.browser.see("#claims > li.me")


@scene("thanked")
def thanked(stage):
    """Everyone thanks the sender, each with another word; the reader's own is pressed."""
    me, envelope = stage.me(), stage.envelope(18_888, 5, opened=4)
    stage.people.draw(envelope, me)
    for person, word in zip(stage.friends[1:5], ("thanks", "luck", "cheers", "wow")):
        assert person.request("POST", f"/v1/envelopes/{envelope}/thanks", {"thanks": word}).status == 200
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "opened")
    stage.browser.tap("[data-do=thank][data-word=hug]")
    stage.browser.see("#claims > li.me[data-thanks=hug]")


# ---- recall ----

def half_opened(stage):
    """An envelope of the reader's own, of which two shares are open."""
    me = stage.me()
    envelope = send(me, 8888, 5, greeting=stage.greeting)
    stage.people.draw(envelope, *stage.friends[1:3])
    return me, envelope


@scene("recall")
def recall(stage):
    me, envelope = half_opened(stage)
    stage.open("?e=" + envelope, me)
    stage.browser.tap("[data-do=recall]")
    stage.browser.see("dialog [data-do=yes]")


@scene("recalled-sender")
def recalled_sender(stage):
    recall(stage)
    stage.browser.tap("dialog [data-do=yes]")
    stage.browser.state("envelope", "expired")
    stage.browser.gone("[data-do=recall]")


def recalled(reader):
    def show(stage):
        me, envelope = half_opened(stage)
        assert me.request("POST", f"/v1/envelopes/{envelope}/recall").status == 200
        stage.open("?e=" + envelope, reader(stage))
        stage.browser.see("#claims > li")
    return show


scene("recalled-winner")(recalled(lambda stage: stage.friends[1]))
scene("recalled-others")(recalled(lambda stage: stage.me()))


# ---- covers: chosen, before signing in, sealed, with the coin, opened ----

def covered(theme):
    def choose_it(stage):
        send_lucky(stage)
        choose(stage.browser, "theme", theme)
        stage.browser.see(f".send-preview .packet[data-theme={theme}]")

    def preview_it(stage):
        stage.open("?e=" + stage.guests_envelope(theme=theme))
        stage.browser.state("envelope", "preview")
        stage.browser.see(f".packet[data-theme={theme}]")

    def seal_it(stage):
        stage.open("?e=" + stage.envelope(theme=theme), stage.me())
        stage.browser.state("envelope", "sealed")
        stage.browser.see(f".packet[data-theme={theme}]")

    def grab_it(stage):
        seal_it(stage)
        stage.browser.tap("[data-do=grab]")
        stage.browser.state("envelope", "grabbed")

    def open_it(stage):
        grab_it(stage)
        stage.browser.tap("[data-do=open]")
        stage.browser.state("envelope", "opened")
        stage.browser.see(f".packet-open[data-theme={theme}]")
        stage.browser.see("#claims > li.me")
    return {"choose": choose_it, "preview": preview_it, "sealed": seal_it, "grabbed": grab_it, "opened": open_it}


for _theme in COVERS:
    for _step, _show in covered(_theme).items():
        scene(f"cover-{_theme}-{_step}")(_show)


# ---- trust ----

@scene("fair")
def fair(stage):
    all_opened(stage)
    stage.browser.tap("[data-do=fair]")
    stage.browser.see("dialog#fair[data-state=right]")


@scene("broken")
def broken(stage):
    me, envelope = stage.me(), stage.envelope(opened=4)
    stage.people.draw(envelope, me)

    def steal(content):
        for claim in content["claims"]:
            claim["amount"] += {2: 1, 3: -1}.get(claim["seq"], 0)
    stage.proxy.spoil("GET", f"/v1/envelopes/{envelope}$", change(steal), times=None)
    stage.open("?e=" + envelope, me)
    stage.browser.tap("[data-do=fair]")
    stage.browser.see("dialog#fair[data-state=broken]")


# ---- records ----

def remember(stage):
    me = stage.me()
    for total, shares in ((888, 3), (6666, 10), (120_00, 1)):
        stage.people.draw(send(me, total, shares, greeting=stage.greeting), stage.friends[3])
    for opened in (1, 4, 2):
        envelope = stage.envelope(opened=opened)
        stage.people.draw(envelope, me)
    stage.people.credited(me)
    return me


def records(kind):
    def show(stage):
        stage.open("?v=" + kind, remember(stage))
        stage.browser.state("records", "ready")
        stage.browser.see("#rows > li")
    return show


for _kind in ("received", "sent", "ledger"):
    scene(_kind)(records(_kind))


@scene("nothing-yet")
def nothing_yet(stage):
    stage.open("?v=received", stage.me())
    stage.browser.state("records", "empty")


# ---- rush ----

@scene("rush")
def rush(stage):
    stage.open("?v=rush", stage.me())
    stage.browser.state("rush", "idle")


@scene("rush-done")
def rush_done(stage):
    rush(stage)
    stage.browser.tap("[data-do=rush]")
    stage.browser.tap("dialog [data-do=yes]")
    stage.browser.state("rush", "done", seconds=60)


# ---- trouble ----

@scene("offline", spoilt=True)
def offline(stage):
    stage.open("?e=" + stage.envelope(), stage.me())
    stage.browser.state("envelope", "sealed")
    stage.browser.offline(True)
    stage.browser.see("#offline")


@scene("no-answer", spoilt=True)
def no_answer(stage):
    stage.proxy.spoil("GET", "/v1/envelopes/", lose_request, times=None)
    stage.open("?e=" + stage.envelope(), stage.me())
    stage.browser.state("envelope", "trouble", seconds=40)


@scene("not-for-you", spoilt=True)
def not_for_you(stage):
    stage.open("?e=" + stage.envelope(shares=1, to={"users": [stage.friends[1].user]}), stage.me())
    stage.browser.see("[data-trouble=not_recipient]")


@scene("not-there", spoilt=True)
def not_there(stage):
    stage.open("?e=01900000-0000-7000-8000-000000000000", stage.me())
    stage.browser.see("[data-trouble=not_found]")


@scene("private", spoilt=True)
def private(stage):
    stage.open("?e=" + stage.envelope(shares=1, to={"users": [stage.friends[1].user]}))
    stage.browser.see("[data-trouble=private]")


@scene("menu")
def menu(stage):
    stage.open("", stage.me())
    stage.browser.state("send", "form")
    stage.browser.tap("details#menu > summary")
    stage.browser.see("[data-do=signout]")


@scene("leaving")
def leaving(stage):
    """A guest who signs out loses all, and is asked."""
    stage.open("", stage.people.guest(NAMES[stage.language][0]))
    stage.browser.state("send", "form")
    stage.browser.tap("details#menu > summary")
    stage.browser.tap("[data-do=signout]")
    stage.browser.see("dialog [data-do=no]")


def choose(browser, name, value):
    """One of a group of radio buttons, whose input may be drawn over by its label."""
    css = f"input[name={name}][value={value}]"
    browser.see("form")
    browser.script("document.querySelector(arguments[0]).focus()", css)
    browser.keys(Keys.SPACE)
