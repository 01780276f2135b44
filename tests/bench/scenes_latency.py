"""Latency at fixed rates, which do not follow what a machine can do at the moment: an open loop."""
import statistics

import plan
from scene import LATENCY_RUNS, Scene
from scenes_rates import ClaimsMany, GrabsMany
from table import Figure

RATES = (2000, 5000, 10000)
PERCENTILES = {"p50": "p50_us", "p99": "p99_us", "p99.9": "p999_us"}


class _FixedRates(Scene):
    """The requests of another scene, in short runs that alternate with the ceiling's."""
    of = None

    def run(self, bench):
        for rate in RATES:
            yield from self.at(bench, rate)

    def at(self, bench, rate):
        scene = self.of()
        seconds = bench.seconds / 2
        scene.count = lambda _: int(rate * seconds * LATENCY_RUNS)
        bench.stack.reset()
        bench.stack.settle(scene.settle)
        prepared = plan.Plan(scene.requests(bench))
        ceilings, results = [], []
        for n in range(LATENCY_RUNS):
            ceilings.append(bench.ceiling_of(scene, prepared, rate=rate, seconds=seconds))
            results.append(bench.fire(prepared, rate=rate, seconds=seconds, skip=n * int(rate * seconds)).result())
        prepared.close()
        wrong = ", ".join(filter(None, (r.wrong(*scene.expected) for r in results))) or bench.stack.audit()
        answered = statistics.median(r.rate for r in results)
        note = f"answered {answered:,.0f}/s: the machine does not keep up" if answered < 0.95 * rate else ""
        for name, which in PERCENTILES.items():
            own, ceiling = (statistics.median(r.worst_us(which) for r in runs) / 1000 for runs in (results, ceilings))
            yield Figure(f"{scene.name} at {rate:,}/s: {name}", own, "ms", ceiling, wrong=wrong, note=note)


class ClaimsAtRates(_FixedRates):
    name, of = "latency-claims", ClaimsMany


class GrabsAtRates(_FixedRates):
    name, of = "latency-grabs", GrabsMany


SCENES = (ClaimsAtRates, GrabsAtRates)
