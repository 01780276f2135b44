"""The systemd units: what they allow, and that each unit sees only its own secrets."""
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.needs("systemd-analyze")
SERVICES = ("hongbao@.service", "hongbao-settle.service", "hongbao-cache.service")


def unit(installed, name):
    return installed.path(f"lib/systemd/system/{name}")


@pytest.mark.parametrize("name", SERVICES)
def test_exposure(installed, name):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit(installed, name)],
                          capture_output=True, text=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    level = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout).group(1))
    assert level <= 1.0, done.stdout


def test_syntax(installed, tmp_path):
    """systemd reads each without a complaint of its own."""
    folder = tmp_path / "units"
    shutil.copytree(unit(installed, ""), folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace("/opt/envelopes/libexec/hongbao/hongbao-%i", "/bin/true").replace(
                "/opt/envelopes/sbin/hongbao-settle", "/bin/true"))
    for pool in ("send", "grab", "open", "query"):
        shutil.copy(folder / "hongbao@.service", folder / f"hongbao@{pool}.service")
        shutil.copy(folder / "hongbao@.socket", folder / f"hongbao@{pool}.socket")
    units = [p for p in folder.iterdir() if p.is_file() and "@." not in p.name]
    assert len(units) >= 8
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "hongbao" in line and "memcached" not in line]
    assert wrong == []


@pytest.mark.parametrize("name", SERVICES)
def test_never_gives_up(installed, name):
    text = unit(installed, name).read_text()
    assert "StartLimitIntervalSec=0\n" in text and "Restart=always\n" in text
    if name != "hongbao-cache.service":  # memcached knows no watchdog
        assert "\nType=notify\n" in text and re.search(r"\nWatchdogSec=[1-9]\d\n", text)
    for limit in ("MemoryMax=", "TasksMax=", "LimitCORE=0", "UMask=0077"):
        assert f"\n{limit}" in text, limit


def test_secrets_are_shared_with_no_other_unit(installed):
    """wallet.key, with which money is made, is the send pool's alone; ticket.key is not query's; each has its own database user."""
    seen = {}
    for pool in ("send", "grab", "open", "query"):
        text = unit(installed, "hongbao@.service").read_text().replace("%i", pool) + unit(installed, f"hongbao@{pool}.service.d/keys.conf").read_text()
        seen[pool] = set(re.findall(r"^LoadCredential=(\S+?):", text, re.M))
        assert f"User=hongbao-{pool}\n" in text
    seen["settle"] = set(re.findall(r"^LoadCredential=(\S+?):", unit(installed, "hongbao-settle.service").read_text(), re.M))
    assert [pool for pool, names in seen.items() if "wallet.key" in names] == ["send"]
    assert [pool for pool, names in seen.items() if "ticket.key" in names] == ["grab", "open"]
    assert all([name for name in names if name.endswith(".cnf")] == [f"{pool}.cnf"] for pool, names in seen.items())
    assert "LoadCredential" not in unit(installed, "hongbao-cache.service").read_text()
