"""hongbaoctl doctor finds planted faults, names how to fix each, and finds nothing once it is fixed."""
import contextlib
import os
import pathlib
import signal
import subprocess

import pytest

from client import Client
from foreign import Foreign
from service import BUILD, SOURCE, Service, wait_until


@pytest.fixture(scope="module")
def own():
    s = Service()
    s.start()
    s.ctl("topup", "alice", "10.00", "--create")
    yield s
    s.remove()


def doctor(service, config=None):
    config = config or service.directory / "hongbao.conf"
    return subprocess.run([f"{BUILD}/hongbaoctl", "--config", str(config), "doctor"], capture_output=True, text=True,
                          timeout=120, check=False)


def well(service):
    wait_until(lambda: doctor(service).stdout.endswith(" 0 findings\n"), 60, doctor(service).stdout)


@contextlib.contextmanager
def sql(service, plant, undo):
    service.sql(plant)
    yield
    if undo.startswith("hongbaoctl "):
        service.ctl(*undo.split()[1:])
    else:
        service.sql(undo)


@contextlib.contextmanager
def stopped(service, name):
    pids = [service.pid(name)] + (service.workers(name) if name in ("send", "grab", "open", "query") else [])
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def mode(path, wrong):
    right = path.stat().st_mode & 0o777
    path.chmod(wrong)
    yield
    path.chmod(right)


@contextlib.contextmanager
def contents(path, text):
    right, bits = path.read_bytes(), path.stat().st_mode & 0o777
    path.chmod(0o600)
    path.write_bytes(text(right) if callable(text) else text)
    path.chmod(bits)
    yield
    path.chmod(0o600)
    path.write_bytes(right)
    path.chmod(bits)


@contextlib.contextmanager
def moved(path):
    away = path.with_name(path.name + ".away")
    path.rename(away)
    yield
    away.rename(path)


