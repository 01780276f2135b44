"""Three MariaDB servers that form a Galera cluster on this machine, each with a configuration file and ports of its own."""
import os
import shutil
import signal
import subprocess

from service import SLOW, SOURCE, free_port, new_directory, wait_until

# The shipped files, and what several members on one machine need besides.
CONFIG = """!include {source}/conf/mariadb.cnf
!include {source}/conf/galera.cnf
[mariadbd]
user = root
datadir = {folder}/db
socket = {folder}/sock
pid-file = {folder}/pid
log-error = {folder}/error.log
bind-address = 127.0.0.1
port = {port}
server-id = {number}
innodb_buffer_pool_size = 64M
innodb_log_file_size = 64M
wsrep_cluster_address = gcomm://{members}
wsrep_node_name = node{number}
wsrep_node_address = 127.0.0.1:{group}
wsrep_provider_options = "gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{ist};gcache.size=128M"
wsrep_sst_receive_address = 127.0.0.1:{sst}
"""


class Node:
    def __init__(self, number, groups):
        self.number, self.folder, self.process = number, new_directory(f"hb-node{number}-"), None
        (self.folder / "my.cnf").write_text(CONFIG.format(
            source=SOURCE, folder=self.folder, number=number, port=free_port(), group=groups[number - 1], ist=free_port(),
            sst=free_port(), members=",".join(f"127.0.0.1:{group}" for group in groups)))

    @property
    def socket(self):
        return self.folder / "sock"

    def run(self, *more):
        self.process = subprocess.Popen(["mariadbd", f"--defaults-file={self.folder}/my.cnf", *more],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(self, name):
        done = subprocess.run(["mariadb", "--no-defaults", "-S", str(self.socket), "-N", "-B", "-e", f"SHOW STATUS LIKE '{name}'"],
                              capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.split("\t")[1].strip() if done.returncode == 0 and "\t" in done.stdout else ""

    def sql(self, text):
        done = subprocess.run(["mariadb", "--no-defaults", "-S", str(self.socket), "-N", "-B", "-e", text],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def synced(self, members=1):
        """One that was cut off still says that it is synced, and knows no other member."""
        return self.status("wsrep_local_state_comment") == "Synced" and int(self.status("wsrep_cluster_size") or 0) >= members


class Galera:
    """node[0] is the first member; all are synced."""

    def __init__(self):
        groups = [free_port() for _ in range(3)]
        self.nodes = [Node(number, groups) for number in (1, 2, 3)]
        first = self.nodes[0]
        subprocess.run(["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={first.folder}/db", "--skip-test-db",
                        "--auth-root-authentication-method=socket"], check=True, capture_output=True)
        for node in self.nodes[1:]:
            shutil.copytree(first.folder / "db", node.folder / "db")
        first.run("--wsrep-new-cluster")
        wait_until(first.synced, 60 * SLOW, "the first member")
        for node in self.nodes[1:]:
            self.join(node)

    def join(self, node):
        node.run()
        wait_until(node.synced, 40 * SLOW, lambda: f"node {node.number} joins: {self.log(node)}")

    @staticmethod
    def log(node):
        return (node.folder / "error.log").read_text()[-2000:]

    def remove(self):
        for node in reversed(self.nodes):
            if node.process is not None and node.process.poll() is None:
                os.kill(node.process.pid, signal.SIGCONT)
                node.process.terminate()
                node.process.wait(60 * SLOW)
            shutil.rmtree(node.folder, ignore_errors=True)
