"""One installation with a proxy in front of MariaDB, memcached and each pool, and its history so far."""
import http.client
import os
import pathlib
import shutil
import signal
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import checker  # noqa: E402
from cache import Cache  # noqa: E402
from history import History, read_tables  # noqa: E402
from proxy import FcgiProxy, MemcachedProxy, MysqlProxy  # noqa: E402
from service import Service, new_directory, wait_until  # noqa: E402

POOLS = ("send", "grab", "open", "query")
SETTINGS = ["limits.expires_min=1", "limits.grabs_per_second=10000", "limits.grabs_burst=100000",
            "limits.sent_per_day=1000000000000"]


class Stage:
    def __init__(self, seed):
        self.seed = seed
        self.directory = new_directory("hb-torture-")
        run = self.directory / "run"
        run.mkdir(mode=0o755)
        self.database = MysqlProxy(self.directory / "db-proxy.sock", run / "db.sock", seed)
        self.cache = MemcachedProxy(self.directory / "cache-proxy.sock", run / "cache.sock", seed)
        self.pools = {pool: FcgiProxy(run / f"{pool}.sock", run / f"{pool}-real.sock", seed) for pool in POOLS}
        self.service = Service(SETTINGS + [f"database.socket={self.database.path}", f"cache.servers={self.cache.path}"] +
                               [f"{pool}.socket={self.pools[pool].upstream}" for pool in POOLS], self.directory)
        self.service.start()
        self.history = History()
        self.reported = set()
        self.loads = 0

    def proxies(self):
        return [self.database, self.cache, *self.pools.values()]

    def clear(self):
        for proxy in self.proxies():
            proxy.rules.clear()

    def close(self):
        for proxy in self.proxies():
            proxy.rules.clear()
        self.service.remove()
        for proxy in self.proxies():
            proxy.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- kills and stops ----
    @staticmethod
    def _signal(pid, number):
        """pid, or 0: it ended before."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return 0
        return pid

    def kill_worker(self, chance, number=signal.SIGKILL):
        """pid, or 0: there was none at that moment."""
        workers = self.service.workers(chance.choice(POOLS))
        return self._signal(chance.choice(workers), number) if workers else 0

    def kill_any(self, chance):
        """Kill a worker of a pool or settle, without waiting for the next one."""
        if chance.random() < 0.3:
            self._signal(self.service.pid("settle"), signal.SIGKILL)
        else:
            self.kill_worker(chance)

    def evict_gates(self, envelopes):
        """Delete the gates of these envelopes, as memory pressure would."""
        cache = Cache(self.service)
        for envelope in envelopes:
            cache.socket.sendall(f"delete {cache.key(envelope)}\r\n".encode())
            cache.file.readline()
        cache.file.close()
        cache.socket.close()

    # ---- the judgement ----
    def settled(self):
        """True if nothing is due and nothing waits for its credit."""
        return self.service.sql("SELECT (SELECT COUNT(*) FROM credit) + (SELECT COUNT(*) FROM seed WHERE expires_us < "
                                "UNIX_TIMESTAMP(NOW(6)) * 1000000)") == [["0"]]

    def judge(self):
        """What is wrong since the last judgement."""
        self.clear()
        wait_until(lambda: self.service.metrics() and self.settled(), 90, "credits and refunds are done")
        wrong = checker.judge(self.history, read_tables(self.service))
        wrong += [f"audit: {name} {found}" for name, found in self.service.audit().items()]
        new = [text for text in wrong if text not in self.reported]
        self.reported |= set(new)
        return new

    def next_load(self):
        self.loads += 1
        return f"l{self.loads}"

    def sleep_until_serving(self, seconds=30):
        began = time.monotonic()
        wait_until(self.ready, seconds, "the service serves again")
        return time.monotonic() - began

    def ready(self):
        """Ask for /readyz and the metrics. True if the metrics came."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.service.port}/readyz", timeout=10) as answer:
                answer.read()
            return "hongbao_requests_total" in "".join(self.service.metrics())
        except (OSError, ValueError, http.client.HTTPException):
            return False
