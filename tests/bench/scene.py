"""Base classes of the scenes; the usual scene measures a rate against the ceiling."""
import dataclasses
import statistics

from load import Load, added_up
from plan import Plan
from stack import Ceiling, Stack
from table import Bar, Figure


@dataclasses.dataclass
class Bench:
    """The environment of a scene."""
    stack: object
    ceiling: object
    seconds: float
    connections: int
    quick: bool
    round: int = 0
    made: int = 0  # users created so far
    variants: dict = dataclasses.field(default_factory=dict)
    peers: dict = dataclasses.field(default_factory=dict)
    ceilings: dict = dataclasses.field(default_factory=dict)  # pool -> its last measured ceiling

    def variant(self, settings, mariadb, name=""):
        """Return a Bench with another installation, started on first use."""
        key = (settings, mariadb, name)
        if key not in self.variants:
            stack = Stack(self.stack.build, [*self.stack.settings, *settings], mariadb)
            self.variants[key] = dataclasses.replace(self, stack=stack, ceiling=Ceiling(stack))
        return self.variants[key]

    def close(self):
        for peer in self.peers.values():
            peer.close()
        for bench in (self, *self.variants.values()):
            bench.ceiling.close()
            bench.stack.close()

    def strangers(self, count):
        """Return new users, whose tokens the service has not seen."""
        self.made += count
        return [f"u{n}" for n in range(self.made - count, self.made)]

    def regulars(self, count):
        """Return users that are the same in every call."""
        return [f"r{n}" for n in range(count)]

    def fire(self, plan, port=None, **options):
        """Start a load: by default, a closed loop of the usual length."""
        options = {"seconds": self.seconds, "connections": self.connections, **options}
        return Load(self.stack.load, port or self.stack.port, plan, self.stack.directory, **options)

    def whole(self):
        """Return True if a long scene should run in full: only in the first round, and not with --quick."""
        return not self.quick and self.round == 0

    def scaled(self, count):
        """Return count, or a tenth of it with --quick."""
        return count // 10 if self.quick else count

    def ceiling_of(self, scene, plan, **options):
        """Measure the empty program with the same requests."""
        self.ceiling.answer(scene.pool, scene.answer_bytes, scene.answer_status)
        result = self.fire(plan, self.ceiling.port, cycle=True, **options).result()
        wrong = result.wrong(f"{scene.answer_status} empty", str(scene.answer_status))
        assert not wrong, f"the ceiling: {wrong}"
        if "rate" not in options:
            self.ceilings[scene.pool] = result.rate
        return result


LATENCY_RUNS = 3


def median_p99_ms(results):
    return statistics.median(r.worst_us() for r in results) / 1000


class Scene:
    """One or several figures, measured once per round by run()."""
    name = ""  # for --scene
    slow = False  # with --quick, only in the first round
    apart = False  # only with --scene
    pool = "grab"
    answer_bytes, answer_status = 126, 200

    def run(self, bench):
        """Yield the figures."""
        raise NotImplementedError


class RateScene(Scene):
    """The rate of a closed loop, against the ceiling for the same requests; then, if latency_ms is set, the p99 of an
    open loop at 70 % of that rate."""
    title = ""
    bar = None
    expected = ()  # allowed kinds of answers
    settle = True
    cycle = False  # whether requests may be repeated
    latency_ms = None  # maximum p99 above the ceiling's
    settings, mariadb = (), ()  # not empty: use a separate installation
    note = ""

    def requests(self, bench):
        raise NotImplementedError

    def check(self, bench, counts):
        """Check the outcome, given counts[kind] of the answers. Return a description of the error, or ""."""
        return ""

    def measured(self, bench, plan, **options):
        """Run the load and return its result."""
        return bench.fire(plan, cycle=self.cycle, **options).result()

    def _prepared(self, bench):
        bench.stack.reset()
        bench.stack.settle(self.settle)
        return Plan(self.requests(bench))

    def _wrong(self, bench, *results):
        wrong = [r.wrong(*self.expected) for r in results]
        return ", ".join(filter(None, wrong)) or self.check(bench, added_up(results)) or bench.stack.audit()

    def run(self, bench):
        own = bench.variant(self.settings, self.mariadb) if self.settings or self.mariadb else bench
        yield from self._run(own)
        if own is not bench:
            own.stack.settle(False)  # leave it idle

    def _run(self, bench):
        plan = self._prepared(bench)
        ceiling = bench.ceiling_of(self, plan)
        result = self.measured(bench, plan)
        plan.close()
        remark = "the prepared requests ran out, so the run was shorter" if result.ran_out else ""
        yield Figure(self.title, result.rate, ceiling=ceiling.rate, bar=self.bar and Bar(self.bar),
                     cost=result.cost_us(), ceiling_cost=ceiling.cost_us(),
                     wrong=self._wrong(bench, result), note="; ".join(filter(None, (self.note, remark))))
        if self.latency_ms is not None:
            yield self._latency(bench, ceiling.rate, result.rate)

    def _latency(self, bench, ceiling_rate, own_rate):
        """Measure p99 in short runs that alternate with the ceiling's, since one 20 ms stall decides the p99 of 2 s."""
        plan = self._prepared(bench)
        seconds, ceilings, results = bench.seconds / 2, [], []
        for _ in range(LATENCY_RUNS):
            ceilings.append(bench.ceiling_of(self, plan, rate=0.7 * ceiling_rate, seconds=seconds))
            begun = sum(r.begun for r in results)
            results.append(self.measured(bench, plan, rate=0.7 * own_rate, seconds=seconds, skip=begun))
            if results[-1].ran_out:
                break
        plan.close()
        remark = "the prepared requests ran out" if any(r.ran_out for r in results) else ""
        return Figure(f"  p99 at 70 %: {self.name}", median_p99_ms(results), "ms", median_p99_ms(ceilings),
                      Bar(self.latency_ms, "margin", least=False), wrong=self._wrong(bench, *results), note=remark)
