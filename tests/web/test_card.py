"""The card that a chat shows of a pasted link: robots get it from the query pool, people get the page."""
import re

import pytest
from client import Client
from raw import exchange

ROBOTS = ("Twitterbot/1.0", "TelegramBot (like TwitterBot)", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
          "facebookexternalhit/1.1", "WhatsApp/2.23.20.0", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
          "Synapse (bot; +https://github.com/matrix-org/synapse)")
PEOPLE = ("Mozilla/5.0 (X11; Linux x86_64) Chrome/126 Safari/537.36", "Mozilla/5.0 (Linux; Android 9; CUBOT_X18) Chrome/90",
          "Mozilla/5.0 (iPhone) MicroMessenger/8.0.40", "Mozilla/5.0 (Linux) Line/13.1 WhatsApp-like")


def get(front, target, agent, method="GET"):
    request = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
    return exchange((front.address, front.port), request.encode(), method)


def tags(answer):
    return dict(re.findall(r'<meta property="og:([a-z:_]+)" content="([^"]*)">', answer.body.decode()))


@pytest.fixture(scope="module")
def envelope(service):
    sender = Client(service, service.token("card-sender", name='A "B" <i>&'))
    service.ctl("topup", "card-sender", 10000)
    ids = {"open": sender.send(888, 3, greeting="<script>福&\"").json["id"],
           "private": sender.send(888, 1, greeting="secret", to={"users": ["bob"]}).json["id"]}
    yield ids
    sender.close()


@pytest.mark.parametrize("agent", ROBOTS)
def test_robot_gets_the_card(front, envelope, agent):
    answer = get(front, f"/?e={envelope['open']}", agent)
    assert answer.status == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    found = tags(answer)
    assert found["title"] == "A &quot;B&quot; &lt;i&gt;&amp; 的红包"
    assert found["description"].startswith("&lt;script&gt;福&amp;&quot; · ")
    assert found["image"] == "card.png" and b"888" not in answer.body and b"8.88" not in answer.body
    assert "content-security-policy" in answer.headers and answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_get_the_page(front, envelope, agent):
    answer = get(front, f"/?e={envelope['open']}", agent)
    assert answer.status == 200 and b'id="page"' in answer.body


def test_recipients_only(front, envelope):
    """The card says nothing of an envelope that is not shown without a token."""
    answer = get(front, f"/?e={envelope['private']}", ROBOTS[0])
    assert answer.status == 200 and "你收到一个红包" in tags(answer)["title"]
    assert b"secret" not in answer.body and b"A &quot;" not in answer.body


def test_elsewhere(front, envelope):
    """Head, an unknown envelope, and every other address, the card's own link included."""
    assert get(front, f"/?e={envelope['open']}", ROBOTS[0], "HEAD").body == b""
    assert get(front, "/?e=01900000-0000-7000-8000-000000000000", ROBOTS[0]).status == 404
    for target in ("/", "/?v=sent", f"/?e={envelope['open']}&amp;page", f"/?e={envelope['open']}&page", "/?e=x"):
        answer = get(front, target, ROBOTS[0])
        assert answer.status == 200 and b'id="page"' in answer.body, target
    assert get(front, f"/openapi.json?e={envelope['open']}", ROBOTS[0]).headers["content-type"] == "application/json"
