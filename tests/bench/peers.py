"""Start the peers of tests/bench/peers beside the service, on its database server."""
import grp
import os
import pwd
import subprocess

from service import free_port, wait_until
from stack import ROOT, start_lighttpd

HERE = ROOT / "tests/bench/peers"
WAYS = {"B": "redis", "C": "lock", "D": "update"}
TITLES = {"A": "A (Redis everysec, drained afterwards)", "B": "B (Redis always, then MySQL)",
          "C": "C (SELECT FOR UPDATE)", "D": "D (conditional UPDATE)"}


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
