"""What the service manager is notified of: readiness, and progress, which ends when a process hangs."""
import os
import shlex
import signal
import socket
import subprocess
import time

import pytest

from service import BUILD, SLOW, Service, wait_until


@pytest.fixture(scope="module")
def own():
    s = Service()
    s.start()
    yield s
    s.remove()


class Managed:
    """A second process of a program, started as systemd starts it: Type=notify, WatchdogSec=."""

    def __init__(self, service, program, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        config = folder / "hongbao.conf"
        text = (service.directory / "hongbao.conf").read_text()
        config.write_text(text.replace(f"{service.directory}/run/query.sock", f"{folder}/query.sock"))
        env = {**os.environ, "NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": "30000000"}
        command = f"WATCHDOG_PID=$$ exec {shlex.quote(f'{BUILD}/hongbao-{program}')} --config {shlex.quote(str(config))}"
        self.process = subprocess.Popen(["sh", "-c", command], env=env)

    def receive(self, seconds):
        """Return the next state, or "" if none arrives."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(256).decode()
        except TimeoutError:
            return ""

    def quiet(self, seconds):
        """Whether nothing arrives for so long, after what has arrived already."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(256):
                pass
        except BlockingIOError:
            pass
        return self.receive(seconds) == ""

    def workers(self):
        text = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii").read()
        return [int(pid) for pid in text.split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.socket.close()


def test_pool(own, tmp_path):
    with Managed(own, "query", tmp_path) as managed:
        assert managed.receive(10 * SLOW) == "READY=1"
        assert [managed.receive(10 * SLOW) for _ in range(3)] == ["WATCHDOG=1"] * 3
        worker = managed.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            wait_until(lambda: managed.quiet(3), 60 * SLOW, "a worker that hangs ends the notices")
        finally:
            os.kill(worker, signal.SIGCONT)
        assert managed.receive(10 * SLOW) == "WATCHDOG=1"
        managed.process.terminate()
        wait_until(lambda: managed.receive(1) == "STOPPING=1", 10, "its end is announced")
        assert managed.process.wait(15) == 0


@pytest.mark.parametrize("program", ["query", "settle"])
def test_database_is_away(own, tmp_path, program):
    """A database that does not answer is no reason to restart: it would not help."""
    with Managed(own, program, tmp_path) as managed:
        assert managed.receive(10 * SLOW) == "READY=1"
        assert managed.receive(10 * SLOW) == "WATCHDOG=1"
        own.signal("mariadb", signal.SIGSTOP)
        try:
            end = time.monotonic() + 25  # longer than a worker may go without progress
            while time.monotonic() < end:
                assert managed.receive(10 * SLOW) == "WATCHDOG=1"
        finally:
            own.signal("mariadb", signal.SIGCONT)
