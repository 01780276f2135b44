"""Processor time of the measured programs, by group, from /proc."""
import collections
import os
import pathlib

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
GROUPS = {"lighttpd": "web", "nginx": "web", "memcached": "cache", "redis-server": "redis", "mariadbd": "database",
          "postgres": "database", "hongbao-settle": "settle", "empty": "pools", "peer": "pools", "batch_peer": "pools",
          "drain": "pools"}


def group_of(program):
    """Return the group of a program, or None if it is no part of the measurement."""
    return GROUPS.get(program) or ("pools" if program.startswith("hongbao-") else None)


def processes(directory):
    """Yield (pid, group) of the processes whose command line or working directory names the directory."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            group = group_of((path / "comm").read_text().strip())
            if group and (str(directory).encode() in (path / "cmdline").read_bytes() or
                          str(path.joinpath("cwd").readlink()).startswith(str(directory))):
                yield int(path.name), group
        except OSError:
            pass  # it has ended


def seconds_of(pid):
    """Return the processor time of a process so far, all threads included; 0 if it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


class Meter:
    """Measures from its creation until spent()."""

    def __init__(self, directory):
        self.directory = directory
        self.before = {pid: seconds_of(pid) for pid, _ in processes(directory)}

    def spent(self):
        """Return the seconds that each group has used, with processes that have started meanwhile. One that has ended counts
        as idle."""
        totals = collections.Counter()
        for pid, group in processes(self.directory):
            totals[group] += max(0.0, seconds_of(pid) - self.before.get(pid, 0.0))
        return totals
