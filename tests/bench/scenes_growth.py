"""The service with a long history in the database, compared with a short one."""
import os
import pathlib
import random
import subprocess
import time

import opening
import plan
from scene import Scene
from table import Bar, Figure

SHARES = 10  # of each envelope in the history
SENT_BY_EACH = 10  # envelopes, so each user has 100 claims
LONG, SHORT = 1000000, 1000  # envelopes
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
ROOM = (f"--innodb-buffer-pool-size={min(6144, MEMORY // 4 // 2**20)}M", "--innodb-log-file-size=1G")
BAR = Bar(0.80, unit="short")


def users(envelopes):
    return [f"g{n}" for n in range(envelopes // SENT_BY_EACH)]


def write_history(stack, envelopes):
    """Insert a history directly into the database; return the seconds it took."""
    text = pathlib.Path(__file__).with_name("history.sql").read_text()
    count = envelopes // SENT_BY_EACH
    for name, value in (("envelopes", envelopes), ("users", count), ("last_user", count - 1)):
        text = text.replace("{%s}" % name, str(value))
    started = time.monotonic()
    subprocess.run(["mariadb", "--no-defaults", "-S", stack.directory / "run/db.sock", "hongbao"], input=text, text=True,
                   check=True)
    return time.monotonic() - started


class Growth(Scene):
    """Two installations run side by side and alternate. They are not emptied between rounds."""
    name, slow, apart = "growth", True, True

    def run(self, bench):
        sides = {}
        for envelopes in (bench.scaled(LONG), SHORT):
            sides[envelopes] = side = bench.variant((), ROOM, f"{envelopes} envelopes")
            if not hasattr(side, "grown"):
                side.grown = write_history(side.stack, envelopes)
        (long, long_bench), (short, short_bench) = sides.items()
        note = (f"{long:,} closed envelopes with {SHARES * long:,} claims and their transfers, written in "
                f"{long_bench.grown:,.0f} s, beside {short:,}; {' '.join(ROOM)}")
        for title, measure in (("opens", self.opens), ("history, a page of a user's 100 claims", self.pages)):
            rates = [measure(side, envelopes) for envelopes, side in ((long, long_bench), (short, short_bench))]
            yield Figure(f"{title}, with a long history", rates[0][0], ceiling=rates[1][0], bar=BAR, note=note,
                         wrong=rates[0][1] or rates[1][1])
        yield from self.books(bench, long_bench)

    def opens(self, bench, _):
        """Return (rate, description of the error)."""
        bench.stack.settle(False)
        count = int(12000 * bench.seconds)
        ids = bench.stack.envelopes(1000, count // 1000 + 1)
        prepared = plan.Plan(opening.requests(bench, ids, count))
        result = bench.fire(prepared).result()
        prepared.close()
        bench.stack.settle(True)
        bench.stack.wait_for_credits()
        return result.rate, result.wrong("200 opened")

    def pages(self, bench, envelopes):
        known, year = users(envelopes), time.gmtime().tm_year
        chance = random.Random(bench.round)
        token = bench.stack.signer.token
        requests = [plan.request("GET", f"/v1/me/received?year={year}", token(chance.choice(known)))
                    for _ in range(10000)]
        bench.stack.do_all(requests, "200", connections=8)  # warm both sides
        prepared = plan.Plan(requests)
        result = bench.fire(prepared, cycle=True).result()
        prepared.close()
        return result.rate, result.wrong("200")

    def books(self, bench, grown):
        """Audit the long history, in the first round only."""
        if bench.round > 0:
            return
        started = time.monotonic()
        wrong = grown.stack.audit(seconds=3600)
        yield Figure("  hongbaoctl audit of the long history", time.monotonic() - started, "s", wrong=wrong)


SCENES = (Growth,)
