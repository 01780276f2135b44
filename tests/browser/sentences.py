"""Every line of text that a page has shown at an envelope, when, and whether the database agreed.

run_first(RECORD), then compare(browser, envelope, me) with the envelope and all its claims as the database has them
after the race. A line that no rule knows is a fault: a new sentence needs one."""
import datetime
import re
from collections import Counter

RECORD = """
window.said = [];
let shown = new Set();
const note = () => {
    const text = [document.querySelector('main')?.innerText, document.querySelector('#announce')?.textContent].join('\\n');
    const lines = new Set(text.split('\\n').map((line) => line.trim()).filter(Boolean));
    lines.forEach((line) => shown.has(line) || window.said.push([Date.now() / 1000, line]));
    shown = lines;
};
new MutationObserver(note).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
"""
LAG = 4  # seconds that a page may be behind: it asks every two
SKEW = 0.02


class State:
    """What the database knew at the time `at`, and, for what a page may learn late, at a time up to LAG before."""
    def __init__(self, envelope, user, at):
        self.at, self.envelope = at, envelope
        self.claims = [c for c in envelope["claims"] if seconds(c["opened_at"]) <= at + SKEW]
        self.before = sum(seconds(c["opened_at"]) <= at - LAG for c in self.claims)
        self.mine = next((c for c in self.claims if c["user"] == user), None)
        self.over = len(self.claims) == envelope["shares"]
        self.was_open = self.before < envelope["shares"]
        self.name = (f"{'sold out' if self.over else 'open'}, {'own share' if self.mine else 'no share'}")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def fen(text):
    return round(float(text) * 100)


def counted(state, opened, shares, *_):
    least = max(state.before, state.mine["seq"] if state.mine else 0)
    return least <= int(opened) <= len(state.claims) and int(shares) == state.envelope["shares"]


def over(state, *_):
    return state.over


def was_open(state, *_):
    return state.was_open


def always(*_):
    """It says nothing of the envelope's course."""
    return True


# Pattern of a whole line, and what must hold when it is shown.
RULES = [
    (r"You won ¥([\d.]+)!", lambda state, won: state.mine is not None and state.mine["amount"] == fen(won)),
    (r"¥([\d.]+)", lambda state, won: any(c["amount"] == fen(won) for c in state.claims)),
    (r"(?:on its way to|in) your balance", lambda state: state.mine is not None),
    (r"You|Thank the sender|.* (?:Thank you|A hug|Good luck|Cheers|Wow)|Send one too", lambda state: state.mine is not None),
    (r"(\d+) of (\d+) opened(?:, ¥[\d.]+ of ¥[\d.]+)?", counted),
    (r"(?:Too late: all shares are gone|\d+ opened in .*|See everyone’s luck|Send one yourself|Luckiest)", over),
    (r"You are the luckiest: your turn to send one",
     lambda state: state.over and state.mine["seq"] == state.envelope["luckiest"]["seq"]),
    (r"(?:Tap to grab a share|Tap the coin!|What is inside goes to whoever opens first\.|Open until .*)", was_open),
    (r"(?:Grabbing …|Almost there …|Trying again …)", was_open),
    (r"In the order opened; .*", lambda state: len(state.claims) > 1),
    (r"Nobody has opened it yet\.", lambda state: state.before == 0 and state.mine is None),
    (r"Lucky draw", lambda state: state.envelope["mode"] == "lucky"),
    (r"(?:Opening the page …|正在打开……|This is taking long\..*)", always),
    (r"(?:One moment …|Is it fair\?|Pass it on|Big screen|Everyone’s luck|Sound|Save as CSV|福|開|\d+:\d\d.*)", always),
]


def holds(state, line, names):
    """True or False; None if no rule knows the line."""
    for pattern, rule in RULES:
        if found := re.fullmatch(pattern, line):
            return bool(rule(state, *found.groups()))
    opened = {c["name"] for c in state.claims}
    if line in opened or any(line == name[:1] for name in opened):
        return True
    return True if line in names else None


def compare(browser, envelope, user):
    """[(line, state's name, true)] of all that was shown. names: the sender's, and the greeting."""
    sender = envelope["sender"]["name"]
    names = {sender, sender[:1], f"{sender}’s red envelope", envelope["greeting"],
             f"{sender}’s red envelope: {envelope['greeting']}"}
    said = browser.script("return window.said")
    states = [(line, State(envelope, user, at)) for at, line in said]
    return [(line, state.name, holds(state, line, names)) for line, state in states]


def table(compared):
    """Rows of a Markdown table: each line with how often it was shown in which state of the database, and its truth."""
    words = {True: "true", False: "FALSE", None: "UNKNOWN"}
    rows = [f"| {line} | {count} | {state} | {words[true]} |" for (line, state, true), count in sorted(
        Counter(compared).items(), key=lambda item: str(item[0]))]
    return "\n".join(["| sentence | shown | database | so |", "|---|---|---|---|", *rows])
