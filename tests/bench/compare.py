"""What became slower between two results of tests/bench/run --json, beyond the noise of both."""
import json
import pathlib

from table import aligned, number

LEAST = 0.05  # a smaller change is noise, whatever the quartiles are


def read(path):
    """Return the rows of a result, by title."""
    return {row["title"]: row for row in json.loads(pathlib.Path(path).read_text())["rows"]}


def spread(row, what):
    """Return how far the quartiles of a figure are apart, as a part of its median."""
    values = sorted(filter(None, (measured(figure, what) for figure in row["figures"])))
    if len(values) < 2:
        return 0.0
    low, high = values[len(values) // 4], values[-1 - len(values) // 4]
    return (high - low) / values[len(values) // 2]


def measured(figure, what):
    """Return the processor time of an answer, or the value, of one round."""
    if what == "value":
        return figure["value"]
    return sum(us for group, us in (figure.get("cost") or {}).items() if group != "client")


def change(old, new, what):
    """Return (change as a part of the old median, noise as such a part), or None if one lacks the figure. Positive is
    worse."""
    before, after = (row["cost_us"] if what == "cost" else row["median"] for row in (old, new))
    if not before or not after:
        return None
    by = after / before - 1
    better_is_more = what == "value" and new["unit"] == "/s"
    return (-by if better_is_more else by), max(LEAST, spread(old, what), spread(new, what))


def verdict(old, new):
    """Return (word, changes). Processor time decides where both have it: rates depend on the neighbours."""
    if new["wrong"]:
        return "FAIL", {}
    changes = {what: change(old, new, what) for what in ("cost", "value")}
    decisive = changes["cost"] or changes["value"]
    if old["wrong"] or not decisive:
        return "", changes
    by, noise = decisive
    return ("slower" if by > noise else "faster" if by < -noise else "same"), changes


def percent(pair):
    return f"{pair[0]:+.0%} (noise {pair[1]:.0%})" if pair else ""


def compare(old_path, new_path):
    """Return the table as text, and whether nothing became slower or fails."""
    old, new = read(old_path), read(new_path)
    lines, good = [["scene", "old", "new", "unit", "change for the worse: of processor time", "of the figure", ""]], True
    for title, row in new.items():
        if title not in old:
            lines.append([title, "", number(row["median"]), row["unit"], "", "", "FAIL" if row["wrong"] else "new"])
            continue
        word, changes = verdict(old[title], row)
        lines.append([title, number(old[title]["median"]), number(row["median"]), row["unit"],
                      percent(changes.get("cost")), percent(changes.get("value")), word])
        good = good and word not in ("slower", "FAIL")
    lines += [[title, number(row["median"]), "", row["unit"], "", "", "gone"] for title, row in old.items() if title not in new]
    return "\n".join(aligned(lines, {0, 3, 6})), good
