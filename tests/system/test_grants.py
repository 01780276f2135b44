"""Each pool's database user is refused what the pool does not need."""
import subprocess
import threading

import pytest

from swarm import Request, Swarm, send_request

FORBIDDEN = {
    "send": ["SELECT seed FROM seed", "DELETE FROM account", "DELETE FROM transfer", "UPDATE transfer SET amount_fen = 1",
             "UPDATE envelope SET state = 2", "DELETE FROM envelope", "INSERT INTO claim VALUES (X'00', 'a', 'a', 1, 1, 1)",
             "SELECT * FROM credit", "UPDATE meta SET generation = X'00'", "DELETE FROM idempotency"],
    "grab": ["SELECT seed FROM seed", "SELECT * FROM seed", "UPDATE envelope SET state = 2", "UPDATE account SET balance_fen = 1",
             "SELECT * FROM account", "SELECT * FROM claim", "INSERT INTO barrier VALUES (99, 0)", "SELECT * FROM transfer"],
    "open": ["INSERT INTO envelope (id) VALUES (X'00')", "INSERT INTO account (user_id) VALUES ('a')",
             "DELETE FROM claim", "UPDATE claim SET amount_fen = 1", "DELETE FROM credit", "SELECT * FROM idempotency",
             "UPDATE transfer SET amount_fen = 1", "DELETE FROM transfer", "DELETE FROM envelope"],
    "query": ["SELECT seed FROM seed", "SELECT * FROM seed", "UPDATE account SET balance_fen = 1", "DELETE FROM claim",
              "UPDATE envelope SET state = 2", "INSERT INTO barrier VALUES (99, 0)", "DELETE FROM seed",
              "INSERT INTO transfer (user_id) VALUES ('a')", "SELECT * FROM idempotency"],
    "settle": ["INSERT INTO envelope (id) VALUES (X'00')", "DELETE FROM envelope", "UPDATE transfer SET amount_fen = 1",
               "DELETE FROM transfer", "DELETE FROM account", "UPDATE claim SET amount_fen = 1", "DELETE FROM claim",
               "INSERT INTO claim (user_id) VALUES ('a')", "INSERT INTO seed (seed) VALUES (X'00')",
               "UPDATE seed SET seed = X'00'", "UPDATE meta SET generation = X'00'"],
    "audit": ["UPDATE account SET balance_fen = 1", "DELETE FROM claim", "INSERT INTO meta VALUES (2, X'00')",
              "UPDATE envelope SET state = 2", "DELETE FROM transfer", "UPDATE barrier SET passes = 0"],
}
EVERYBODY = ["DROP TABLE account", "CREATE TABLE x (a INT)", "ALTER TABLE account ADD x INT", "TRUNCATE claim",
             "GRANT ALL ON *.* TO CURRENT_USER", "SELECT * FROM mysql.global_priv", "SET GLOBAL local_infile = 1"]
ALLOWED = {
    "send": "SELECT COUNT(*) FROM account", "grab": "SELECT COUNT(*) FROM envelope", "open": "SELECT COUNT(*) FROM seed WHERE seed <> ''",
    "query": "SELECT COUNT(envelope_id), MAX(expires_us) FROM seed", "settle": "SELECT COUNT(*) FROM credit",
    "audit": "SELECT COUNT(*) FROM seed",
}


def run(service, role, statement):
    return subprocess.run(["mariadb", f"--defaults-file={service.directory}/secrets/{role}.cnf", "-S",
                           f"{service.directory}/run/db.sock", "hongbao", "-e", statement],
                          capture_output=True, text=True, check=False)


@pytest.mark.parametrize("role", sorted(FORBIDDEN))
def test_forbidden_statements_are_refused(service, role):
    assert run(service, role, ALLOWED[role]).returncode == 0
    for statement in FORBIDDEN[role] + EVERYBODY:
        done = run(service, role, statement)
        assert done.returncode != 0 and ("denied" in done.stderr), (role, statement, done.stderr, done.stdout)


def test_init_changes_only_what_differs(user, service):
    """What is missing is granted, what is too much is revoked, and nothing is refused to the pools meanwhile."""
    alice = user(money=100000)
    service.sql("GRANT DELETE ON hongbao.transfer TO 'hongbao_send'@'localhost'; "
                "GRANT UPDATE (name) ON hongbao.account TO 'hongbao_query'@'localhost'; "
                "GRANT SELECT ON hongbao.* TO 'hongbao_grab'@'localhost'; "
                "GRANT PROCESS ON *.* TO 'hongbao_open'@'localhost'; "
                "GRANT INSERT ON hongbao.claim TO 'hongbao_audit'@'localhost'; "
                "REVOKE DELETE ON hongbao.idempotency FROM 'hongbao_settle'@'localhost'")
    service.ctl("migrate")
    assert service.sql("SELECT COUNT(*) FROM information_schema.table_privileges WHERE table_name = 'idempotency' AND "
                       "privilege_type = 'DELETE' AND grantee = \"'hongbao_settle'@'localhost'\"") == [["1"]]
    service.ctl("init")
    assert service.sql(
        "SELECT grantee FROM information_schema.table_privileges WHERE (table_name = 'transfer' AND privilege_type = 'DELETE') "
        "OR (grantee LIKE '%audit%') UNION ALL SELECT grantee FROM information_schema.user_privileges WHERE "
        "grantee LIKE '%hongbao_%' AND privilege_type <> 'USAGE' UNION ALL SELECT grantee FROM "
        "information_schema.schema_privileges WHERE grantee LIKE '%grab%' UNION ALL SELECT grantee FROM "
        "information_schema.column_privileges WHERE privilege_type = 'UPDATE' AND grantee LIKE '%query%'") == []
    assert alice.send(10, 1).status == 201


def test_init_under_traffic_refuses_nothing(user, service):
    alice = user(money=1000000)
    swarm = Swarm(service)
    stop, statuses = threading.Event(), []

    def traffic():
        number = 0
        while not stop.is_set():
            number += 1
            envelope = send_request(alice.token, 10, 1, f"traffic{number}")
            statuses.extend(a.status for a in swarm.fire([envelope, Request("GET", "/v1/me", alice.token)] * 4))

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        for _ in range(6):
            service.ctl("init")
    finally:
        stop.set()
        thread.join()
        swarm.close()
    assert len(statuses) > 100 and not [s for s in statuses if s >= 500]