LAST = max(path.name for path in (SOURCE / "sql").glob("[0-9]*.sql"))
PROGRAM = int(LAST[:4])
USER = "'hongbao_{}'@'localhost'"
# name: (context that plants the fault, part of what doctor prints, part of the fix)
FAULTS = {
    "settle stopped": (lambda s: stopped(s, "settle"), "settle: no process of it works", "systemctl restart hongbao-settle"),
    "pool stopped": (lambda s: stopped(s, "open"), "open pool: no process of it works", "systemctl restart"),
    "web server stopped": (lambda s: stopped(s, "lighttpd"), "web server: does not answer", "start it"),
    "web server cannot reach the pools": (lambda s: moved(s.directory / "run/query.sock"), "web server: GET /readyz is 50", "group"),
    "patch missing": (lambda s: sql(s, "DELETE FROM schema_version WHERE version = 4",
                                    "INSERT INTO schema_version (version, applied_us) VALUES (4, 1)"),
                      "0004_ledger.sql: is not applied", "hongbaoctl migrate"),
    "tables older": (lambda s: sql(s, f"DELETE FROM schema_version WHERE version = {PROGRAM}", "hongbaoctl migrate"),
                     f"{LAST}: is not applied", "hongbaoctl migrate"),
    "tables newer": (lambda s: sql(s, "INSERT INTO schema_version (version, applied_us) VALUES (99, 1)",
                                   "DELETE FROM schema_version WHERE version = 99"), f"patches above {PROGRAM} are applied", "install"),
    "grant missing": (lambda s: sql(s, f"REVOKE INSERT ON hongbao.claim FROM {USER.format('open')}", "hongbaoctl migrate"),
                      "hongbao_open: 1 privileges are missing, e.g. INSERT on claim", "hongbaoctl migrate"),
    "grant too wide": (lambda s: sql(s, f"GRANT DELETE ON hongbao.claim TO {USER.format('query')}", "hongbaoctl init"),
                       "hongbao_query: 1 privileges too many, e.g. DELETE on claim", "hongbaoctl init"),
    "audit user may write": (lambda s: sql(s, f"GRANT UPDATE ON hongbao.* TO {USER.format('audit')}", "hongbaoctl init"),
                             "hongbao_audit: 1 privileges too many, e.g. UPDATE", "hongbaoctl init"),
    "password changed": (lambda s: sql(s, f"ALTER USER {USER.format('send')} IDENTIFIED BY 'x'", "hongbaoctl init"),
                         "send.cnf: error 1045: Access denied", "hongbaoctl init"),
    "option file missing": (lambda s: moved(s.directory / "secrets/send.cnf"), "send.cnf: is not there", "hongbaoctl init"),
    "database not safe": (lambda s: sql(s, "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
                                        "SET GLOBAL innodb_flush_log_at_trx_commit = 1"),
                          "innodb_flush_log_at_trx_commit: 2", "set innodb_flush_log_at_trx_commit = 1"),
    "token.key malformed": (lambda s: contents(s.directory / "secrets/token.key", b"nonsense\n"), "token.key: ", "hongbaoctl init"),
    "wallet.key is token.key": (lambda s: contents(s.directory / "secrets/wallet.key",
                                                   lambda _: (s.directory / "secrets/token.key").read_bytes()),
                                "token.key", "a key in common"),
    "key mode 0444": (lambda s: mode(s.directory / "secrets/ticket.key", 0o444), "ticket.key", "chmod 0400"),
    "secrets directory 0755": (lambda s: mode(s.directory / "secrets", 0o755), "others can look into it", "chmod 0700"),
    "cache socket 0777": (lambda s: mode(s.directory / "run/cache.sock", 0o777), "cache.sock: others can connect", "-a 0660"),
    "pool socket 0777": (lambda s: mode(s.directory / "run/open.sock", 0o777), "open.sock: others can connect", "chmod 0660"),
    "memcached stopped": (lambda s: stopped(s, "memcached"), "[cache] servers: error", "start memcached"),
    "marker directory unreadable": (lambda s: mode(s.directory / "markers", 0o700), "may not look into the directory", "chmod 0755"),
    "settings changed": (lambda s: contents(s.directory / "hongbao.conf", lambda t: t + b"[limits]\nshares_max = 7\n"),
                         "send pool: runs with other settings than the file has", "restart it"),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_is_found_and_its_fix_works(own, name):
    plant, found, fix = FAULTS[name]
    well(own)
    with plant(own):
        done = wait_until(lambda: (d := doctor(own)) and found in d.stdout and d, 15, f"{name}: {doctor(own).stdout}")
        assert done.returncode == 1
        at = done.stdout.index(found)
        assert fix in done.stdout[at:].split("mend: ", 1)[1].split("\n", 1)[0]
    well(own)


CONFIGS = {
    "replica nowhere": ("[database]", "replica_socket = /nowhere/replica.sock", "[database] replica_socket: error 2002"),
    "database elsewhere": ("[database]", "port = 1\nhost = 127.0.0.1\nsocket =", "database, as administrator: error 200"),
    "log_dir missing": ("[site]", "log_dir = /nowhere/log", "[site] log_dir: is no directory"),
    "memcached elsewhere": ("[cache]", "servers = /nowhere/cache.sock", "[cache] servers: "),
    "pools elsewhere": ("[site]", "run_dir = /nowhere", "[site] run_dir: has no counters"),
    "web server elsewhere": ("[site]", "url = http://127.0.0.1:1/", "web server: does not answer at http://127.0.0.1:1/"),
    "markers elsewhere": ("[site]", "marker_dir = {tmp}/markers", "markers: the web server looks at none"),
}


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_wrong_setting_is_found(own, tmp_path, name):
    section, line, found = CONFIGS[name]
    line = line.format(tmp=tmp_path)
    text = (own.directory / "hongbao.conf").read_text()
    for setting in line.splitlines():
        key = setting.split(" =")[0]
        head, _, tail = text.partition(section)
        tail = "\n".join(row for row in tail.split("\n[")[0].split("\n") if not row.startswith(key + " =")) + \
            "".join("\n[" + part for part in tail.split("\n[")[1:])
        text = head + section + "\n" + setting + tail
    config = tmp_path / "hongbao.conf"
    config.write_text(text)
    done = doctor(own, config)
    assert done.returncode == 1 and found in done.stdout, done.stdout + done.stderr


def test_web_server_that_looks_for_markers_elsewhere(own, tmp_path):
    """It serves the tree of another directory: a marker that was put is not found."""
    text = (own.directory / "hongbao.conf").read_text()
    config = tmp_path / "hongbao.conf"
    config.write_text(text.replace(f"marker_dir = {own.directory}/markers", f"marker_dir = {tmp_path}/markers"))
    subprocess.run([f"{BUILD}/hongbaoctl", "--config", str(config), "init"], check=True, capture_output=True)
    done = doctor(own, config)
    assert done.returncode == 1 and "markers: the web server does not find them" in done.stdout


def test_typo_and_unreadable_file(own, tmp_path):
    for text in ("[site]\ndemoo = yes\n", "nonsense"):
        config = tmp_path / "hongbao.conf"
        config.write_text(text)
        done = doctor(own, config)
        assert done.returncode == 2 and str(config) in done.stderr
    done = doctor(own, pathlib.Path("/nowhere/hongbao.conf"))
    assert done.returncode == 2 and "/nowhere/hongbao.conf" in done.stderr


def test_frozen_envelope_and_full_server(own):
    alice = Client(own, own.token("alice"))
    envelope = alice.send(100, 2).json["id"]
    alice.close()
    own.ctl("envelope", "freeze", envelope, "--why", "test")
    done = doctor(own)
    assert done.returncode == 1 and f"frozen envelopes: there are some, e.g. {envelope}: by_operator" in done.stdout
    own.ctl("envelope", "unfreeze", envelope, "--why", "test")
    old = own.sql("SELECT @@GLOBAL.max_connections")[0][0]
    operator = Foreign(own)  # no further session is admitted
    operator.run("SET GLOBAL max_connections = 10")
    try:
        done = doctor(own)
        assert "error 1040: Too many connections\n    mend: raise max_connections" in done.stdout
    finally:
        operator.run(f"SET GLOBAL max_connections = {old}")
        operator.__exit__()
    well(own)


def test_small_memcached_is_found(own, tmp_path):
    path = tmp_path / "small.sock"
    with subprocess.Popen(["memcached", "-u", "root", "-s", str(path), "-a", "0660", "-U", "0", "-m", "1", "-I", "512k", "-C"]) as small:
        try:
            wait_until(path.exists, 10, "it listens")
            config = tmp_path / "hongbao.conf"
            text = (own.directory / "hongbao.conf").read_text()
            config.write_text(text.replace(f"servers = {own.directory}/run/cache.sock", f"servers = {path}"))
            done = doctor(own, config)
            assert "memcached: has 1 MiB of memory" in done.stdout and "memcached: gives no CAS numbers" in done.stdout
        finally:
            small.terminate()


def test_demo_is_a_note(own):
    done = doctor(own)
    assert done.returncode == 0 and "note: [site] demo: anyone can sign in" in done.stdout
