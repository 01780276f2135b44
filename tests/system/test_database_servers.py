"""Several database servers: the first that can be written is used, and left when it cannot any more."""
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from client import Client
from retrying import Retrying
from service import SLOW, SOURCE, Service, free_port, listens, new_directory, wait_until

SETTINGS = ("--skip-networking=0", "--bind-address=127.0.0.1", "--log-bin=binlog", "--binlog-format=ROW", "--sync-binlog=1",
            "--log-slave-updates", "--gtid-strict-mode=ON")


class Pair(Service):
    """An installation with a primary, which ./start runs, and a replica of it, which is read-only."""

    def __init__(self, reads=False):
        """reads: the replica serves histories, and is no other primary."""
        self.folder = new_directory("hb-replica-")
        directory = new_directory()
        super().__init__([f"database.replicas={self.folder}/sock", "database.replica_lag=2"] if reads else
                         [f"database.servers={directory}/run/db.sock, {self.folder}/sock"], directory)
        self.database_port, self.replica = free_port(), None

    def start_command(self, *more):
        arguments = (*SETTINGS, f"--port={self.database_port}", "--server-id=1")
        return super().start_command(*more, *(word for a in arguments for word in ("--mariadb", a)))

    def run_replica(self):
        self.replica = subprocess.Popen(
            ["mariadbd", "--no-defaults", "--user=root", f"--datadir={self.folder}/db", f"--socket={self.folder}/sock", *SETTINGS,
             f"--port={free_port()}", "--server-id=2", "--read-only=1", "--skip-name-resolve", "--innodb-buffer-pool-size=64M",
             f"--pid-file={self.folder}/pid"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ping = ["mariadb-admin", "--no-defaults", f"--socket={self.folder}/sock", "ping"]
        wait_until(lambda: subprocess.run(ping, capture_output=True, check=False).returncode == 0, 60, "the replica runs")

    def pair_up(self):
        """Start, copy the data directory to the replica, and let it follow."""
        self.start()
        self.ctl("topup", "alice", "100000.00")
        self.sql("CREATE USER replica@127.0.0.1 IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE ON *.* TO replica@127.0.0.1")
        self.stop()
        shutil.copytree(self.directory / "db", self.folder / "db")
        self.start()
        self.run_replica()
        position = self.sql("SELECT @@global.gtid_binlog_pos")[0][0]
        self.replica_sql(f"SET GLOBAL gtid_slave_pos = '{position}'; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'replica', "
                         f"MASTER_PASSWORD = 'secret', MASTER_PORT = {self.database_port}, MASTER_USE_GTID = slave_pos; START SLAVE")
        return self

    def replica_sql(self, text):
        done = subprocess.run(["mariadb", "--no-defaults", "-S", f"{self.folder}/sock", "-N", "-B", "-e", text],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def promote(self, planned=False, check=True, wait_s=60):
        """As an operator does. planned: the primary is alive."""
        options = []
        for name, socket in (("replica", f"{self.folder}/sock"), ("primary", f"{self.directory}/run/db.sock")):
            options.append(self.folder / f"{name}.cnf")
            options[-1].write_text(f"[client]\nsocket = {socket}\n")
        return subprocess.run([SOURCE / "scripts/promote", *options[:2 if planned else 1]], check=check, text=True, timeout=120,
                              capture_output=True, env={**os.environ, "WAIT_S": str(wait_s)})

    def sessions_at_work(self):
        """Number of the programs' sessions that still do something at the primary of the start."""
        return int(self.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE user LIKE 'hongbao%' AND "
                            "time_ms < 1000 AND info IS NOT NULL")[0][0])

    def remove(self):
        self.replica.terminate()
        self.replica.wait(60)
        super().remove()
        shutil.rmtree(self.folder)


@pytest.fixture
def pair():
    s = Pair().pair_up()
    yield s
    s.remove()


def stored(pair):
    """Envelopes and claims at the server that was the replica."""
    return {row[0] for row in pair.replica_sql("SELECT LOWER(HEX(id)) FROM hongbao.envelope")}


def test_planned_switch_over_loses_nothing(pair):
    with Retrying(pair) as load:
        load.goes_on("the primary serves")
        pair.promote(planned=True)
        load.goes_on("the new primary serves")
        assert pair.sessions_at_work() == 0
    assert load.wrong == []
    assert load.longest_s < 3 * SLOW
    assert {envelope.replace("-", "") for envelope in load.done} <= stored(pair)
    assert pair.audit() == {}


def test_readyz_where_nothing_can_be_written(pair):
    anybody = Client(pair)
    wait_until(lambda: anybody.get("/readyz").status == 200, 10, "ready")
    pair.sql("SET GLOBAL read_only = 1")
    wait_until(lambda: anybody.get("/readyz").status == 503, 10, "not ready")
    alice = Client(pair, pair.token("alice"))
    assert alice.get("/v1/me").json["balance"] == 10000000, "what can be read is"
    assert alice.send(1, 1).status == 503
    pair.promote()
    wait_until(lambda: anybody.get("/readyz").status == 200, 10 * SLOW, "ready again")
    assert alice.send(1, 1).status == 201


def test_promotion_that_fails_changes_nothing(pair):
    alice = Client(pair, pair.token("alice"))
    pair.replica_sql("STOP SLAVE SQL_THREAD")
    assert alice.send(1, 1).status == 201
    done = pair.promote(planned=True, check=False, wait_s=1)
    assert done.returncode == 1 and "has not applied" in done.stderr
    assert pair.sql("SELECT @@global.read_only") == [["0"]] and pair.replica_sql("SELECT @@global.read_only") == [["1"]]
    wait_until(lambda: alice.send(1, 1).status == 201, 10 * SLOW, "the primary serves")


def test_killed_primary_is_replaced(pair):
    with Retrying(pair) as load:
        load.goes_on("the primary serves")
        pair.signal("start", signal.SIGSTOP)  # it would start the primary again
        os.kill(pair.pid("mariadb"), signal.SIGKILL)
        time.sleep(1)
        assert "hongbaoctl restored" in pair.promote().stdout
        load.goes_on("the new primary serves")
    assert load.wrong == []
    pair.signal("start", signal.SIGCONT)
    wait_until(lambda: listens(pair.directory / "run/db.sock"), 30 * SLOW, "the old primary is back")


@pytest.fixture
def reading():
    s = Pair(reads=True).pair_up()
    wait_until(lambda: s.metrics()["hongbao_replica_usable"] == 1, 20 * SLOW, "the replica is used")
    yield s
    if s.replica.poll() is None:
        s.replica.send_signal(signal.SIGCONT)
    s.remove()


def test_a_replica_that_lags_is_left(reading):
    alice, log = Client(reading, reading.token("alice")), reading.directory / "log/query.log"
    processes = len(reading.workers("query"))
    reading.replica_sql("STOP SLAVE SQL_THREAD")
    wait_until(lambda: log.read_text().count('"replica_left"') == processes, 15 * SLOW, "each process has left it")
    assert reading.metrics()["hongbao_replica_usable"] == 0
    sent = alice.send(7, 1).json["id"]
    assert alice.get("/v1/me/sent").json["items"][0]["id"] == sent
    assert alice.get("/v1/me/ledger").json["balance"] == alice.get("/v1/me").json["balance"]
    reading.replica_sql("START SLAVE SQL_THREAD")
    wait_until(lambda: reading.metrics()["hongbao_replica_usable"] == 1, 15 * SLOW, "it is used again")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_no_request_fails_with_the_replica(reading, how):
    """Killed or hanging: lists come from the primary, and what else comes from there goes on."""
    clients = [Client(reading, reading.token(f"user{i}")) for i in range(20)]
    statuses, ending = [], threading.Event()

    def ask(client):
        while not ending.is_set():
            for path in ("/v1/me/ledger", "/v1/me"):
                began = time.monotonic()
                statuses.append((path, client.get(path).status, time.monotonic() - began))
            time.sleep(0.5)
    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(1)
    os.kill(reading.replica.pid, how)
    time.sleep(6)
    ending.set()
    for thread in threads:
        thread.join()
    assert {status for _, status, _ in statuses} == {200} and len(statuses) > 100 / SLOW
    assert max(took for path, _, took in statuses if path == "/v1/me") < 2 * SLOW
    assert reading.metrics()["hongbao_replica_usable"] == 0
    found = reading.ctl("doctor", check=False).stdout
    assert f"[database] replicas, {reading.folder}/sock: error" in found
