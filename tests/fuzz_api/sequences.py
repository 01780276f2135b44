"""Random sequences of operations by several users, compared with the model after each; then audit and tools/verify.py."""
import json
import random
import subprocess
import time

import jsonschema

from model import Differs
from play import Player
from service import SLOW, SOURCE

USERS = 5
STEPS = 150
THEMES = (None, "plain", "new_year", "birthday", "wedding", "thanks", "company")
SHRINK_SECONDS = 30
WEIGHTS = {"send": 14, "again": 4, "grab": 12, "open": 14, "take": 14, "rush": 4, "steal": 2, "look": 10, "preview": 2, "me": 6, "sent": 4,
           "received": 4, "ledger": 5, "topup": 6, "withdraw": 5, "close": 2, "recall": 4, "thanks": 8, "settle": 2}


def make_send(rng, step):
    shares = rng.choice((1, 1, 2, 3, 4, 6))
    share = rng.choice((1, 2, 5, 40, 500, 20000))
    to = rng.choice((None, None, None, "group", sorted(rng.sample(range(USERS), rng.randint(1, USERS)))))
    if isinstance(to, list):
        shares = min(shares, len(to))
    total = rng.randint(shares, shares * share)
    return {**step, "mode": rng.choice(("lucky", "lucky", "equal")), "theme": rng.choice(THEMES), "shares": shares,
            "total": total, "to": to, "short": rng.random() < 0.05, "twice": rng.random() < 0.2, "key": rng.randrange(1 << 30)}


def make_money(rng, step):
    return {**step, "amount": rng.choice((1, 100, 5000, 60000)), "key": rng.randrange(1 << 30), "reference": rng.randrange(1 << 30),
            "shop": rng.randrange(2), "twice": rng.random() < 0.2}


def make_again(rng, steps):
    """Repeat an earlier send or move of money, or send another one with its key or reference."""
    earlier = [step for step in steps if "key" in step]
    if not earlier:
        return None
    step = dict(rng.choice(earlier))
    way = rng.choice(("same", "same", "amount", "new key", "user", "shop"))
    if way == "amount":
        step["total" if step["kind"] == "send" else "amount"] += 1
    elif way == "new key":
        step["key"] = rng.randrange(1 << 30)
    elif way == "user":
        step["user"] = (step["user"] + 1) % USERS
    elif way == "shop" and "shop" in step:
        step["shop"] = 1 - step["shop"]
    return step


def make_steps(rng, count):
    steps = [make_money(rng, {"kind": "topup", "user": user}) | {"amount": 200000} for user in range(3)]
    while len(steps) < count:
        kind, = rng.choices(list(WEIGHTS), WEIGHTS.values())
        # envelope: counted back from the newest
        step = {"kind": kind, "user": rng.randrange(USERS), "envelope": min(int(rng.expovariate(0.4)), 30), "limit": rng.randint(1, 9)}
        if kind == "send":
            step = make_send(rng, step)
        elif kind in ("topup", "withdraw"):
            step = make_money(rng, step)
        elif kind == "again":
            step = make_again(rng, steps) or step
        steps.append(step)
    return steps


def play(service, name, steps):
    """Run steps for new users. Return (number of the step that failed, why) or None, and the closed envelopes."""
    player, number, closed = Player(service, name, USERS), 0, []
    try:
        for number, step in enumerate(steps):
            player.step(step)
        number = len(steps)
        closed = player.finish()
    except (Differs, AssertionError, jsonschema.ValidationError) as error:
        return (number, f"{type(error).__name__}: {error}"), []
    finally:
        player.close()
    return None, closed


def shorten(service, name, steps, why, seconds=SHRINK_SECONDS):
    """Leave out steps as long as the sequence still fails and time is left. Return the steps and the failure."""
    end, size, tries = time.monotonic() + seconds, max(len(steps) // 2, 1), 0
    while time.monotonic() < end:
        at = 0
        while at < len(steps) and time.monotonic() < end:
            tries += 1
            shorter = steps[:at] + steps[at + size:]
            failure, _ = play(service, f"{name}-{tries}", shorter)
            if failure:
                steps, why = shorter[:failure[0] + 1], failure[1]
            else:
                at += size
        if size == 1:
            break
        size = max(size // 2, 1)
    return steps, why


def verify(service, closed):
    """Recompute the draws of closed envelopes with both programs. Return what is wrong."""
    text = "\n".join(json.dumps(envelope) for envelope in closed)
    script = subprocess.run(["/usr/bin/python3", str(SOURCE / "tools/verify.py")], input=text, text=True, capture_output=True, check=False)
    operator = service.ctl("verify", *[envelope["id"] for envelope in closed], check=False).stdout
    want = f"{len(closed)} envelopes, 0 wrong\n"
    return [f"{name}: {output}" for name, output in (("tools/verify.py", script.stdout), ("hongbaoctl verify", operator)) if output != want]


def run_sequences(service, seed, count, steps=STEPS // SLOW):
    """Run count sequences of a seed. Return a description of each failure."""
    failures, closed = [], []
    for number in range(count):
        plan = make_steps(random.Random(f"{seed} sequence {number}"), steps)
        failure, envelopes = play(service, f"s{seed}-{number}", plan)
        closed += envelopes
        if failure:
            first, why = failure
            shortest, why = shorten(service, f"s{seed}-{number}", plan[:first + 1], why)
            lines = "\n".join(f"  {step}" for step in shortest)
            failures.append(f"sequence {number} of seed {seed} fails at step {first} ({why}); {len(shortest)} steps:\n{lines}")
    if closed:
        failures += [f"seed {seed}: {wrong}" for wrong in verify(service, closed)]
    wrong = service.audit()
    return failures + ([f"seed {seed}: audit: {wrong}"] if wrong else [])
