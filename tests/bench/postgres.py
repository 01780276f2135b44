"""A private PostgreSQL for peer F, with the durability and the memory of the service's MariaDB."""
import os
import pwd
import pathlib
import shutil
import subprocess
import tempfile

from service import wait_until

SETTINGS = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB", "max_wal_size=4GB",
            "checkpoint_timeout=30min", "wal_buffers=16MB", "max_connections=50", "listen_addresses=")


def programs():
    """Return the directory of Debian's server programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL is not installed"
    return found[-1].parent


class Postgres:
    """Processes name `owner`, the directory of the installation that it is compared with, in their titles."""

    def __init__(self, owner):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hb-pg-", dir=owner.parent))
        self.user = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            entry = pwd.getpwnam("postgres")
            os.chown(self.directory, entry.pw_uid, entry.pw_gid)
            self.user = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
        data = self.directory / "data"
        subprocess.run([*self.user, programs() / "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "SQL_ASCII",
                        "--no-locale", "--no-instructions"], stdout=subprocess.DEVNULL, check=True, cwd="/")
        words = [word for setting in SETTINGS for word in ("-c", setting)]
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen([*self.user, programs() / "postgres", "-D", data, "-k", self.directory, *words,
                                             "-c", f"cluster_name={owner}"], stderr=log, cwd="/")
        wait_until(lambda: self.client("-c", "SELECT 1", check=False) is not None, 30, "PostgreSQL answers")

    @property
    def where(self):
        return f"host={self.directory} user=bench dbname=postgres"

    def client(self, *words, check=True, text=None):
        done = subprocess.run([programs() / "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.where,
                               *words], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout if done.returncode == 0 else None

    def sql(self, text):
        return [line.split("\t") for line in self.client(text=text).splitlines()]

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)
