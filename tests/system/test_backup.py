"""hongbaoctl backup and restore: money moves meanwhile, and all that was acknowledged before is there after."""
import re
import shutil
import signal
import subprocess

import pytest

from client import Client
from load import Load
from service import Service, wait_until


class Logged(Service):
    """An installation with a binary log, of which a restore can reach any point in time."""

    def start_command(self, *more):
        arguments = [f"--log-bin={self.directory}/binlog/log", "--binlog-format=ROW", "--sync-binlog=1", "--server-id=1"]
        return super().start_command(*more, *(word for a in arguments for word in ("--mariadb", a)))

    def socket(self):
        return f"--socket={self.directory}/run/db.sock"

    def position(self):
        """Return the file of the binary log and the position in it."""
        return self.sql("SHOW MASTER STATUS")[0][:2]

    def stop_programs(self):
        """Leave only the database, as an operator does during a restore."""
        self.stop()
        process = subprocess.Popen(["mariadbd", "--no-defaults", "--user=root", f"--datadir={self.directory}/db", self.socket(),
                                    "--skip-networking", "--skip-log-bin"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ping = ["mariadb-admin", "--no-defaults", self.socket(), "ping"]
        wait_until(lambda: subprocess.run(ping, capture_output=True, check=False).returncode == 0, 30, "mariadbd")
        return process

    def lose_everything(self):
        """What a new machine has: an empty database server, the binary logs, and none of the secrets."""
        self.stop()
        for name in ("db", "secrets", "markers"):
            shutil.rmtree(self.directory / name)
        (self.directory / "secrets").mkdir(mode=0o700)
        subprocess.run(["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={self.directory}/db", "--skip-test-db",
                        "--auth-root-authentication-method=socket"], check=True, capture_output=True)


@pytest.fixture
def own():
    s = Logged()
    (s.directory / "binlog").mkdir()
    s.start()
    s.ctl("topup", "alice", "100000.00")
    yield s
    s.remove()


def envelopes(service):
    return {row[0] for row in service.sql("SELECT LOWER(HEX(id)) FROM envelope")}


def found(service, ids):
    return {i.replace("-", "") for i in ids} <= envelopes(service)


def test_backup_stops_no_money_and_is_restored_on_a_new_machine(own, tmp_path):
    backup = tmp_path / "backup"
    with Load(own) as load:
        wait_until(lambda: len(load.envelopes) > 20, 30, "sends")
        before = list(load.envelopes)
        for n in range(3):  # the last is kept
            shutil.rmtree(backup, ignore_errors=True)
            own.ctl("backup", backup)
        seen = len(load.statuses)
        wait_until(lambda: len(load.statuses) > seen + 10, 30, "sends afterwards")
    assert len(load.statuses) > 100 and set(load.statuses) == {200, 201}
    assert backup.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in backup.iterdir())
    assert {path.name for path in backup.glob("*.key")} == {"token.key", "wallet.key", "guest.key", "ticket.key", "archive.key"}
    assert own.ctl("backup", backup, check=False).returncode == 4  # it replaces none
    assert own.ctl("restore", backup, check=False).returncode == 1  # pools run
    token = own.token("alice")

    # An accident at a known position of the binary log: what was acknowledged until then is to be restored.
    alice = Client(own, token)
    later = alice.send(10, 2).json["id"]
    alice.close()
    until = own.position()
    own.sql("DELETE FROM transfer; DELETE FROM account")
    own.lose_everything()
    server = own.stop_programs()
    try:
        (backup / "hongbao.sql").rename(tmp_path / "whole.sql")
        text = (tmp_path / "whole.sql").read_bytes()
        (backup / "hongbao.sql").write_bytes(text[:len(text) // 2])
        done = own.ctl("restore", backup, check=False)
        assert done.returncode == 4 and "is not complete" in done.stderr
        (tmp_path / "whole.sql").rename(backup / "hongbao.sql")
        (backup / "archive.key").unlink()  # as in a backup of a version that had no archives
        assert "new generation" in own.ctl("restore", backup).stdout
        assert found(own, before) and not found(own, [later])
        assert (own.directory / "secrets/archive.key").stat().st_mode & 0o777 == 0o400
        assert own.audit() == {}
        done = own.ctl("restore", backup, check=False)
        assert done.returncode == 4 and "has tables" in done.stderr
        # The rest from the binary log, as INSTALL describes.
        start = re.search(rb"MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+)", text)
        first, position = start.group(1).decode(), start.group(2).decode()
        logs = sorted(p for p in (own.directory / "binlog").glob("log.0*") if first <= p.name <= until[0])
        replay = subprocess.run(["mariadb-binlog", f"--start-position={position}", f"--stop-position={until[1]}", *logs],
                                capture_output=True, check=True).stdout
        subprocess.run(["mariadb", "--no-defaults", own.socket()], input=replay, check=True)
        own.ctl("restored")
        assert found(own, [*load.envelopes, later])
        assert own.audit() == {}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    own.start()
    alice = Client(own, token)  # signed with the key that was restored
    assert alice.envelope(later).status == 200 and alice.send(10, 1).status == 201
    alice.close()
    wait_until(lambda: own.ctl("doctor", check=False).returncode == 0, 20, own.ctl("doctor", check=False).stdout)
    assert own.audit() == {}
