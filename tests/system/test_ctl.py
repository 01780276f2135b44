"""hongbaoctl: every command, its help and its exit codes."""
import json
import os
import subprocess
import uuid

import pytest

from client import Client
from service import BUILD

DONE, WRONG, USAGE, UNAVAILABLE = 0, 1, 2, 3
COMMANDS = ["init", "migrate", "token", "topup", "withdraw", "show", "close", "user", "envelope", "history", "totals", "report", "export", "audit", "verify", "restored", "doctor",
            "config-example"]


def plain(*arguments):
    """Run hongbaoctl without the wrapper script and its settings."""
    return subprocess.run([f"{BUILD}/hongbaoctl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def test_help():
    everything = plain("--help")
    assert everything.returncode == DONE and "Exit codes" in everything.stdout
    for command in COMMANDS:
        assert f"  {command} " in everything.stdout
        one = plain(command, "--help")
        assert one.returncode == DONE and one.stdout.startswith(f"Usage: hongbaoctl {command}")
    assert plain("--version").stdout.strip()
    for program in ("hongbao-send", "hongbao-grab", "hongbao-open", "hongbao-query", "hongbao-settle"):
        for option in ("--help", "--version"):
            done = subprocess.run([f"{BUILD}/{program}", option], capture_output=True, text=True, check=False)
            assert done.returncode == DONE and done.stdout
        for bad in ("--nonsense", "extra"):
            done = subprocess.run([f"{BUILD}/{program}", bad], capture_output=True, text=True, check=False)
            assert done.returncode == USAGE


def test_usage():
    for arguments in ([], ["nonsense"], ["--nonsense"], ["--config", "/nowhere", "show", "alice"]):
        assert plain(*arguments).returncode == USAGE, arguments


@pytest.mark.parametrize("arguments", [
    ["init", "x"], ["migrate", "x"], ["token"], ["token", "a b"], ["token", "guest:1"], ["token", "a", "--ttl", "0"],
    ["token", "a", "--ttl", "x"], ["token", "a", "--name", ""], ["token", "a", "--name", "x" * 33],
    ["token", "a", "--name", "\u202e"], ["token", "a", "--groups", "a\nb"], ["token", "a", "b"], ["topup"],
    ["topup", "a"], ["topup", "a", "0"], ["topup", "a", "-1"], ["topup", "a", "1.0"], ["topup", "a", "x"],
    ["topup", "a b", "1"], ["topup", "a", "1", "2"], ["topup", "a", "1", "--ref", ""], ["topup", "a", "1", "--ref", "a b"],
    ["withdraw", "a"], ["withdraw", "a", "0"], ["show"], ["show", "a b"], ["show", "a", "b"], ["close"], ["close", "x"],
    ["audit", "--xml"], ["verify"], ["restored", "x"], ["doctor", "x"]])
def test_wrong_usage(service, arguments):
    done = service.ctl(*arguments, check=False)
    assert done.returncode == USAGE and done.stderr and not done.stdout


def test_init_and_migrate_are_safe_to_repeat(service, user):
    alice = user(money=10)
    keys = {p.name: p.read_bytes() for p in (service.directory / "secrets").iterdir()}
    generation = service.sql("SELECT HEX(generation) FROM meta")
    for command in ("migrate", "migrate", "init", "init"):
        assert "applied" not in service.ctl(command).stdout
    assert {p.name: p.read_bytes() for p in (service.directory / "secrets").iterdir()} == keys
    assert service.sql("SELECT HEX(generation) FROM meta") == generation
    assert alice.send(10, 1).status == 201  # the pools still work


def test_token(service, anybody):
    text = service.ctl("token", "ctl-user", "--name", "小红", "--groups", "g1,g2", "--ttl", 60).stdout.strip()
    me = anybody.get("/v1/me", token=text).json
    assert (me["user"], me["name"]) == ("ctl-user", "小红")
    wallet = service.ctl("token", "--wallet", "backend").stdout.strip()
    assert anybody.get("/v1/me", token=wallet).code == "unauthorized"  # only the send pool has that key
    body = {"user": "ctl-user", "amount": 5, "reference": uuid.uuid4().hex}
    assert anybody.request("POST", "/v1/topups", body, {"Idempotency-Key": "ctl"}, token=wallet).status == 201


def test_money(service):
    user, ref = uuid.uuid4().hex, uuid.uuid4().hex
    assert f"{user} has 100 fen" in service.ctl("topup", user, 100, "--ref", ref).stdout
    assert f"{user} has 100 fen" in service.ctl("topup", user, 100, "--ref", ref).stdout  # repeating does nothing
    assert service.ctl("topup", user, 101, "--ref", ref, check=False).returncode == WRONG
    assert f"{user} has 60 fen" in service.ctl("withdraw", user, 40).stdout
    assert service.ctl("withdraw", user, 61, check=False).returncode == WRONG
    assert service.ctl("withdraw", "nobody" + user, 1, check=False).returncode == WRONG
    assert json.loads(service.ctl("show", user).stdout)["balance"] == 60
    assert service.ctl("show", "nobody" + user, check=False).returncode == WRONG


def test_show_close_verify(user, service):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 3).json["id"]
    won = bob.grab_and_open(envelope).json["amount"]
    shown = json.loads(service.ctl("show", envelope).stdout)
    assert shown["state"] == "open" and shown["seed"] is None and len(shown["claims"]) == 1
    assert service.ctl("verify", envelope, check=False).returncode == WRONG  # its seed is still secret
    closed = service.ctl("close", envelope).stdout
    assert f"1 of 3 shares opened, {100 - won} fen refunded" in closed
    assert service.ctl("close", envelope).stdout == closed  # closing again changes nothing
    assert alice.get("/v1/me").json["balance"] == 1000 - won
    assert user().grab(envelope).state == "expired"
    assert alice.envelope(envelope).json["state"] == "expired"
    assert service.ctl("verify", envelope).stdout == "1 envelopes, 0 wrong\n"
    unknown = "01a20d63-04ab-7000-b431-b856e67a7b86"
    for command in ("show", "close", "verify"):
        assert service.ctl(command, unknown, check=False).returncode == WRONG


def test_doctor(service):
    assert service.ctl("doctor").stdout.endswith(" 0 findings\n")
    path = service.directory / "secrets/ticket.key"
    os.chmod(path, 0o644)
    try:
        done = service.ctl("doctor", "--json", check=False)
        finding, = json.loads(done.stdout)["findings"]
        assert done.returncode == WRONG and finding["what"] == str(path) and "chmod" in finding["mend"]
    finally:
        os.chmod(path, 0o400)
    old = service.sql("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")[0][0]
    service.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    try:
        done = service.ctl("doctor", check=False)
        assert done.returncode == WRONG and "innodb_flush_log_at_trx_commit" in done.stdout and "mend:" in done.stdout
    finally:
        service.sql(f"SET GLOBAL innodb_flush_log_at_trx_commit = {old}")
    assert service.ctl("doctor").returncode == DONE


def test_unavailable_server(service, tmp_path):
    config = tmp_path / "hongbao.conf"
    text = (service.directory / "hongbao.conf").read_text()
    config.write_text(text.replace(f"{service.directory}/run/db.sock", f"{tmp_path}/nothing.sock"))
    for command in (["show", "alice"], ["topup", "alice", 1], ["audit"], ["migrate"], ["init"],
                    ["close", "01a20d63-04ab-7000-b431-b856e67a7b86"], ["verify", "--all"], ["restored", "--force"]):
        assert plain("--config", config, *command).returncode == UNAVAILABLE, command
    assert plain("--config", config, "doctor").returncode == WRONG
    assert plain("--config", config, "token", "alice").returncode == DONE  # needs no server


def test_settings_are_checked(service, tmp_path):
    text = (service.directory / "hongbao.conf").read_text()
    for bad in ("[limits]\nshares_max = 0\n", "[limits]\nshares_max = x\n", "[limits]\nnonsense = 1\n", "[nonsense]\nx = 1\n",
                "[site]\ndemo = perhaps\n"):
        config = tmp_path / "hongbao.conf"
        config.write_text(text + bad)
        done = plain("--config", config, "show", "alice")
        assert done.returncode == USAGE and done.stderr, bad
    assert plain("config-example").stdout.startswith("# hongbao.conf")
