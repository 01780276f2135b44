"""The "fair?" sheet: right for what the service says, broken for anything that was changed on the way."""
import pathlib
import sys
import uuid

import pytest
from faulty_proxy import change

sys.path.append(str(pathlib.Path(__file__).parents[2] / "tools"))
import verify  # noqa: E402


def look_into(stage, envelope, me):
    stage.open("?e=" + envelope, me)
    stage.browser.tap("[data-do=fair]")


def closed(stage, **more):
    me, envelope = stage.me(), stage.envelope(shares=5, opened=4, **more)
    stage.people.draw(envelope, me)
    return me, envelope


@pytest.mark.parametrize("mode", ["lucky", "equal"])
def test_right(stage, mode):
    me, envelope = closed(stage, mode=mode)
    look_into(stage, envelope, me)
    stage.browser.see("dialog#fair[data-state=right]")
    told = "".join(stage.browser.text("dialog#fair").split())
    assert me.envelope(envelope).json["seed_hash"] in told


def test_right_where_some_went_back(stage):
    envelope = stage.envelope(opened=2, expires_in=2)
    stage.people.closed(stage.friends[0], envelope)
    look_into(stage, envelope, stage.me())
    stage.browser.see("dialog#fair[data-state=right]")


def test_right_over_several_pages(stage):
    me, envelope = stage.me(), stage.envelope(shares=130)
    crowd = [stage.people.person(f"Guest {n}") for n in range(129)]
    stage.people.draw(envelope, *crowd, me)
    look_into(stage, envelope, me)
    stage.browser.see("dialog#fair[data-state=right]")


def test_secret_while_it_is_open(stage):
    me, envelope = stage.me(), stage.envelope(opened=1)
    stage.people.draw(envelope, me)
    look_into(stage, envelope, me)
    stage.browser.see("dialog#fair[data-state=open]")
    assert me.envelope(envelope).json["seed"] is None


def one_more(content):
    content["claims"][2]["amount"] += 1


def moved(content):
    content["claims"][0]["amount"] += 1
    content["claims"][1]["amount"] -= 1


def other_seed(content):
    content["seed"] = content["seed"][:-1] + ("0" if content["seed"][-1] != "0" else "1")


def other_hash(content):
    content["seed_hash"] = content["seed_hash"][:-1] + ("0" if content["seed_hash"][-1] != "0" else "1")


def other_luckiest(content):
    best = content["luckiest"]["seq"]
    content["luckiest"] = next({k: c[k] for k in ("user", "name", "amount", "seq")}
                               for c in content["claims"] if c["seq"] != best)


def one_less(content):
    del content["claims"][3]


def other_total(content):
    content["total"] += 100


def other_cap(content):
    content["cap"] -= 1


@pytest.mark.parametrize("edit", [one_more, moved, other_seed, other_hash, other_luckiest, one_less, other_total,
                                  other_cap])
def test_broken(stage, edit):
    me, envelope = closed(stage)
    stage.proxy.spoil("GET", f"/v1/envelopes/{envelope}$", change(edit), times=None)
    look_into(stage, envelope, me)
    stage.browser.see("dialog#fair[data-state=broken]")


def test_broken_promise(stage):
    """The operator puts another seed, with all that follows from it, in the place of the one promised."""
    me, envelope = stage.me(), stage.envelope(shares=3, opened=2)
    stage.open("?e=" + envelope, me)
    stage.browser.state("envelope", "sealed")  # the promise has been seen
    stage.people.draw(envelope, me)

    def cheat(content):
        if content["seed"]:
            terms = (uuid.UUID(envelope).bytes, content["mode"], content["total"], content["shares"], content["cap"],
                     bytes(32))
            content["seed"], content["seed_hash"] = terms[-1].hex(), verify.seed_hash(*terms)
            for claim, amount in zip(content["claims"], verify.amounts(*terms, 3)):
                claim["amount"] = amount
            best = max(content["claims"], key=lambda c: (c["amount"], -c["seq"]))
            content["luckiest"] = {k: best[k] for k in ("user", "name", "amount", "seq")}
            content["mine"]["amount"] = next(c["amount"] for c in content["claims"] if c["user"] == me.user)
    stage.proxy.spoil("GET", f"/v1/envelopes/{envelope}$", change(cheat), times=None)
    stage.browser.reload()
    stage.browser.state("envelope", "opened")
    stage.browser.tap("[data-do=fair]")
    stage.browser.see("dialog#fair[data-state=broken]")
