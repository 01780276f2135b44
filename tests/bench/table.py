"""Figures of several rounds, formatted as a table."""
import dataclasses
import statistics


@dataclasses.dataclass
class Bar:
    """The limit a row must reach or not exceed."""
    limit: float
    of: str = "ratio"  # or "value", or "margin": see Figure
    least: bool = True
    unit: str = "H"  # of a ratio: name of its denominator

    def text(self):
        unit = {"ratio": " " + self.unit, "value": "", "margin": " more"}[self.of]
        return f"{'>=' if self.least else '<='} {self.limit:g}{unit}"

    def reached(self, value):
        return value >= self.limit if self.least else value <= self.limit


@dataclasses.dataclass
class Figure:
    """The figure of one row in one round."""
    title: str
    value: float
    unit: str = "/s"
    ceiling: float = None  # in the same unit
    bar: Bar = None
    wrong: str = ""  # error that invalidates the figure
    short: str = ""  # reason to fall short, regardless of the bar
    note: str = ""
    cost: dict = None  # processor time of an answer, in microseconds, by group of programs; "client" is the load client
    ceiling_cost: dict = None  # the ceiling's

    @property
    def ratio(self):
        return self.value / self.ceiling if self.ceiling else None

    @property
    def cost_us(self):
        """The processor time of an answer in all measured programs, without the client."""
        return sum(us for group, us in self.cost.items() if group != "client") if self.cost else None

    @property
    def cost_ratio(self):
        """The ceiling's processor time as a part of this one's: what the ratio would be on an idle machine that lacks
        nothing but processors."""
        theirs = sum(us for group, us in self.ceiling_cost.items() if group != "client") if self.ceiling_cost else None
        return theirs / self.cost_us if theirs and self.cost_us else None

    @property
    def client_share(self):
        return self.cost["client"] / (self.cost_us + self.cost["client"]) if self.cost_us else None

    @property
    def margin(self):
        """The difference to the ceiling."""
        return self.value - self.ceiling if self.ceiling is not None else None


class Row:
    def __init__(self, figures):
        self.figures = figures
        self.title, self.unit, self.bar = figures[0].title, figures[0].unit, figures[0].bar

    def all(self, what):
        found = [getattr(f, what) for f in self.figures]
        return [v for v in found if v is not None]

    def median(self, what):
        values = self.all(what)
        return statistics.median(values) if values else None

    def quartiles(self, what="value"):
        """Return the lower and the upper quartile."""
        values = sorted(self.all(what))
        if len(values) < 2:
            return values[0], values[0]
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return low, high

    def groups(self):
        """Return the median processor time of an answer in microseconds, by group of programs."""
        costs = self.all("cost")
        names = dict.fromkeys(name for cost in costs for name in cost)
        return {name: statistics.median(cost.get(name, 0) for cost in costs) for name in names}

    def words(self, what):
        """Return the distinct texts of all rounds."""
        return "; ".join(dict.fromkeys(w for w in self.all(what) if w))

    @property
    def wrong(self):
        return self.words("wrong")

    def verdict(self):
        if self.wrong:
            return "FAIL"
        if self.words("short"):
            return "short"
        if not self.bar:
            return ""
        worse = self.quartiles(self.bar.of)[0 if self.bar.least else 1]
        if not self.bar.reached(self.median(self.bar.of)):
            return "short"
        return "ok" if self.bar.reached(worse) else "unsure"

    def values(self):
        """Return the row for the JSON output."""
        return {"title": self.title, "unit": self.unit, "verdict": self.verdict(), "wrong": self.wrong,
                "note": self.words("note"), "short": self.words("short"), "bar": self.bar.text() if self.bar else None, "rounds": len(self.figures),
                "median": self.median("value"), "quartiles": self.quartiles(),
                "ceiling": self.median("ceiling"), "ratio": self.median("ratio"), "cost_us": self.median("cost_us"),
                "cost_ratio": self.median("cost_ratio"), "client_share": self.median("client_share"), "cost": self.groups(),
                "figures": [dataclasses.asdict(f) for f in self.figures]}


def rows(figures):
    """Group figures by title, in order of first occurrence."""
    groups = {}
    for figure in figures:
        groups.setdefault(figure.title, []).append(figure)
    return [Row(group) for group in groups.values()]


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


HEAD = ("scene", "median", "unit", "quartiles", "n", "H", "ratio", "us", "us ratio", "client", "bar", "")


def cells(row):
    bar = row.bar.text() if row.bar else ""
    if row.wrong:
        return [row.title, "FAIL", "", "", str(len(row.figures)), "", "", "", "", "", bar, ""]
    ratio, cost_ratio, client = (row.median(what) for what in ("ratio", "cost_ratio", "client_share"))
    return [row.title, number(row.median("value")), row.unit, "..".join(map(number, row.quartiles())),
            str(len(row.figures)), number(row.median("ceiling")), f"{ratio:.2f}" if ratio is not None else "",
            number(row.median("cost_us")), f"{cost_ratio:.2f}" if cost_ratio is not None else "",
            f"{client:.0%}" if client is not None else "", bar, row.verdict()]


def costs(found):
    """Format the processor time of an answer by group of programs."""
    rows_ = [row for row in found if not row.wrong and row.all("cost")]
    names = list(dict.fromkeys(name for row in rows_ for name in row.groups()))
    lines = [["processor time of an answer, us", *names]]
    lines += [[row.title.strip(), *(f"{row.groups().get(name, 0):.1f}" for name in names)] for row in rows_]
    return "\n".join(aligned(lines, {0})) if rows_ else ""


def aligned(lines, left):
    """Pad the columns; those in `left` are left-aligned. The last of a line may be longer than its column."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip()
            for line in lines]


def text(found):
    """Format the table, followed by numbered errors and notes."""
    lines = [list(HEAD)] + [cells(row) for row in found]
    remarks = []
    for row, line in zip(found, lines[1:]):
        for remark in filter(None, map(row.words, ("wrong", "short", "note"))):
            if remark not in remarks:
                remarks.append(remark)
            line[-1] += f" [{remarks.index(remark) + 1}]"
    out = aligned(lines, {0, 2, len(HEAD) - 2, len(HEAD) - 1})
    return "\n".join(out + [f"[{i}] {remark}" for i, remark in enumerate(remarks, 1)])
