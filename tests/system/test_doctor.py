"""hongbaoctl doctor finds planted faults, names how to fix each, and finds nothing once it is fixed."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from client import Client
from foreign import Foreign
from service import BUILD, SOURCE, Service, free_port, wait_until


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


def well(service, config=None):
    wait_until(lambda: doctor(service, config).stdout.endswith(" 0 findings\n"), 60, lambda: doctor(service, config).stdout)


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
    """The program has ended and stays away; it is started again afterwards."""
    service.signal("start", signal.SIGSTOP)  # which would restart it
    service.signal(name, signal.SIGTERM)
    yield
    service.signal("start", signal.SIGCONT)


@contextlib.contextmanager
def hanging(service, name):
    service.signal(name, signal.SIGSTOP)
    yield
    service.kill_and_wait(name)


@contextlib.contextmanager
def mode(path, wrong):
    right = path.stat().st_mode & 0o777
    path.chmod(wrong)
    yield
    path.chmod(right)


def write(path, text):
    bits = path.stat().st_mode & 0o777
    path.chmod(0o600)
    path.write_bytes(text)
    path.chmod(bits)


@contextlib.contextmanager
def contents(path, text, again=lambda: None):
    right = path.read_bytes()
    write(path, text)
    again()
    yield
    write(path, right)
    again()


@contextlib.contextmanager
def bad_key(service, name, text):
    """The key is removed and made again: tokens of the old one end."""
    path = service.directory / f"secrets/{name}.key"
    write(path, text)
    yield
    path.unlink()
    service.ctl("init")
    service.keys.clear()
    reload_all(service)


@contextlib.contextmanager
def cache_socket(service):
    (service.directory / "run/cache.sock").chmod(0o777)
    yield
    service.kill_and_wait("memcached")


@contextlib.contextmanager
def settings(service, old, new):
    """They are changed, and read by no program until it is restarted."""
    path = service.directory / "hongbao.conf"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    yield
    restart_all(service)
    well(service)
    path.write_text(text)
    reload_all(service)


@contextlib.contextmanager
def unapplied(service):
    """The tables lack a patch that sql_dir has."""
    patches = service.directory / "sql"
    shutil.copytree(SOURCE / "sql", patches)
    (patches / "0098_trial.sql").write_text(f"-- Works with the programs of schema {PROGRAM}: it only adds.\nCREATE TABLE trial (a INT);\n")
    path = service.directory / "hongbao.conf"
    text = path.read_text()
    path.write_text(text.replace(f"sql_dir = {SOURCE}/sql", f"sql_dir = {patches}"))
    yield
    service.ctl("migrate")
    assert "findings" in doctor(service).stdout and "0098_trial.sql" not in doctor(service).stdout
    service.sql("DROP TABLE trial; DELETE FROM schema_version WHERE version = 98")
    path.write_text(text)
    shutil.rmtree(patches)


@contextlib.contextmanager
def restored_without_a_word(service):
    """A dump is restored in which an envelope is open that the marker files call sold out."""
    alice, bob = Client(service, service.token("alice")), Client(service, service.token("bob"))
    envelope = alice.send(10, 1).json["id"]
    database = ["--no-defaults", f"--socket={service.directory}/run/db.sock"]
    dump = subprocess.run(["mariadb-dump", *database, "--single-transaction", "--hex-blob", "hongbao"], capture_output=True, check=True).stdout
    assert bob.grab_and_open(envelope).state == "opened" and alice.grab_and_open(envelope).state == "sold_out"
    for client in (alice, bob):
        client.close()
    service.end_programs()
    subprocess.run(["mariadb", *database, "hongbao"], input=dump, check=True)
    yield
    service.ctl("restored")
    service.signal("start", signal.SIGCONT)


@contextlib.contextmanager
def moved(path):
    away = path.with_name(path.name + ".away")
    path.rename(away)
    yield
    away.rename(path)


def reload_all(service):
    for name in ("send", "grab", "open", "query", "settle"):
        service.signal(name, signal.SIGHUP)


def restart_all(service):
    names = ("send", "grab", "open", "query", "settle")
    old = {name: service.pid(name) for name in names}
    for name in names:
        service.signal(name, signal.SIGTERM)
    for name in names:
        wait_until(lambda n=name: service.pid(n) != old[n], 30, f"{name} is restarted")


LAST = max(path.name for path in (SOURCE / "sql").glob("[0-9]*.sql"))
PROGRAM = int(LAST[:4])
USER = "'hongbao_{}'@'localhost'"
# name: (context that plants the fault, part of what doctor prints, part of the fix)
FAULTS = {
    "settle stopped": (lambda s: stopped(s, "settle"), "settle: no process of it works", "systemctl restart hongbao-settle"),
    "pool stopped": (lambda s: stopped(s, "open"), "open pool: no process of it works", "systemctl restart"),
    "web server stopped": (lambda s: stopped(s, "lighttpd"), "web server: does not answer", "start it"),
    "web server hangs": (lambda s: hanging(s, "lighttpd"), "web server: does not answer", "start it"),
    "web server cannot reach the pools": (lambda s: moved(s.directory / "run/query.sock"), "web server: GET /readyz is 50", "group"),
    "patch missing": (unapplied, "0098_trial.sql: is not applied", "hongbaoctl migrate"),
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
    "token.key malformed": (lambda s: bad_key(s, "token", b"nonsense\n"), "token.key: ", "hongbaoctl init"),
    "wallet.key is token.key": (lambda s: bad_key(s, "wallet", (s.directory / "secrets/token.key").read_bytes()),
                                "wallet.key: {0}/secrets/token.key\n", "a key in common"),
    "key mode 0444": (lambda s: mode(s.directory / "secrets/ticket.key", 0o444), "ticket.key", "chmod 0400"),
    "secrets directory 0755": (lambda s: mode(s.directory / "secrets", 0o755), "others can look into it", "chmod 0700"),
    "cache socket 0777": (cache_socket, "cache.sock: others can connect", "-a 0660"),
    "pool socket 0777": (lambda s: mode(s.directory / "run/open.sock", 0o777), "open.sock: others can connect", "chmod 0660"),
    "memcached stopped": (lambda s: stopped(s, "memcached"), "[cache] servers: error", "start memcached"),
    "marker directory unreadable": (lambda s: mode(s.directory / "markers", 0o700), "may not look into the directory", "chmod o+rx"),
    "backup restored without restored": (restored_without_a_word, "1 of 1 state an end that the database does not have", "hongbaoctl restored"),
    "settings changed": (lambda s: settings(s, "[limits]", "[limits]\nshares_max = 7"),
                         "send pool: runs with other settings than the file has", "restart it"),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_is_found_and_its_fix_works(own, name):
    plant, found, fix = FAULTS[name]
    well(own)
    found = found.format(own.directory)
    with plant(own):
        done = wait_until(lambda: (d := doctor(own)) and found in d.stdout and d, 15, lambda: f"{name}: {doctor(own).stdout}")
        assert done.returncode == 1
        at = done.stdout.index(found)
        assert fix in done.stdout[at:].split("mend: ", 1)[1].split("\n", 1)[0]
    well(own)


CONFIGS = {
    "replica nowhere": ("[database]", "replica_socket = /nowhere/replica.sock", "[database] replicas, /nowhere/replica.sock: error 2002"),
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


def test_log_directory_is_made(own, tmp_path):
    config = tmp_path / "hongbao.conf"
    config.write_text((own.directory / "hongbao.conf").read_text().replace(f"log_dir = {own.directory}/log", f"log_dir = {tmp_path}/log"))
    assert "[site] log_dir: is no directory\n    mend: create it" in doctor(own, config).stdout
    (tmp_path / "log").mkdir()
    assert "log_dir" not in doctor(own, config).stdout


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
        assert "database, as administrator: error 1040" not in done.stdout or "mend: start the server" not in done.stdout
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
    assert "\n    mend: set demo = no where the money is real\n" in done.stdout


class Nobody:
    """A query pool, and a web server, of a user without rights."""
    AS = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")

    def __init__(self, service):
        self.service, self.folder = service, pathlib.Path(tempfile.mkdtemp(prefix="hb-nobody-", dir="/tmp"))
        self.config = self.folder / "hongbao.conf"
        for name in ("query.cnf", "token.key", "guest.key"):
            shutil.copy(service.directory / "secrets" / name, self.folder)
        text = (service.directory / "hongbao.conf").read_text()
        for old in ("secrets/query.cnf", "secrets/token.key", "secrets/guest.key", "run/query.sock"):
            text = text.replace(f"{service.directory}/{old}", f"{self.folder}/{old.split('/')[1]}")
        text = text.replace(f"log_dir = {service.directory}/log", f"log_dir = {self.folder}")
        self.config.write_text(text.replace(f"run_dir = {service.directory}/run", f"run_dir = {self.folder}"))
        self.config.chmod(0o644)
        for path in (self.folder, *self.folder.iterdir()):
            shutil.chown(path, "nobody", "nogroup")
        self.port = free_port()
        self.processes = [subprocess.Popen([*self.AS, *command], stderr=subprocess.DEVNULL) for command in (
            (f"{BUILD}/hongbao-query", "--config", str(self.config)),
            ("/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", str(self.port)))]

    def __enter__(self):
        self.service.directory.chmod(0o711)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.wait()
        self.service.directory.chmod(0o700)
        shutil.rmtree(self.folder)


@pytest.mark.needs("root", "setpriv")
def test_looks_as_the_users_of_programs_and_web_server(own):
    """Root may read and connect to everything: only as the user itself it is seen what that user may not."""
    with Nobody(own) as other:
        def finds(text):
            return text in doctor(own, other.config).stdout
        wait_until(lambda: not finds("query pool: no process of it works"), 30, "the pool works")
        names = ("query.cnf", "token.key", "guest.key")
        secrets = [f"{other.folder}/{name}: nobody (query pool) may not read it\n    mend: chown it to that user" for name in names]
        config = f"{other.config}: nobody (query pool) may not read it\n    mend: chmod 0644"
        right = doctor(own, other.config).stdout
        assert not any(found in right for found in (*secrets, config))
        for name in names:
            shutil.chown(other.folder / name, "root")
        shutil.chown(other.config, "root")
        other.config.chmod(0o600)
        wrong = doctor(own, other.config).stdout
        assert all(found in wrong for found in (*secrets, config)), wrong
        other.config.chmod(0o644)
        for name in names:
            shutil.chown(other.folder / name, "nobody")
        assert doctor(own, other.config).stdout == right
        found = "cache.sock: nobody (query pool) may not use it\n    mend: add that user to the group of the socket"
        assert finds(found)
        shutil.chown(own.directory / "run/cache.sock", None, "nogroup")
        assert not finds(found)
        shutil.chown(own.directory / "run/cache.sock", None, "root")
        assert finds("web server: runs as root\n    mend: set its user: server.username (lighttpd)")
        other.config.write_text(other.config.read_text().replace(f":{own.port}/", f":{other.port}/"))
        found = "run/open.sock: nobody (web server) may not use it\n    mend: add that user to the group of the socket"
        assert finds(found) and not finds("web server: runs as root")
        shutil.chown(own.directory / "run/open.sock", None, "nogroup")
        assert not finds(found)
        shutil.chown(own.directory / "run/open.sock", None, "root")
