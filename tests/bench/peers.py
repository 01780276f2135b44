"""Start the peers of tests/bench/peers beside the service, on its database server."""
import grp
import os
import pwd
import subprocess

from postgres import Postgres
from service import free_port, wait_until
from stack import ROOT, start_lighttpd

HERE = ROOT / "tests/bench/peers"
WAYS = {"B": "redis", "C": "lock", "D": "update"}
TITLES = {"A": "A (Redis everysec, drained afterwards)", "B": "B (Redis always, then MySQL)",
          "C": "C (SELECT FOR UPDATE)", "D": "D (conditional UPDATE)", "E": "E (batches, one process)",
          "F": "F (E on PostgreSQL)"}
DURABLE = "BCDEF"


class Redis:
    """A redis-server with the script that hands out shares."""

    def __init__(self, directory, fsync):
        directory.mkdir()
        self.socket = directory / "redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", directory, "--save", "",
             "--appendonly", "yes", "--appendfsync", fsync, "--logfile", directory / "redis.log"])
        wait_until(lambda: self.socket.exists() and self.command("PING") == "PONG", 10, "Redis answers")
        self.script = self.command("SCRIPT", "LOAD", (HERE / "grab.redis.lua").read_text())

    def command(self, *words):
        done = subprocess.run(["redis-cli", "-s", self.socket, *words], text=True, capture_output=True, check=False)
        return done.stdout.strip()

    def fill(self, envelopes, shares):
        """Create envelopes 1..envelopes with precomputed shares."""
        self.command("FLUSHALL")
        script = ("for e = 1, ARGV[1] do for s = 1, ARGV[2] do "
                  "redis.call('RPUSH', 's:' .. e, s .. ':' .. math.random(1, 199)) end end")
        self.command("EVAL", script, "0", str(envelopes), str(shares))

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Peer:
    """A peer and its web server."""

    def __init__(self, stack, letter):
        self.stack, self.letter, self.port = stack, letter, free_port()
        self.directory = stack.directory / f"peer-{letter}"
        self.directory.mkdir()
        self.database = stack.directory / "run/db.sock"
        self.redis = Redis(self.directory / "redis", "everysec" if letter == "A" else "always") \
            if letter in "AB" else None
        stack.sql((HERE / "schema.sql").read_text())
        self.processes = self._with_nginx() if letter == "A" else self._with_fastcgi()

    def _with_nginx(self):
        user = f"{pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name}"
        values = {"USER": user, "DIR": self.directory, "PORT": self.port, "SHA": self.redis.script,
                  "SOCKET": self.redis.socket}
        for name in ("grab.nginx.conf", "grab.lua"):
            text = (HERE / name).read_text()
            for word, value in values.items():
                text = text.replace(f"@{word}@", str(value))
            (self.directory / name).write_text(text)
        (self.directory / "closed").mkdir()
        (self.directory / "closed/1").write_text('{"state":"sold_out"}')
        return [subprocess.Popen(["nginx", "-c", self.directory / "grab.nginx.conf", "-e", self.directory / "nginx.log"])]

    def _with_fastcgi(self):
        stack, listener = self.stack, self.directory / "peer.sock"
        command = [stack.build / "tests/bench/peer", WAYS[self.letter], listener, stack.setting("open.processes"),
                   stack.setting("open.threads"), self.database]
        if self.redis:
            command += [self.redis.socket, self.redis.script]
        return self._behind_lighttpd(command, listener)

    def _behind_lighttpd(self, command, listener):
        (self.directory / "lighttpd.conf").write_text(f"""
server.document-root = "{self.directory}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.modules = ( "mod_fastcgi" )
server.max-connections = 4096
server.max-fds = 16384
server.max-keep-alive-requests = 10000
fastcgi.server = ( "" => (( "socket" => "{listener}", "check-local" => "disable" )) )
""")
        with open(self.directory / "peer.log", "wb") as log:
            program = subprocess.Popen(command, stderr=log)
        wait_until(listener.exists, 5, "the peer listens")
        return [start_lighttpd(self.directory), program]

    def fill(self, envelopes, shares):
        """Recreate envelopes 1..envelopes, with no share drawn."""
        self.stack.sql(
            "TRUNCATE peer.envelope; TRUNCATE peer.share; TRUNCATE peer.claim; TRUNCATE peer.account; "
            f"INSERT INTO peer.envelope SELECT seq, {shares}, 0 FROM seq_1_to_{envelopes}; "
            "INSERT INTO peer.share SELECT e.seq, s.seq, 1 + FLOOR(RAND() * 199) "
            f"FROM seq_1_to_{envelopes} AS e, seq_1_to_{shares} AS s")
        if self.redis:
            self.redis.fill(envelopes, shares)

    def drain(self):
        """Start the worker of peer A; the caller terminates it."""
        return subprocess.Popen([self.stack.build / "tests/bench/drain", self.redis.socket, self.database])

    def claims(self):
        """Return the number of claims in MySQL; claims and credits must agree."""
        (claims, money, balances), = self.stack.sql(
            "SELECT COUNT(*), COALESCE(SUM(amount), 0), (SELECT COALESCE(SUM(balance), 0) FROM peer.account) "
            "FROM peer.claim")
        assert money == balances, f"peer {self.letter}: {money} drawn, {balances} credited"
        return int(claims)

    def close(self):
        for process in self.processes:
            process.terminate()
            process.wait(20)
        if self.redis:
            self.redis.close()


