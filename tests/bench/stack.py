"""The measured service, and its ceiling behind the same web server configuration."""
import pathlib
import re
import signal
import subprocess

import plan
from load import Load
from service import SOURCE as ROOT, Service, free_port, wait_until

POOLS = ("send", "grab", "open", "query")
# Limits per user must not interfere; scenes add their own settings.
SETTINGS = ("limits.grabs_per_second=10000", "limits.sends_per_minute=100000", "limits.open_envelopes=1000000", "limits.grabs_burst=100000",
            "limits.shares_max=1000000", "limits.sent_per_day=1000000000000", "limits.expires_min=1")
# Emptied between scenes, so that each starts from the same database. The queues of settle come first.
TABLES = ("credit", "seed", "closing", "claim", "envelope", "transfer", "account", "year_total", "idempotency")


class Stack:
    """An installation started by ./start, with the operations a benchmark needs."""

    def __init__(self, build, settings=(), mariadb=()):
        self.build = pathlib.Path(build).resolve()
        self.settings = list(settings)
        self.service = Service([*SETTINGS, *settings])
        more = [word for argument in mariadb for word in ("--mariadb", argument)]
        plain = self.service.start_command
        self.service.start_command = lambda *words: plain(*more, *words)
        self.service.start()
        self.port, self.directory = self.service.port, self.service.directory
        generation = bytes.fromhex(self.sql("SELECT HEX(generation) FROM meta")[0][0])
        self.signer = plan.Signer(self.service.key("token"), self.service.key("ticket"), generation)
        self.wallet = self.service.token("bench", kind="wallet").encode()
        self.settling = True

    def close(self):
        self.settle(True)
        self.service.remove()

    def sql(self, text):
        return self.service.sql(text)

    def setting(self, name):
        """Return the effective value of a setting."""
        section, key = name.split(".")
        own = (self.directory / "hongbao.conf").read_text()
        example = subprocess.run([self.build / "hongbaoctl", "config-example"], text=True, capture_output=True,
                                 check=True).stdout
        for text, mark in ((own, ""), (example, "#")):
            part = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S)
            found = part and re.search(rf"^{mark}{key} = (.*)$", part[1], re.M)
            if found:
                return found[1]
        raise KeyError(name)

    def has_setting(self, name):
        try:
            return self.setting(name) is not None
        except KeyError:
            return False

    # ---- state between scenes ----
    def settle(self, running):
        if running != self.settling:
            self.service.signal("settle", signal.SIGCONT if running else signal.SIGSTOP)
            self.settling = running

    def wait_while(self, select, seconds, what):
        """Wait until the SELECT finds no row. One connection serves all queries: a client process for each would take
        processor time from the measured programs."""
        command = ["mariadb", "--no-defaults", "-S", self.directory / "run/db.sock", "-N", "-B", "-n", "hongbao"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as client:
            def finds():
                client.stdin.write(f"SELECT EXISTS({select});\n")
                return client.stdout.readline().strip() != "0"
            try:
                wait_until(lambda: not finds(), seconds, what)
            finally:
                client.stdin.close()

    def wait_for_credits(self):
        self.wait_while("SELECT 1 FROM credit", 300, "all claims are credited")

    def reset(self):
        """Empty the database. Pools and cache keep their state, since ids are never reused."""
        self.settle(True)
        self.sql("; ".join(f"TRUNCATE TABLE {name}" for name in TABLES))
        for marker in (self.service.directory / "markers/current").glob("[0-9a-f][0-9a-f]/*"):
            marker.unlink(missing_ok=True)  # of an envelope that is gone

    def audit(self, seconds=120):
        """Audit the books. Return the violated invariants, or ""."""
        wrong = self.service.audit(seconds)
        return "audit: " + ", ".join(wrong) if wrong else ""

    # ---- preparation through the API ----
    def do_all(self, requests, *expected, connections=64):
        """Send all requests once and check that each is answered as expected."""
        prepared = plan.Plan(requests)
        result = Load(self.load, self.port, prepared, self.directory, seconds=0, connections=connections, retry=True).result()
        prepared.close()
        wrong = result.wrong(*expected)
        assert not wrong, f"while preparing: {wrong}"
        return result

    @property
    def load(self):
        return self.build / "tests/bench/load"

    def top_up(self, users, amount_fen=10**9):
        self.do_all((plan.topup(self.wallet, user, amount_fen) for user in users), "201")

    def envelopes(self, count, shares, share_fen=100, expires_s=80000, group=None):
        """Send `count` envelopes, to anyone or to a group, and return their ids."""
        before = {row[0] for row in self.sql("SELECT HEX(id) FROM envelope")}
        self.top_up(["bench"], count * shares * share_fen)
        token = self.signer.token("bench")
        self.do_all((plan.send(token, shares * share_fen, shares, expires_s, group) for _ in range(count)), "201 open")
        ids = [row[0] for row in self.sql("SELECT HEX(id) FROM envelope") if row[0] not in before]
        assert len(ids) == count
        return ["-".join((i[:8], i[8:12], i[12:16], i[16:20], i[20:])).lower() for i in ids]


def start_lighttpd(directory):
    """Start lighttpd with directory/lighttpd.conf; its messages go to directory/lighttpd.out."""
    with open(directory / "lighttpd.out", "wb") as out:
        return subprocess.Popen(["lighttpd", "-D", "-f", directory / "lighttpd.conf"], stderr=out, start_new_session=True)


class Ceiling:
    """Empty FastCGI programs behind a lighttpd with the service's configuration. Each pool has a program with the same
    number of processes and threads, and answers of a given size."""

    def __init__(self, stack):
        self.stack, self.port = stack, free_port()
        self.run = stack.directory / "H"
        self.run.mkdir()
        self.programs = {}
        text = (stack.directory / "lighttpd.conf").read_text()
        text = re.sub(r"^var\.port = .*", f"var.port = {self.port}", text, flags=re.M)
        text = re.sub(r"^var\.metrics = .*", f'var.metrics = "{self.run}/metrics.sock"', text, flags=re.M)
        text = re.sub(r"^server\.pid-file := .*", f'server.pid-file := "{self.run}/lighttpd.pid"', text, flags=re.M)
        text = re.sub(r"^var\.run = .*", f'var.run = "{self.run}"', text, flags=re.M)
        text = re.sub(r"^var\.log = .*", f'var.log = "{self.run}"', text, flags=re.M)
        text = re.sub(r"^var\.markers = .*", f'var.markers = "{self.run}/none"', text, flags=re.M)
        (self.run / "lighttpd.conf").write_text(text)
        self.web = start_lighttpd(self.run)

    def answer(self, pool, size, status=200):
        """Set the size and status of the answers of a pool."""
        wanted = (size, status)
        if pool in self.programs:
            if self.programs[pool][1] == wanted:
                return
            self._stop(pool)
        path = self.run / f"{pool}.sock"
        command = [self.stack.build / "tests/bench/empty", path, self.stack.setting(f"{pool}.processes"),
                   self._acceptors(pool), str(size), str(status)]
        self.programs[pool] = (subprocess.Popen(command), wanted)
        wait_until(path.exists, 5, "the empty program listens")

    def _acceptors(self, pool):
        """ACCEPTORS+LINGER_US, as the pool has them."""
        return "+".join(self.stack.setting(f"{pool}.{name}") for name in ("acceptors", "linger"))

    def _stop(self, pool):
        program, _ = self.programs.pop(pool)
        program.terminate()
        program.wait(20)

    def close(self):
        for pool in list(self.programs):
            self._stop(pool)
        self.web.terminate()
        self.web.wait(20)
