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


# The page asks for one claim first and for the others later: an edit applies to those that an answer has.

def add(content, seq, fen):
    for claim in content["claims"]:
        claim["amount"] += fen if claim["seq"] == seq else 0


def one_more(content):
    add(content, 3, 1)


def moved(content):
    add(content, 1, 1)
    add(content, 2, -1)


def other_seed(content):
    content["seed"] = content["seed"][:-1] + ("0" if content["seed"][-1] != "0" else "1")


def other_hash(content):
    content["seed_hash"] = content["seed_hash"][:-1] + ("0" if content["seed_hash"][-1] != "0" else "1")


def other_luckiest(content):
    best = content["luckiest"]["seq"]
    for claim in content["claims"]:
        if claim["seq"] != best:
            content["luckiest"] = {k: claim[k] for k in ("user", "name", "amount", "seq")}


def one_less(content):
    content["claims"] = [claim for claim in content["claims"] if claim["seq"] != 4]


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
    honest = me.envelope(envelope).json

    def cheat(content):
        if content["seed"]:
            terms = (uuid.UUID(envelope).bytes, content["mode"], content["total"], content["shares"], content["cap"],
                     bytes(32))
            content["seed"], content["seed_hash"] = terms[-1].hex(), verify.seed_hash(*terms)
            amounts = dict(enumerate(verify.amounts(*terms, 3), 1))
            claims = honest["claims"]
            for claim in claims + content["claims"] + [content["mine"]]:
                claim["amount"] = amounts[claim["seq"]]
            best = max(claims, key=lambda c: (c["amount"], -c["seq"]))
            content["luckiest"] = {k: best[k] for k in ("user", "name", "amount", "seq")}
    stage.proxy.spoil("GET", f"/v1/envelopes/{envelope}$", change(cheat), times=None)
    stage.browser.reload()
    stage.browser.state("envelope", "opened")
    stage.browser.tap("[data-do=fair]")
    stage.browser.see("dialog#fair[data-state=broken]")
