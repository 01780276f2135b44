"""The version of the schema: programs refuse tables that do not fit them, and say so."""
import json
import subprocess

import pytest

from client import Client
from service import BUILD, SOURCE, Service, wait_until

PROGRAM = max(int(path.name[:4]) for path in (SOURCE / "sql").glob("[0-9]*.sql"))


@pytest.fixture(scope="module")
def own():
    s = Service()
    s.start()
    s.ctl("topup", "alice", 1000)
    s.alice = Client(s, s.token("alice"))
    yield s
    s.alice.close()
    s.remove()


def ready(service):
    client = Client(service)
    answer = client.get("/readyz")
    client.close()
    return answer


def events(service, pool, event):
    lines = (service.directory / f"log/{pool}.log").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line.get("event") == event]


def restart_pools(service):
    for pool in ("send", "grab", "open", "query", "settle"):
        service.kill_and_wait(pool)


OLDER = (f"DELETE FROM schema_version WHERE version = {PROGRAM}",
         f"INSERT INTO schema_version (version, applied_us, oldest) VALUES ({PROGRAM}, 0, 4)")
NEWER = ("INSERT INTO schema_version (version, applied_us) VALUES (99, 0)", "DELETE FROM schema_version WHERE version = 99")


@pytest.mark.parametrize("wrong, right", [OLDER, NEWER])
def test_wrong_schema_is_refused_and_named(own, wrong, right):
    before = len(events(own, "open", "schema_wrong"))
    own.sql(wrong)
    version = int(own.sql("SELECT MAX(version) FROM schema_version")[0][0])
    text = f"the database has schema version {version}, this program needs {PROGRAM}"
    try:
        running = own.alice.send(10, 1)
        assert running.status == 201  # processes that have started go on
        assert text in ready(own).json["detail"]
        restart_pools(own)
        wait_until(lambda: len(events(own, "open", "schema_wrong")) > before, 10, "the pool has noticed")
        wait_until(lambda: events(own, "settle", "schema_wrong"), 10, "settle has noticed")
        wait_until(lambda: text in ready(own).json.get("detail", ""), 10, "not ready, and why")
        assert own.alice.get("/v1/me").status == 503 and own.alice.send(10, 1).status == 503
        assert text in events(own, "open", "schema_wrong")[-1]["detail"]
        done = own.ctl("show", "alice", check=False)
        assert done.returncode == 4 and text in done.stderr and "migrate" in done.stderr
        assert own.metrics()["hongbao_schema_version"] == version
    finally:
        own.sql(right)
    wait_until(lambda: ready(own).status == 200, 10, "ready again, without a restart")
    wait_until(lambda: own.alice.send(10, 1).status == 201, 10, "sends again")
    logged = len(events(own, "open", "schema_wrong")) - before
    assert 1 <= logged <= 2 * len(own.workers("open"))  # once per process, not once per try


def test_newer_tables_that_keep_older_programs_working_are_accepted(own):
    own.sql(f"INSERT INTO schema_version (version, applied_us, oldest) VALUES (99, 0, {PROGRAM})")
    try:
        restart_pools(own)
        wait_until(lambda: ready(own).status == 200, 10, "ready")
        assert own.alice.get("/v1/me").status == 200
    finally:
        own.sql("DELETE FROM schema_version WHERE version = 99")


def test_the_programs_know_the_last_patch():
    assert f"#define SCHEMA_VERSION {PROGRAM} " in (SOURCE / "lib/store/store_state.h").read_text()


def test_failed_patch_is_named_and_can_be_repeated(own, tmp_path):
    """A patch that fails prints the server's error and leaves those before it; a missing one in between is applied."""
    patches = tmp_path / "sql"
    patches.mkdir()
    for path in (SOURCE / "sql").iterdir():
        (patches / path.name).write_bytes(path.read_bytes())
    config = tmp_path / "hongbao.conf"
    config.write_text((own.directory / "hongbao.conf").read_text().replace(str(SOURCE / "sql"), str(patches)))

    def migrate():
        return subprocess.run([f"{BUILD}/hongbaoctl", "--config", config, "migrate"], capture_output=True, text=True,
                              timeout=60, check=False)

    (patches / "0098_trial.sql").write_text(f"-- Works with the programs of schema {PROGRAM}: it only adds.\n"
                                            "CREATE TABLE IF NOT EXISTS trial (a INT); -- one; two\n"
                                            "INSERT INTO trial SELECT 1 FROM DUAL WHERE ';' = '--';\n"
                                            "-- a comment\nALTER TABLE nowhere\n  ADD b INT;\nDROP TABLE trial;\n")
    try:
        failed = migrate()
        assert failed.returncode == 4 and "0098_trial.sql" in failed.stderr and "error 1146" in failed.stderr
        assert "statement 3, ALTER TABLE nowhere ADD b INT: " in failed.stderr, failed.stderr
        assert ready(own).status == 200
        (patches / "0098_trial.sql").write_text(f"-- Works with the programs of schema {PROGRAM}: it only adds.\n"
                                                "CREATE TABLE IF NOT EXISTS trial (a INT);\n")
        done = migrate()
        assert done.returncode == 0 and done.stdout == "applied 0098_trial.sql\n"
        assert own.sql("SELECT oldest FROM schema_version WHERE version = 98") == [[str(PROGRAM)]]
        own.kill_and_wait("open")
        wait_until(lambda: ready(own).status == 200, 10, "programs of this version work with it")
    finally:
        own.sql("DROP TABLE IF EXISTS trial; DELETE FROM schema_version WHERE version = 98")
