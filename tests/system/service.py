"""A running installation, started by ./start for the tests and stopped after them."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("HONGBAO_BUILD", str(SOURCE / "build-check"))
SLOW = 5 if "tsan" in BUILD or "asan" in BUILD else 1  # sanitizers slow everything down


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def listens(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.02)


def runs(pid):
    """Return whether the process exists and is no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.")
TICKET = re.compile(r"(?<![A-Za-z0-9_-])A[A-Za-z0-9_-]{38}(?![A-Za-z0-9_-])")
LONG_WORD = re.compile(r"[A-Za-z0-9_.-]{32,}")


MEMORY, ROOM_BYTES = "/dev/shm", 8 << 30


def new_directory(prefix="hb-"):
    """Make a directory for an installation. It lies in memory if there is room: the disk of a busy machine stalls for
    longer than a request may take. Its path is short enough for a socket."""
    try:
        state = os.statvfs(MEMORY)
        room = state.f_bavail * state.f_frsize
    except OSError:
        room = 0
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if room >= ROOM_BYTES else "/tmp"))


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Service:
    def __init__(self, settings=(), directory=None, port=None):
        self.directory = pathlib.Path(directory or new_directory())
        self.port = port or free_port()
        self.settings = list(settings)
        if not any(setting.startswith("limits.sends_per_minute") for setting in self.settings):
            self.settings.append("limits.sends_per_minute=100000")  # tests send far more than people do
        if not any(setting.startswith("limits.open_envelopes") for setting in self.settings):
            self.settings.append("limits.open_envelopes=1000000")
        self.keys = {}

    # ---- start and stop ----
    def start_command(self, *more):
        command = [str(SOURCE / "start"), "--data", str(self.directory), "--build", BUILD,
                   "--port", str(self.port), "--as-built"]
        for setting in self.settings:
            command += ["--set", setting]
        return command + list(more)

    def start(self):
        done = subprocess.run(self.start_command("--detach"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=240, check=False)
        assert done.returncode == 0, done.stdout
        self.output = done.stdout
        return self

    def stop(self):
        subprocess.run(self.start_command("--stop"), stdin=subprocess.DEVNULL, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)

    def remove(self):
        """Stop for good. Fail if the logs contain a secret."""
        stored = self.stored_secrets()
        self.stop()
        leaked = self.leaked_secrets(stored)
        shutil.rmtree(self.directory, ignore_errors=True)
        assert leaked == [], leaked

    # ---- secrets ----
    def stored_secrets(self):
        """Return keys, passwords, and the seeds of open envelopes."""
        found = set()
        for path in (self.directory / "secrets").glob("*"):
            found |= set(re.findall(r"[0-9a-f]{32,}", path.read_text()))
        if (self.directory / "run/db.sock").exists():
            found |= {row[0] for row in self.sql("SELECT LOWER(HEX(seed)) FROM seed UNION ALL "
                                                 "SELECT LOWER(HEX(seed)) FROM envelope WHERE seed IS NOT NULL")}
        return found

    def leaked_secrets(self, secrets):
        """Return (log file, text) for each secret, token and ticket in the logs."""
        secrets = {s.lower() for s in secrets}
        lengths = {len(s) for s in secrets}
        leaked = []
        for path in (self.directory / "log").glob("*"):
            text = path.read_text(errors="replace")
            leaked += [(path.name, t.group()) for kind in (TOKEN, TICKET) for t in kind.finditer(text)]
            for word in map(str.lower, LONG_WORD.findall(text)):
                leaked += [(path.name, word) for n in lengths for at in range(len(word) - n + 1)
                         if word[at:at + n] in secrets]
        return leaked

    # ---- processes ----
    def pid(self, name):
        path = self.directory / "run" / f"{name}.pid"  # briefly empty while it is written
        return int(wait_until(lambda: path.read_text().strip(), 5, f"{path} is written"))

    def workers(self, pool):
        """Return the ids of the worker processes of a pool: the children of its master."""
        found = []
        for path in pathlib.Path(f"/proc/{self.pid(pool)}/task").glob("*/children"):
            found += [int(pid) for pid in path.read_text().split()]
        return found

    def signal(self, name, number):
        os.kill(self.pid(name), number)

    def kill_and_wait(self, name):
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: self.pid(name) != old, 30, f"{name} is restarted")
        wait_until(lambda: name != "memcached" or listens(self.directory / "run/cache.sock"), 30, f"{name} listens")

    def end_programs(self):
        """End the pools and settle. ./start, which would restart them, waits for SIGCONT."""
        names = ("send", "grab", "open", "query", "settle")
        self.signal("start", signal.SIGSTOP)
        pids = [pid for name in names for pid in (self.pid(name), *self.workers(name))]
        for name in names:
            self.signal(name, signal.SIGTERM)
        wait_until(lambda: not any(runs(pid) for pid in pids), 30 * SLOW, "pools and settle have ended")

    # ---- operator commands ----
    def ctl(self, *arguments, check=True, seconds=120):
        """Run hongbaoctl. Tests top up users that have no account yet."""
        if arguments[:1] == ("topup",) and check and "--create" not in arguments:
            arguments += ("--create",)
        done = subprocess.run([str(self.directory / "hongbaoctl"), *map(str, arguments)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds, check=False)
        assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def sql(self, text):
        """Run a statement as database administrator; return the rows as lists of strings."""
        done = subprocess.run(["mariadb", "--no-defaults", "-S", str(self.directory / "run/db.sock"),
                               "-N", "-B", "hongbao", "-e", text], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def audit(self, seconds=120):
        done = self.ctl("audit", "--json", check=False, seconds=seconds)
        report = json.loads(done.stdout)
        wrong = {r["name"]: r for r in report["invariants"] if r["violations"]}
        assert done.returncode == (1 if wrong else 0)
        return wrong

    def metrics_connection(self):
        """To the web server's listener for metrics, which the public one does not serve."""
        return UnixConnection(str(self.directory / "run/metrics.sock"))

    def metrics(self):
        """Return the value of every counter and gauge, by name with labels."""
        connection = self.metrics_connection()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    # ---- tokens, signed as a chat's back end does ----
    def key(self, kind):
        if kind not in self.keys:
            text = (self.directory / "secrets" / f"{kind}.key").read_text().split()[0]
            self.keys[kind] = bytes.fromhex(text)
        return self.keys[kind]

    def token(self, user, kind="token", alg="HS256", key=None, **claims):
        claims = {"sub": user, "exp": int(time.time()) + 86400, **claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        if kind == "wallet":
            claims.setdefault("scope", "wallet")
        head = base64url(json.dumps({"alg": alg, "typ": "JWT"}).encode())
        body = base64url(json.dumps(claims).encode())
        mac = hmac.new(key or self.key(kind), f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{base64url(mac) if alg != 'none' else ''}"
