"""A Galera cluster of three under load: its writer is killed, hangs, and comes back. No acknowledged operation is lost."""
import os
import signal
import time

import pytest

from client import Client
from galera import Galera
from retrying import Retrying
from service import SLOW, Service, wait_until

OUT_OF_SERVICE_S = 8  # Galera itself waits 5 s for a member that is silent


class Clustered(Service):
    """The programs of an installation, with a cluster in place of the database that ./start runs."""

    def __init__(self, galera):
        self.galera = galera
        super().__init__(["limits.grabs_per_second=10000", "limits.grabs_burst=10000",
                          "database.servers=" + ", ".join(str(node.socket) for node in galera.nodes)])

    def sql(self, text):
        node = next(node for node in self.galera.nodes if node.process.poll() is None and node.synced())
        return node.sql("USE hongbao; " + text)


@pytest.fixture(scope="module")
def clustered():
    galera = Galera()
    s = Clustered(galera)
    try:
        s.start()
        yield s
        s.remove()
    finally:
        galera.remove()


def writer(service):
    """The member that most of the programs' sessions use just now."""
    def sessions(node):
        return int(node.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE user LIKE 'hongbao%' AND time_ms < 300")[0][0])
    return max((node for node in service.galera.nodes if node.process.poll() is None), key=sessions)


def check(service, load, name):
    """Every operation that was acknowledged is at every member, and the pause was short."""
    assert load.wrong == []
    ids = {envelope.replace("-", "") for envelope in load.done}
    print(f"{name}: {len(ids)} acknowledged sends, out of service for {load.longest_s:.1f} s")
    for node in service.galera.nodes:
        wait_until(lambda n=node: n.synced(3), 60 * SLOW, f"node {node.number} is synced")
        stored = {row[0] for row in node.sql("SET wsrep_sync_wait = 1; SELECT LOWER(HEX(id)) FROM hongbao.envelope")}
        assert ids <= stored, f"lost at node {node.number}: {ids - stored}"
    assert load.longest_s < OUT_OF_SERVICE_S * SLOW
    assert service.audit() == {}


def test_writer_is_killed(clustered):
    with Retrying(clustered) as load:
        load.goes_on("the cluster serves")
        lost = writer(clustered)
        lost.kill()
        load.goes_on("another member serves")
        clustered.galera.join(lost)
        load.goes_on("it serves on with the returned member")
    check(clustered, load, "writer killed")


def test_writer_hangs(clustered):
    """As one whose network is cut: it comes back and is no member of the cluster any more for a moment."""
    with Retrying(clustered) as load:
        load.goes_on("the cluster serves")
        lost = writer(clustered)
        os.kill(lost.process.pid, signal.SIGSTOP)
        load.goes_on("another member serves")
        time.sleep(8)
        os.kill(lost.process.pid, signal.SIGCONT)
        time.sleep(2)  # until it has noticed
        wait_until(lambda: lost.synced(3), 60 * SLOW, "it is a member again")
        load.goes_on("it serves on")
    check(clustered, load, "writer hung")


def test_one_after_the_other_is_restarted(clustered):
    with Retrying(clustered) as load:
        for node in clustered.galera.nodes:
            load.goes_on("the cluster serves")
            node.process.terminate()
            node.process.wait(60 * SLOW)
            load.goes_on(f"it serves without node {node.number}")
            clustered.galera.join(node)
    check(clustered, load, "restarted one after the other")


def test_ready_and_healthy_again(clustered):
    anybody = Client(clustered)
    wait_until(lambda: anybody.get("/readyz").status == 200, 10 * SLOW, "ready")
    assert "database.servers" not in clustered.ctl("doctor", check=False).stdout
