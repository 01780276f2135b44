"""A hanging database, and overload."""
import signal
import time

import opening
import plan
from load import Load
from scene import Scene
from table import Bar, Figure

BAD = ("500", "502", "503", "504", "429")


def last_bad_s(result, after):
    """Return the time from `after` to the last failed answer, to a tenth of a second; 0 if there was none."""
    kinds = [name for name in result.answers if name.split()[0] in BAD]
    bad = [i for i, n in enumerate(result.series(*kinds)) if n]
    return max(0.0, result.start_s + (bad[-1] + 1) / 10 - after) if bad else 0.0


class Stall(Scene):
    """Grabs, opens and sends together, while mariadbd is stopped for 5 s."""
    name, slow = "stall", True
    before_s, stalled_s, after_s = 3, 5, 4

    def loads(self, bench):
        stack, signer = bench.stack, bench.stack.signer
        seconds = self.before_s + self.stalled_s + self.after_s
        ids = stack.envelopes(1000, 1000)
        users = bench.regulars(20000)
        many = (plan.grab(ids[(i // len(users) + i) % len(ids)], signer.token(users[i % len(users)]))
                for i in range(30000 * seconds))
        senders = bench.regulars(1000)
        stack.top_up(senders)
        sends = (plan.send(signer.token(senders[i % 1000]), 100, 10) for i in range(5000 * seconds))
        share = bench.connections // 4
        prepared = (plan.Plan(many), plan.Plan(sends))
        options = {"seconds": seconds, "retry": True, "series": True}
        grabs = Load(stack.load, stack.port, prepared[0], stack.directory, connections=2 * share, **options)
        sent = Load(stack.load, stack.port, prepared[1], stack.directory, connections=share, **options)
        return (grabs, sent), prepared

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        seconds = self.before_s + self.stalled_s + self.after_s
        opens = opening.Opening(bench, 1000, seconds, connections=bench.connections // 4, retry=True)
        loads, prepared = self.loads(bench)
        time.sleep(self.before_s)
        stopped = time.monotonic()
        stack.service.signal("mariadb", signal.SIGSTOP)
        time.sleep(self.stalled_s)
        stack.service.signal("mariadb", signal.SIGCONT)
        going = time.monotonic()
        results = [load.result() for load in loads] + [opens.result()]
        for p in prepared:
            p.close()
        yield from self.figures(bench, results, stopped, going)

    def figures(self, bench, results, stopped, going):
        grabs, sent, opens = results
        allowed = ("503 unavailable", "409 idempotency_in_progress")
        wrong = (grabs.wrong("200 grabbed", *allowed) or sent.wrong("201 open", *allowed) or
                 opens.wrong("200 opened", *allowed) or bench.stack.audit())
        before = grabs.rate_between("200 grabbed", grabs.start_s + 0.5, stopped)
        yield Figure("database stopped for 5 s: grabs during the stop", grabs.rate_between("200 grabbed", stopped, going),
                     ceiling=before, bar=Bar(0.9, unit="before"), wrong=wrong,
                     note="grabs, opens and sends together; clients wait for Retry-After")
        longest = max(r.worst_us("longest_us") for r in (sent, opens)) / 1e6
        limit = max(int(bench.stack.setting(f"{p}.deadline")) for p in ("send", "open")) / 1000
        yield Figure("  the slowest answer of an open or send", longest, "s", wrong=wrong,
                     bar=Bar(limit + 0.5, "value", least=False))
        yield Figure("  last 503 after it resumed", max(last_bad_s(r, going) for r in results), "s", wrong=wrong,
                     bar=Bar(1.0, "value", least=False))


class Overload(Scene):
    """Opens over the usual connections, joined for a while by twice as many."""
    name, slow = "overload", True
    alone_s, together_s, after_s = 2, 4, 3

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        stack.settle(False)
        seconds = self.alone_s + self.together_s + self.after_s
        options = {"seconds": seconds, "retry": True}
        ids = stack.envelopes(1000, 1000)
        crowd = plan.Plan(opening.requests(bench, ids, 20000 * self.together_s))
        usual = opening.Opening(bench, 1000, connections=bench.connections, **options)
        time.sleep(self.alone_s)
        joined = time.monotonic()
        more = bench.fire(crowd, seconds=self.together_s, connections=2 * bench.connections, retry=True,
                          series=True).result()
        left = time.monotonic()
        usual = usual.result()
        crowd.close()
        yield from self.figures(bench, usual, more, joined, left)

    def figures(self, bench, usual, more, joined, left):
        kinds = ("200 opened", "503 unavailable")
        wrong = usual.wrong(*kinds) or more.wrong(*kinds) or bench.stack.audit()
        best = usual.rate_between("200 opened", usual.start_s + 0.5, joined)
        start, end = more.start_s, more.start_s + self.together_s
        both = sum(r.rate_between("200 opened", start, end) for r in (usual, more))
        refused = sum(r.count("503") for r in (usual, more)) / (usual.total() + more.total())
        yield Figure(f"overload: opens by 3 x {bench.connections} connections", both, ceiling=best,
                     bar=Bar(0.8, unit="usual"), wrong=wrong, note=f"503: {refused:.1%}; settle is paused")
        after = usual.rate_between("200 opened", left + 1, usual.start_s + usual.seconds)
        yield Figure("  from one second after the overload", after, ceiling=best, bar=Bar(0.8, unit="usual"), wrong=wrong)


SCENES = (Stall, Overload)
