"""A rolling upgrade and the way back: programs of two versions serve the same sockets over one database, and no request fails."""
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from client import Client
from load import Load
from service import BUILD, SLOW, SOURCE, Service, wait_until

POOLS = ("send", "grab", "open", "query")
OLD = int(re.search(r"#define SCHEMA_VERSION (\d+) ", (SOURCE / "lib/store/store_state.h").read_text()).group(1))
NEW = 98
PATCH = f"-- Works with the programs of schema {OLD}: it only adds.\nALTER TABLE envelope ADD trial INT NULL;\nCREATE TABLE trial (a INT);\n"


def build_next_version(folder):
    """The tree at hand with the version 99.0 and one more patch: what names either is compiled again, and all is linked."""
    build, include = folder / "build", folder / "include/lib/store"
    left_out = shutil.ignore_patterns("browser", "clang", "deb", "hongbao-0*", "page", "release-check", "tests")
    shutil.copytree(BUILD, build, symlinks=True, ignore=left_out)
    include.mkdir(parents=True)
    text = (SOURCE / "lib/store/store_state.h").read_text()
    (include / "store_state.h").write_text(text.replace(f"#define SCHEMA_VERSION {OLD} ", f"#define SCHEMA_VERSION {NEW} "))
    named = re.compile("SCHEMA_VERSION|schema_fits|HONGBAO_VERSION")
    sources = [p for part in ("lib", "cgi", "bin") for p in (SOURCE / part).rglob("*.c") if named.search(p.read_text())]
    assert len(sources) > 5
    for source in sources:
        (build / source.relative_to(SOURCE)).with_suffix(".o").unlink()
    programs = [f"hongbao-{name}" for name in (*POOLS, "settle")] + ["hongbaoctl"]
    (build / "tests").mkdir()
    done = subprocess.run(["make", "-C", build, "-j2", f"DEFAULT_INCLUDES=-I{folder}/include -I.", "PACKAGE_VERSION=99.0", *programs],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return build


class Master:
    """A program as systemd starts it: on a socket that outlives it, and with a notice when it is ready."""

    def __init__(self, build, name, config, folder, listener=None):
        notices = folder / f"notify-{len(list(folder.glob('notify-*')))}"
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(str(notices))
        command = f"LISTEN_PID=$$ exec {shlex.quote(f'{build}/hongbao-{name}')} --config {shlex.quote(str(config))}"
        if listener:
            command = f"exec 3<&{listener.fileno()}; LISTEN_FDS=1 {command}"
        self.process = subprocess.Popen(["bash", "-c", command], env={**os.environ, "NOTIFY_SOCKET": str(notices)},
                                        pass_fds=[listener.fileno()] if listener else [])
        self.notices.settimeout(20 * SLOW)
        assert self.notices.recv(64) == b"READY=1"

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20 * SLOW) == 0
        self.notices.close()


class Everything(Load):
    """Clients that use all four pools. Each is a user of its own: a process that finds an account locked refuses the send."""

    def seen(self, answer):
        self.statuses.append(answer.status)
        assert answer.status in (200, 201), answer
        return answer.json

    def run(self, user):
        alice = Client(self.service, self.service.token(f"alice{self.threads.index(threading.current_thread())}"))
        while not self.ending.is_set():
            sent = self.seen(alice.send(2, 2))
            self.envelopes.append(sent["id"])
            self.seen(alice.get("/v1/me"))
            self.seen(alice.envelope(sent["id"]))
            self.seen(alice.open(sent["id"], self.seen(alice.grab(sent["id"]))["ticket"]))
        alice.close()


@pytest.fixture
def own():
    """An installation whose pools are started by the test: the supervisor of ./start waits meanwhile."""
    s = Service(["limits.grabs_per_second=10000", "limits.grabs_burst=100000"])
    s.start()
    for n in range(4):
        s.ctl("topup", f"alice{n}", "10000.00")
    yield s
    s.signal("start", signal.SIGCONT)
    s.remove()


def hand_over(service):
    """End the pools and return a listening socket in the place of each one's."""
    service.end_programs()
    listeners = {}
    for name in POOLS:
        path = service.directory / f"run/{name}.sock"
        path.unlink(missing_ok=True)
        listeners[name] = socket.socket(socket.AF_UNIX)
        listeners[name].bind(str(path))
        listeners[name].listen(1024)
    return listeners


def versions(service):
    """Return the versions of the query processes that answer."""
    seen = set()
    for _ in range(5):
        seen |= {re.search(r'version="([^"]+)"', name).group(1) for name in service.metrics() if name.startswith("hongbao_build_info")}
    return seen


def test_both_versions_serve_and_no_request_fails(own, tmp_path):
    build = build_next_version(tmp_path)
    shutil.copytree(SOURCE / "sql", tmp_path / "sql")
    (tmp_path / f"sql/00{NEW}_trial.sql").write_text(PATCH)
    config = own.directory / "hongbao.conf"
    configs = {}
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        configs[name] = tmp_path / f"{name}.conf"
        configs[name].write_text(config.read_text().replace(f"log_dir = {own.directory}/log", f"log_dir = {tmp_path}/{name}").replace(
            f"sql_dir = {SOURCE}/sql", f"sql_dir = {tmp_path}/sql" if name == "new" else f"sql_dir = {SOURCE}/sql"))
    builds = {"old": BUILD, "new": build}
    listeners = hand_over(own)
    masters = []

    def start(name):
        return [Master(builds[name], pool, configs[name], tmp_path, listeners.get(pool)) for pool in (*POOLS, "settle")]

    def ctl(name, *arguments):
        return subprocess.run([f"{builds[name]}/hongbaoctl", "--config", configs[name], *arguments], capture_output=True, text=True,
                              timeout=60, check=False)

    def counts():
        return [len((tmp_path / name / f"{pool}.log").read_text().splitlines()) for name in ("old", "new") for pool in POOLS]
    try:
        old = start("old")
        masters += old
        with Everything(own) as load:
            def served(what):
                seen = len(load.statuses)
                wait_until(lambda: len(load.statuses) > seen + 15, 30 * SLOW, what)
            served("the old version alone")
            refused = ctl("new", "show", "alice0")
            assert refused.returncode == 4 and f"has schema version {OLD}, this program needs {NEW}" in refused.stderr
            migrated = ctl("new", "migrate")
            assert migrated.returncode == 0 and migrated.stdout == f"applied 00{NEW}_trial.sql\n", migrated.stderr
            newer = f"schema: patches above {OLD} are applied\n    mend: install the version of the programs that the tables are for\n"
            assert newer in ctl("old", "doctor").stdout and "schema: " not in ctl("new", "doctor").stdout
            for way in ("there", "back"):
                fresh = start("new" if way == "there" else "old")
                masters += fresh
                before = counts()
                wait_until(lambda b=before: all(now > then for now, then in zip(counts(), b)), 60 * SLOW, "each pool of both serves")
                wait_until(lambda: len(versions(own)) == 2, 30 * SLOW, "both answer")
                for master in old:
                    master.stop()
                    served("those that remain")
                old = fresh
                assert versions(own) == {"99.0"} if way == "there" else "99.0" not in versions(own)
                assert ctl("new" if way == "there" else "old", "show", "alice0").returncode == 0
        assert set(load.statuses) == {200, 201} and len(load.envelopes) > 40
        assert own.audit() == {}
    finally:
        for master in masters:
            master.process.kill()
            master.process.wait()
        for listener in listeners.values():
            listener.close()
