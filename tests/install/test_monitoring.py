"""The alert rules fire when they should and only then; rules and dashboard name metrics that exist."""
import json
import re
import subprocess

import pytest

from service import SOURCE

MONITORING = SOURCE / "conf/monitoring"


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("arguments", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool(arguments):
    done = subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested():
    rules = set(re.findall(r"alert: (\w+)", (MONITORING / "alerts.yml").read_text()))
    tested = (MONITORING / "alerts_test.yml").read_text()
    assert len(rules) > 5
    for rule in rules:
        assert f"alertname: {rule}, exp_alerts: []" in tested and f'alertname="{rule}",alertstate="firing"' in tested, rule


def test_metrics_exist():
    """Each metric that is named is one that the programs print."""
    source = "".join(p.read_text() for folder in ("lib", "cgi") for p in (SOURCE / folder).rglob("*.c"))
    for path in (MONITORING / "alerts.yml", MONITORING / "dashboard.json"):
        for name in set(re.findall(r"\b(hongbao_[a-z_]+)\b", path.read_text())):
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            assert f'"{name}' in source or f'"{family}' in source or f" {family} " in source, (path.name, name)


def test_dashboard():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    assert len(dashboard["panels"]) > 8
    assert all(panel["title"] and panel["targets"] and panel["fieldConfig"]["defaults"]["unit"] for panel in dashboard["panels"])
