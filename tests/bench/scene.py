"""What every scene is made of, and the usual one: a rate against the ceiling."""
import dataclasses
import statistics

from load import Load, added_up
from plan import Plan
from stack import Ceiling, Stack
from table import Bar, Figure


@dataclasses.dataclass
class Bench:
    """What scenes are given."""
    stack: object
    ceiling: object
    seconds: float
    connections: int
    quick: bool
    round: int = 0
    made: int = 0  # users so far
    variants: dict = dataclasses.field(default_factory=dict)
    peers: dict = dataclasses.field(default_factory=dict)
    ceilings: dict = dataclasses.field(default_factory=dict)  # pool -> the rate of its last one

    def variant(self, settings, mariadb, name=""):
        """The same with another installation, which is started when it is first needed."""
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
        """New users: the service has not seen their tokens yet."""
        self.made += count
        return [f"u{n}" for n in range(self.made - count, self.made)]

    def regulars(self, count):
        """The same users every time."""
        return [f"r{n}" for n in range(count)]

    def fire(self, plan, port=None, **options):
        """A closed loop of the usual length unless options say otherwise."""
        options = {"seconds": self.seconds, "connections": self.connections, **options}
        return Load(self.stack.load, port or self.stack.port, plan, **options)

    def whole(self):
        """Is a long scene to be run in all its length? Once is enough: the other rounds take a part of it."""
        return not self.quick and self.round == 0

    def scaled(self, count):
        """A count of things to make: a tenth of it if it has to be quick."""
        return count // 10 if self.quick else count

    def ceiling_of(self, scene, plan, **options):
        """What the empty program answers to the same requests."""
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
    """A figure or several, measured once a round by run()."""
    name = ""  # for --scene
    slow = False  # with --quick in the first round only
    apart = False  # only when it is asked for by name
    pool = "grab"
    answer_bytes, answer_status = 126, 200

    def run(self, bench):
        """Yields Figures."""
        raise NotImplementedError


class RateScene(Scene):
    """The rate of a closed loop against the ceiling of the same requests; then, where there is a bar for it, the p99
    of an open loop at 70 % of that rate."""
    title = ""
    bar = None
    expected = ()  # kinds of answers; any other is an error
    settle = True
    cycle = False  # may the same request be sent twice
    latency_ms = None  # how far the p99 may lie above the ceiling's
    settings, mariadb = (), ()  # of an installation of its own
    note = ""

    def requests(self, bench):
        raise NotImplementedError

    def check(self, bench, counts):
        """What is wrong, in words, after the answers have been looked at: there were counts[kind] of each."""
        return ""

    def measured(self, bench, plan, **options):
        """The run itself."""
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
            own.stack.settle(False)  # it shall be idle now

    def _run(self, bench):
        plan = self._prepared(bench)
        ceiling = bench.ceiling_of(self, plan)
        result = self.measured(bench, plan)
        plan.close()
        remark = "the prepared requests ran out: a shorter run" if result.ran_out else ""
        yield Figure(self.title, result.rate, ceiling=ceiling.rate, bar=self.bar and Bar(self.bar),
                     wrong=self._wrong(bench, result), note="; ".join(filter(None, (self.note, remark))))
        if self.latency_ms is not None:
            yield self._latency(bench, ceiling.rate, result.rate)

    def _latency(self, bench, ceiling_rate, own_rate):
        """By short runs that take turns with the ceiling's: one stall of the machine for 20 ms is the p99 of 2 s."""
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
