"""Another host of an installation: programs, web server, counters, markers and logs of its own; the same database,
memcached and secrets."""
import http.client
import pathlib
import shutil
import subprocess

from service import BUILD, SLOW, free_port, new_directory, wait_until

POOLS = ("send", "grab", "open", "query")


class SecondHost:
    """Serves until removed. A Client takes it as it takes a Service."""

    def __init__(self, first, name="second"):
        self.first, self.directory, self.port = first, new_directory("hb-host-"), free_port()
        for folder in ("run", "log", "markers"):
            (self.directory / folder).mkdir()
        self.config = self.directory / "hongbao.conf"
        self.config.write_text(self._own((first.directory / "hongbao.conf").read_text()).replace("host = first", f"host = {name}"))
        (self.directory / "lighttpd.conf").write_text(self._own((first.directory / "lighttpd.conf").read_text()))
        self.processes = {name: subprocess.Popen([f"{BUILD}/hongbao-{name}", "--config", str(self.config)]) for name in (*POOLS, "settle")}
        self.processes["lighttpd"] = subprocess.Popen(["lighttpd", "-D", "-f", str(self.directory / "lighttpd.conf")])
        wait_until(self._ready, 20 * SLOW, "it is ready")

    def _ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return response.status == 200 and b"degraded" not in response.read()
        except OSError:
            return False
        finally:
            connection.close()

    def _own(self, text):
        """Replace in a configuration of the first host what belongs to one host."""
        old, new = str(self.first.directory), str(self.directory)
        names = ("run/metrics", "run/lighttpd", *(f"run/{pool}" for pool in POOLS), "markers", "log")
        for name in names:
            text = text.replace(f"{old}/{name}", f"{new}/{name}")
        for name in ("run_dir = ", 'var.run = "'):
            text = text.replace(f"{name}{old}/run", f"{name}{new}/run")
        return text.replace(str(self.first.port), str(self.port))

    def pid(self, name):
        return self.processes[name].pid

    def workers(self, pool):
        return [int(pid) for path in pathlib.Path(f"/proc/{self.pid(pool)}/task").glob("*/children") for pid in path.read_text().split()]

    def pids(self):
        """Of all programs but the web server."""
        return [pid for name in (*POOLS, "settle") for pid in (self.pid(name), *self.workers(name))]

    def remove(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(20 * SLOW)
        shutil.rmtree(self.directory)
