"""The tree installed into a directory, as a package would have it."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/system"))

from absent import leave_out  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HONGBAO_BUILD", SOURCE / "build-check"))


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*names): root, or programs that must be there")


def pytest_collection_modifyitems(config, items):
    leave_out(config, items)


class Installed:
    """`make install` with a prefix of its own, below root, from a copy of the build."""

    def __init__(self, root, prefix):
        self.root, self.prefix = root / "root", prefix
        build = root / "build"
        shutil.copytree(BUILD, build, symlinks=True, ignore=shutil.ignore_patterns("browser", "clang", "conf", "deb", "*.deb", "hongbao-0*"))
        words = [f"prefix={prefix}", f"exec_prefix={prefix}", f"sysconfdir={prefix}/etc", f"DESTDIR={self.root}"]
        done = subprocess.run(["make", "-C", build, "install", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def path(self, name):
        return pathlib.Path(f"{self.root}{self.prefix}") / name

    def files(self):
        return [p for p in self.root.rglob("*") if p.is_file()]


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("root"), "/opt/envelopes")
