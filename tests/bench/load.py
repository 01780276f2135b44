"""Run the load client and read its result."""
import collections
import json
import subprocess

from processor import Meter


class Result:
    """The answers of one run."""

    def __init__(self, values, spent):
        self.values = values
        self.spent = {**spent, "client": values["cpu_s"]}  # seconds of processor time
        self.answers = values["answers"]
        self.rate, self.seconds, self.ran_out = values["rate"], values["seconds"], values["ran_out"]
        self.start_s = values["start_s"]  # time.monotonic()
        self.begun = values["begun"]  # requests of the plan that were started

    def count(self, kind):
        """Count answers of one kind ("200 opened"), or of all kinds with a prefix ("200")."""
        return sum(a["count"] for name, a in self.answers.items() if name == kind or name.startswith(kind + " "))

    def cost_us(self):
        """Return the processor time of an answer in microseconds, by group of programs."""
        return {group: 1e6 * seconds / self.total() for group, seconds in self.spent.items() if seconds and self.total()}

    def total(self):
        return sum(a["count"] for a in self.answers.values())

    def rate_of(self, kind):
        return self.answers[kind]["in_time"] / self.seconds if kind in self.answers else 0.0

    def microseconds(self, kind, which="p99_us"):
        return self.answers[kind][which]

    def worst_us(self, which="p99_us"):
        return max((a[which] for a in self.answers.values()), default=0)

    def series(self, *kinds):
        """Return the number of answers in each tenth of a second."""
        lists = [self.answers[k]["series"] for k in kinds if k in self.answers]
        longest = max(map(len, lists), default=0)
        return [sum(s[i] for s in lists if i < len(s)) for i in range(longest)]

    def rate_between(self, kind, start_s, end_s):
        """Return the answers of a kind per second, between two values of time.monotonic()."""
        first, last = (max(0, round((t - self.start_s) * 10)) for t in (start_s, end_s))
        return sum(self.series(kind)[first:last]) / (last - first) * 10

    def wrong(self, *expected):
        """Describe the unexpected answers; "" if there are none."""
        found = [f"{a['count']} x {name}" for name, a in self.answers.items() if name not in expected]
        found += [f"{self.values[name]} {name}" for name in ("lost", "unanswered", "other") if self.values[name]]
        return ", ".join(found) or ("" if self.answers else "no answers")


def added_up(results):
    """Return the number of answers of each kind over several runs."""
    totals = collections.Counter()
    for result in results:
        totals.update({kind: a["count"] for kind, a in result.answers.items()})
    return totals


class Load:
    """One run of the load client in the background. result() waits for its end. Processor time is that of the programs
    of the installation in `directory`."""

    def __init__(self, program, port, plan, directory, **options):
        command = [program, "--port", str(port), "--plan", plan.file.name]
        for name, value in options.items():
            if value is True:
                command.append(f"--{name}")
            elif value is not None and value is not False:
                command += [f"--{name}", str(value)]
        self.meter = Meter(directory)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def result(self):
        out, _ = self.process.communicate()
        assert self.process.returncode == 0, "the load client failed"
        return Result(json.loads(out), self.meter.spent())
