"""./start, as a new user runs it."""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from client import Client
from service import SLOW, SOURCE, Service, wait_until


@pytest.fixture(scope="module")
def own(service):  # started second, so that everything is built
    assert service.port
    s = Service()
    began = time.monotonic()
    s.start()
    s.took = time.monotonic() - began
    yield s
    s.remove()


def processes_of(service):
    """Return the ids of all processes with this data directory in their arguments."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(str(service.directory).encode() in word for word in words):
            found.append(int(path.parent.name))
    return found


def ready(service):
    client = Client(service)
    try:
        return client.get("/readyz", raw=True).status == 200
    except OSError:
        return False
    finally:
        client.close()


def test_ready_within_ten_seconds(own):
    assert own.took < 10 * SLOW
    assert ready(own)
    assert f"http://127.0.0.1:{own.port}/" in own.output


def test_files_and_processes_after_start(own):
    for name in ("hongbaoctl", "hongbao.conf", "log"):
        assert (own.directory / name).exists()
    for name in ("mariadb", "memcached", "lighttpd", "send", "grab", "open", "query", "settle"):
        os.kill(own.pid(name), 0)
    for path in (own.directory / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    for pool in ("send", "grab", "open", "query"):
        assert (own.directory / f"run/{pool}.sock").stat().st_mode & 0o117 == 0
        assert len(own.workers(pool)) >= 2


def test_printed_session_works(own):
    """The printed curl session works when pasted into a shell."""
    lines = own.output.split("Try it:\n")[1].split("\nLogs:")[0]
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r'"state":"opened","amount":\d+,"seq":1', done.stdout), done.stdout
    me = re.search(r'\{"user":"bob".*\}', done.stdout).group()
    assert '"pending":0' in me and '"balance":0' not in me


def test_second_start_in_one_directory_is_refused(own):
    for more in ((), ("--detach",)):
        done = subprocess.run(own.start_command(*more), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 1 and "already running" in done.stderr
    assert ready(own)


def test_two_installations_side_by_side(own, service):
    assert own.port != service.port
    one, other = Client(own, own.token("u")), Client(service, service.token("u"))
    assert one.get("/v1/me").status == other.get("/v1/me").status == 200
    assert one.get("/v1/me", token=service.token("u")).code == "unauthorized"


def test_port_in_use_is_refused(own, tmp_path):
    clash = Service(directory=tmp_path / "d", port=own.port)
    done = subprocess.run(clash.start_command("--detach"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1 and "in use" in done.stdout + done.stderr
    assert processes_of(clash) == [] and ready(own)


def test_help_and_wrong_usage():
    for arguments, code in ((["--help"], 0), (["--nonsense"], 2), (["--port", "0"], 2), (["--port", "x"], 2),
                            (["--set", "nonsense"], 1)):
        done = subprocess.run([str(SOURCE / "start"), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=20, check=False)
        assert done.returncode == code, (arguments, done.stderr)


@pytest.mark.parametrize("name", ["memcached", "settle", "send", "grab", "open", "query", "lighttpd", "mariadb"])
def test_dead_process_is_restarted(own, name):
    own.kill_and_wait(name)
    wait_until(lambda: ready(own), 15 * SLOW, "ready again")
    alice = Client(own, own.token("alice"))
    own.ctl("topup", "alice", 10)
    wait_until(lambda: alice.send(10, 1).status == 201, 10 * SLOW, "a send succeeds")


@pytest.mark.parametrize("pool", ["send", "grab", "open", "query"])
def test_dead_worker_is_replaced(own, pool):
    old = own.workers(pool)
    os.kill(old[0], signal.SIGKILL)
    wait_until(lambda: len(own.workers(pool)) == len(old) and old[0] not in own.workers(pool), 5 * SLOW, "replaced")


def test_start_after_everything_was_killed_keeps_the_data(own):
    own.ctl("topup", "keeper", 1234)
    envelope = Client(own, own.token("keeper")).send(1000, 10).json["id"]
    supervisor = int((own.directory / "run/start.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    for pid in processes_of(own):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_until(lambda: not processes_of(own), 10, "all processes are dead")
    own.start()
    assert Client(own, own.token("keeper")).get("/v1/me").json["balance"] == 234
    assert Client(own, own.token("late")).grab_and_open(envelope).state == "opened"
    assert own.audit() == {}


def test_start_after_only_the_supervisor_was_killed(own):
    """The next start stops the processes left behind."""
    os.kill(int((own.directory / "run/start.pid").read_text()), signal.SIGKILL)
    own.start()
    assert ready(own) and own.audit() == {}


def reset_sigint():
    """Restore the default SIGINT action, which a background job of a shell ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_everything(service):
    s = Service()
    with subprocess.Popen(s.start_command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, start_new_session=True,
                          preexec_fn=reset_sigint) as process:
        try:
            wait_until(lambda: ready(s), 60 * SLOW, "ready")
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            output, _ = process.communicate(timeout=60)
        finally:
            process.terminate()
    assert process.returncode == 0, output
    wait_until(lambda: not processes_of(s), 5, "no process is left")
    assert ready(service)  # the other installation is untouched
    s.remove()


def test_stop_where_nothing_runs(tmp_path):
    s = Service(directory=tmp_path / "d")
    done = subprocess.run(s.start_command("--stop"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0 and "Nothing runs" in done.stdout + done.stderr
