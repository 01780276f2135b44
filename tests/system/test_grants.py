"""Each pool's database user is refused what the pool does not need."""
import subprocess

import pytest

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
