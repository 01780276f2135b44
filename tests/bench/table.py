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

    def reached(self, row):
        value = row.median(self.of)
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

    @property
    def ratio(self):
        return self.value / self.ceiling if self.ceiling else None

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
        return "ok" if self.bar.reached(self) else "short"

    def values(self):
        """Return the row for the JSON output."""
        return {"title": self.title, "unit": self.unit, "verdict": self.verdict(), "wrong": self.wrong,
                "note": self.words("note"), "short": self.words("short"), "bar": self.bar.text() if self.bar else None, "rounds": len(self.figures),
                "median": self.median("value"), "min": min(self.all("value")), "max": max(self.all("value")),
                "ceiling": self.median("ceiling"), "ratio": self.median("ratio"),
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


HEAD = ("scene", "median", "unit", "min..max", "n", "H", "ratio", "bar", "")


def cells(row):
    if row.wrong:
        return [row.title, "FAIL", "", "", str(len(row.figures)), "", "", row.bar.text() if row.bar else "", ""]
    ratio = row.median("ratio")
    return [row.title, number(row.median("value")), row.unit,
            f"{number(min(row.all('value')))}..{number(max(row.all('value')))}", str(len(row.figures)),
            number(row.median("ceiling")), f"{ratio:.2f}" if ratio is not None else "",
            row.bar.text() if row.bar else "", row.verdict()]


def text(found):
    """Format the table, followed by numbered errors and notes."""
    lines = [list(HEAD)] + [cells(row) for row in found]
    remarks = []
    for row, line in zip(found, lines[1:]):
        for remark in filter(None, map(row.words, ("wrong", "short", "note"))):
            if remark not in remarks:
                remarks.append(remark)
            line[-1] += f" [{remarks.index(remark) + 1}]"
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD) - 1)]
    left = {0, 2, 7}
    out = []
    for line in lines:
        padded = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
        out.append("  ".join([*padded, line[-1]]).rstrip())
    return "\n".join(out + [f"[{i}] {remark}" for i, remark in enumerate(remarks, 1)])
