"""The database on another host: users for the hosts named by a setting, over TCP, with TLS."""
import configparser
import re
import shutil
import signal
import subprocess

import pytest

from client import Client
from service import SLOW, Service, free_port, new_directory, wait_until

ROLES = ("send", "grab", "open", "query", "settle", "audit", "support", "desk")
POOLS = ("send", "grab", "open", "query")


def make_certificates(folder):
    """Make two authorities, and a certificate of the first for 127.0.0.1."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1, DNS:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "server.pem")


class Remote(Service):
    """An installation whose MariaDB also listens on a port, with TLS."""

    def __init__(self):
        super().__init__(["database.client_hosts=localhost, 127.0.0.1"])
        self.keys_folder, self.database_port = new_directory("hb-tls-"), free_port()
        make_certificates(self.keys_folder)

    def start_command(self, *more):
        arguments = ("--skip-networking=0", "--bind-address=127.0.0.1", f"--port={self.database_port}",
                     f"--ssl-cert={self.keys_folder}/server.pem", f"--ssl-key={self.keys_folder}/server.key")
        return super().start_command(*more, *(word for a in arguments for word in ("--mariadb", a)))

    def remove(self):
        super().remove()
        shutil.rmtree(self.keys_folder)

    def set(self, **settings):
        """Change settings of [database], or [admin], and let the programs read them."""
        path, config = self.directory / "hongbao.conf", configparser.ConfigParser(interpolation=None)
        config.read(path)
        for name, value in settings.items():
            section, name = ("admin", "credentials") if name == "admin_credentials" else ("database", name)
            config[section][name] = str(value)
        with path.open("w", encoding="utf-8") as file:
            config.write(file)
        old = {pool: set(self.workers(pool)) for pool in POOLS}
        for name in (*POOLS, "settle"):
            self.signal(name, signal.SIGHUP)
        for pool, workers in old.items():
            wait_until(lambda p=pool, w=workers: not w & set(self.workers(p)), 15 * SLOW, f"workers of {pool} are replaced")


@pytest.fixture(scope="module")
def remote():
    s = Remote()
    s.start()
    s.ctl("topup", "alice", "1000.00")
    s.sql("CREATE USER admin@127.0.0.1 IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO admin@127.0.0.1 WITH GRANT OPTION")
    (s.directory / "secrets/admin.cnf").write_text("[client]\nuser = admin\npassword = secret\n")
    (s.directory / "secrets/admin.cnf").chmod(0o600)
    s.set(socket="", host="127.0.0.1", port=s.database_port, tls_ca=f"{s.keys_folder}/ca.pem",
          admin_credentials=f"{s.directory}/secrets/admin.cnf")
    s.sql("SET GLOBAL require_secure_transport = ON")
    yield s
    s.remove()


def connected_from(service):
    return {(user, host.split(":")[0]) for user, host in
            service.sql("SELECT user, host FROM information_schema.processlist WHERE user LIKE 'hongbao%'")}


def test_users_for_each_host(remote):
    for role in ROLES:
        rows = remote.sql(f"SELECT host FROM mysql.user WHERE user = 'hongbao_{role}' ORDER BY host")
        assert rows == [["127.0.0.1"], ["localhost"]], role


def test_flow_over_tls(remote):
    alice = Client(remote, remote.token("alice"))
    bob = Client(remote, remote.token("bob"))
    envelope = wait_until(lambda: alice.send(100, 1), 5, "a send").json["id"]
    assert bob.claim(envelope).state == "opened"
    wait_until(lambda: bob.get("/v1/me").json["balance"] == 100, 10 * SLOW, "the credit is booked")
    wait_until(lambda: {host for _, host in connected_from(remote)} == {"127.0.0.1"}, 15, lambda: f"no session uses the socket: {connected_from(remote)}")
    assert {user for user, _ in connected_from(remote)} >= {f"hongbao_{role}" for role in ("send", "open", "query", "settle")}


def test_operator_commands_over_tls(remote):
    assert remote.audit() == {}
    for command in (["init"], ["migrate"], ["show", "alice"]):
        remote.ctl(*command)
    remote.ctl("rotate", "query", "add")
    remote.ctl("rotate", "query", "drop")
    found = remote.ctl("doctor", check=False).stdout
    assert "hongbao_" not in found and ".cnf" not in found and "administrator" not in found, found


def test_privileges_at_another_host_are_checked(remote):
    remote.sql("REVOKE SELECT ON hongbao.claim FROM hongbao_query@127.0.0.1")
    assert "privileges are missing" in remote.ctl("doctor", check=False).stdout
    remote.ctl("migrate")
    assert "privileges are missing" not in remote.ctl("doctor", check=False).stdout


def test_server_of_another_authority_is_refused(remote):
    remote.set(tls_ca=f"{remote.keys_folder}/other.pem")
    alice = Client(remote, remote.token("alice"))
    answer = alice.send(100, 1)
    assert (answer.status, answer.code) == (503, "unavailable")
    assert "certificate" in remote.ctl("doctor", check=False).stdout
    remote.set(tls_ca=f"{remote.keys_folder}/ca.pem")
    wait_until(lambda: alice.send(100, 1).status == 201, 10, "sends work again")


@pytest.mark.parametrize("hosts", ["", "a b", "10.0.0.'", ",".join(f"h{i}" for i in range(17))])
def test_bad_hosts_are_refused(remote, hosts):
    path = remote.directory / "bad.conf"
    text = (remote.directory / "hongbao.conf").read_text()
    path.write_text(re.sub(r"(?m)^client_hosts = .*$", f"client_hosts = {hosts}", text))
    done = subprocess.run([f"{remote.directory}/hongbaoctl", "--config", str(path), "init"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode != 0 and "client_hosts" in done.stdout
