"""Credits and refunds by settle, alone and beside opens."""
import statistics
import time

import opening
import plan
from scene import Scene
from table import Bar, Figure


def backlog(stack):
    (count,), = stack.sql("SELECT COUNT(*) FROM credit")
    return int(count)


class Credits(Scene):
    """Credit a backlog made by opens; the rate is compared with that of the opens."""
    name, slow = "credits", True
    title = "credits by settle, backlog of 200,000"

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        stack.settle(False)
        count = bench.scaled(200000)
        ids = stack.envelopes(1000, count // 1000 + 1)
        prepared = plan.Plan(opening.requests(bench, ids, count))
        opens = bench.fire(prepared, seconds=0).result()
        prepared.close()
        wrong = opens.wrong("200 opened")
        pending = backlog(stack)
        started = time.monotonic()
        stack.settle(True)
        stack.wait_for_credits()
        seconds = time.monotonic() - started
        wrong = wrong or ("" if pending == count else f"{pending} credits were pending") or stack.audit()
        note = f"backlog of {count:,}; the ratio is to the {opens.rate:,.0f} opens/s that produced it"
        yield Figure(self.title, count / seconds, ceiling=opens.rate, bar=Bar(1.2, unit="opens"), wrong=wrong, note=note)


class Sustained(Scene):
    name, slow = "sustained", True
    title = "opens and credits together, sustained"
    pool, answer_bytes = "open", 94
    least = 0.28

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        seconds = 60 if bench.whole() else 10 if bench.quick else 20
        sample = plan.Plan(opening.requests(bench, stack.envelopes(1, 1000), 1000))
        ceiling = bench.ceiling_of(self, sample)
        sample.close()
        rate = 1.02 * self.least * ceiling.rate
        load = opening.Opening(bench, 1000, seconds, per_second=1.05 * rate, rate=rate)
        pending = []
        while load.load.process.poll() is None:
            pending.append(backlog(stack))
            time.sleep(seconds / 20)
        result = load.result()
        left = backlog(stack)
        credited = (result.count("200 opened") - left) / seconds
        third = max(1, len(pending) // 3)
        before, after = (sum(part) / third for part in (pending[third:2 * third], pending[-third:]))
        grew = (after - before) / (seconds / 3)
        short = f"the backlog grew by {grew:,.0f}/s" if grew > 0.02 * rate else ""
        note = f"for {seconds} s, offered {rate:,.0f} opens/s (1.02 x {self.least} H); at the end {left:,} pending"
        yield Figure(self.title, min(result.rate, credited + left / seconds if not short else credited),
                     ceiling=ceiling.rate, bar=Bar(self.least), short=short, note=note,
                     wrong=result.wrong("200 opened") or stack.audit())


class Refunds(Scene):
    name, slow = "refunds", True
    title = "refunds: 20,000 envelopes expire at once, all done after"
    before_s = 4

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        count = bench.scaled(20000)
        due = stack.envelopes(count, 10)
        after_s = 6 if bench.quick else 12
        load = opening.Opening(bench, 1000, self.before_s + after_s)
        deadline_us = int((time.time() + self.before_s) * 1e6)
        deadline = time.monotonic() + self.before_s
        self.expire(stack, due, deadline_us)
        time.sleep(max(0, deadline - time.monotonic()))
        stack.wait_while(f"SELECT 1 FROM seed WHERE expires_us <= {deadline_us}", 60, "all are refunded")
        done = time.monotonic()
        result = load.result()
        wrong = result.wrong("200 opened") or self.check(stack, count) or stack.audit()
        yield Figure(self.title, done - deadline, "s", bar=Bar(10, "value", least=False), wrong=wrong,
                     note=f"{count:,} envelopes, opens elsewhere go on")
        end = min(max(done, deadline + 0.5), result.start_s + result.seconds)
        yield Figure("  opens elsewhere meanwhile", result.rate_between("200 opened", deadline, end),
                     ceiling=self.undisturbed(result, deadline, end), wrong=wrong, bar=Bar(0.8, unit="undisturbed"),
                     note="beside the mean of their rates before the deadline and after the last refund")

    def undisturbed(self, result, deadline, end):
        """Return the rate of opens without refunds. It falls by itself as the tables grow."""
        over = result.start_s + result.seconds
        rates = [result.rate_between("200 opened", result.start_s + 1, deadline)]
        if over - end >= 1 and not result.ran_out:
            rates.append(result.rate_between("200 opened", end, over))
        return statistics.mean(rates)

    def expire(self, stack, ids, deadline_us):
        """Let all envelopes expire at one moment. The cache keeps the old deadline, but no request uses it."""
        stack.sql(f"UPDATE envelope SET expires_us = {deadline_us} WHERE shares = 10; "
                  f"UPDATE seed JOIN envelope ON id = envelope_id SET seed.expires_us = {deadline_us} WHERE shares = 10")

    def check(self, stack, count):
        (refunded,), = stack.sql("SELECT COUNT(*) FROM transfer WHERE kind = 5")
        return "" if int(refunded) == count else f"{refunded} refunds were booked"


SCENES = (Credits, Sustained, Refunds)
