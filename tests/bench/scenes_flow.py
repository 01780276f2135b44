"""A complete rush: every user grabs and opens, or claims, and repeats the request when busy."""
import random

import plan
from scene import Scene
from table import Figure

ENVELOPES, SHARES, GRABBERS = 10000, 10, 30
OPEN_AT_ONCE = 100  # envelopes; new ones follow as these are emptied


class Flow(Scene):
    name, slow = "flow", True
    expected = ("200 grabbed", "200 opened", "200 sold_out", "200 busy")
    title = f"grab and open, whole flow: winners ({SHARES} shares, {GRABBERS} grabbers an envelope)"

    def visit(self, envelope, token):
        """Return what a user sends: a grab, and the open that follows if it returns a ticket."""
        return plan.grab(envelope, token), plan.open_(envelope, token, b"?" * plan.TICKET_BYTES)

    def requests(self, bench, ids):
        """Yield the visits in order of arrival."""
        signer, users = bench.stack.signer, bench.regulars(20000)
        chance = random.Random(bench.round)
        for at in range(0, len(ids), OPEN_AT_ONCE):
            pairs = [(envelope, users[(7 * (at + i) + 31 * n) % len(users)])
                     for i, envelope in enumerate(ids[at:at + OPEN_AT_ONCE]) for n in range(GRABBERS)]
            chance.shuffle(pairs)
            for envelope, user in pairs:
                yield self.visit(envelope, signer.token(user))

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        count = ENVELOPES if bench.whole() else ENVELOPES // 10
        prepared = plan.Plan(self.requests(bench, stack.envelopes(count, SHARES)))
        result = bench.fire(prepared, seconds=0, retry=True, connections=4 * bench.connections).result()
        prepared.close()
        wrong = result.wrong(*self.expected) or self.check(bench, count)
        winners = result.count("200 opened")
        seconds = result.answers["200 opened"]["last_s"] if winners else 1
        note = (f"{count:,} envelopes, settle running; of {result.total():,} answers {result.count('200 grabbed'):,} "
                f"grabbed, {winners:,} opened, {result.count('200 sold_out'):,} sold_out, "
                f"{result.count('200 busy'):,} busy (repeated)")
        yield Figure(self.title, winners / seconds, wrong=wrong or stack.audit(), note=note)
        yield Figure(f"  all answers of it ({self.name})", result.total() / seconds, wrong=wrong)

    def check(self, bench, count):
        """Check that each envelope has as many winners as shares."""
        (full, claims), = bench.stack.sql(
            f"SELECT COUNT(*), COALESCE(SUM(n), 0) FROM (SELECT COUNT(*) AS n FROM claim GROUP BY envelope_id "
            f"HAVING n = {SHARES}) AS each_one")
        return "" if int(full) == count else f"{full} of {count} envelopes have {SHARES} winners ({claims} claims)"


class FlowByClaim(Flow):
    name = "flow-claims"
    title = f"whole flow by claim: winners ({SHARES} shares, {GRABBERS} users an envelope)"
    expected = ("200 opened", "200 sold_out", "200 busy")

    def visit(self, envelope, token):
        return plan.claim(envelope, token)


SCENES = (Flow, FlowByClaim)