class BatchPeer(Peer):
    """Peers E and F. They check the tokens of the service."""

    def __init__(self, stack, letter):
        self.postgres = Postgres(stack.directory) if letter == "F" else None
        super().__init__(stack, letter)
        if self.postgres is None:
            stack.sql("USE peer; " + (HERE / "batch_schema.sql").read_text())
        else:
            self.postgres.sql((HERE / "batch_schema.sql").read_text())

    def _with_fastcgi(self):
        stack, listener = self.stack, self.directory / "peer.sock"
        way, where = ("pgsql", self.postgres.where) if self.postgres else ("mysql", self.database)
        return self._behind_lighttpd([stack.build / "tests/bench/batch_peer", way, listener, stack.setting("open.acceptors"),
                                      where, stack.directory / "secrets/token.key"], listener)

    def sql(self, text):
        return self.postgres.sql(text) if self.postgres else self.stack.sql("USE peer; " + text)

    def fill(self, envelopes, shares):
        """Recreate envelopes 1..envelopes with no share drawn, in a process that knows none to have closed."""
        series = "generate_series(1, %d) AS seq" if self.postgres else "seq_1_to_%d"
        self.sql("TRUNCATE TABLE batch_envelope; TRUNCATE TABLE batch_claim; TRUNCATE TABLE batch_ledger; "
                 "TRUNCATE TABLE batch_barrier; INSERT INTO batch_barrier VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), "
                 "(5, 0), (6, 0), (7, 0), (8, 0); "
                 f"INSERT INTO batch_envelope SELECT seq, {shares}, 0, {100 * shares} FROM {series % envelopes}")
        for process in self.processes:
            process.terminate()
            process.wait(20)
        self.processes = self._with_fastcgi()

    def claims(self):
        """Return the number of claims; they, the ledger and the envelopes must agree."""
        (claims, money, booked, drawn), = self.sql(
            "SELECT COUNT(*), COALESCE(SUM(amount), 0), (SELECT COALESCE(SUM(amount), 0) FROM batch_ledger), "
            "(SELECT COALESCE(SUM(100 * shares - left_amount), 0) FROM batch_envelope) FROM batch_claim")
        assert money == booked == drawn, f"peer {self.letter}: {money} drawn, {booked} booked, {drawn} missing"
        return int(claims)

    def close(self):
        super().close()
        if self.postgres:
            self.postgres.close()


def make(stack, letter):
    return (BatchPeer if letter in "EF" else Peer)(stack, letter)
