"""The sessions with curl in README.md and README.zh.md, run as they are printed."""
import json
import re
import subprocess

import pytest

from service import SOURCE


def session(name, heading):
    """The commands of the fenced block below a heading."""
    text = (SOURCE / name).read_text(encoding="utf-8")
    return re.search(rf"^## {heading}\n.*?^```sh\n(.*?)^```", text, re.S | re.M)[1]


@pytest.mark.parametrize(("name", "heading", "opened"), [("README.md", "A session with curl", 2), ("README.zh.md", "用 curl 走一遍", 1)])
def test_session_with_curl(service, name, heading, opened):
    script = session(name, heading)
    assert "DIR=var" in script and "127.0.0.1:8080" in script
    script = script.replace("DIR=var", f"DIR={service.directory}").replace("127.0.0.1:8080", f"127.0.0.1:{service.port}")
    done = subprocess.run(["bash", "-euc", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    amounts = [a["amount"] for a in answers if a.get("state") == "opened"]
    assert len(amounts) == opened and all(amount > 0 for amount in amounts), done.stdout
    if opened == 2:
        assert [a["opened_shares"] for a in answers if "opened_shares" in a] == [2]
        assert "WRONG" not in done.stdout, done.stdout
