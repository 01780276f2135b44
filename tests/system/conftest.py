import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from absent import leave_out  # noqa: E402
from client import SEEN, Client, declared  # noqa: E402
from seed import SEED  # noqa: E402
from service import Service  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*names): root, or programs that must be there")


def pytest_collection_modifyitems(config, items):
    leave_out(config, items)


def pytest_report_header():
    return f"HONGBAO_SEED={SEED}"


@pytest.fixture(scope="session")
def service():
    """The installation that most tests share. It allows short-lived envelopes, so that tests can wait for expiry."""
    s = Service(["limits.expires_min=1", "limits.grabs_per_second=10000", "limits.grabs_burst=100000",
                 "limits.sent_per_day=1000000000000"])
    s.start()
    yield s
    s.remove()


@pytest.fixture
def rng():
    return random.Random(SEED)


_users = iter(range(1, 1 << 30))


@pytest.fixture
def user(service):
    """Return a function that makes a client for a new user: user("Name", money=1000, groups=[...])."""
    made = []

    def make(name=None, money=0, **claims):
        uid = f"u{next(_users)}"
        client = Client(service, service.token(uid, name=name, **claims))
        client.user = uid
        made.append(client)
        if money:
            service.ctl("topup", uid, money)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def anybody(service):
    client = Client(service)
    yield client
    client.close()


@pytest.fixture
def report(capsys):
    def print_through(text):
        with capsys.disabled():
            print(f"\n  counted: {text}", end="")
    return print_through


def is_whole(session):
    files = set(pathlib.Path(__file__).parent.glob("test_*.py"))
    return files <= {item.path for item in session.items} and not session.config.option.keyword


_whole_runs = []  # of the processes of pytest-xdist


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Take over what a process of pytest-xdist saw."""
    if error is None:
        _whole_runs.append(node.workeroutput["whole"])
        SEEN.update(map(tuple, node.workeroutput["seen"]))


def pytest_sessionfinish(session, exitstatus):
    """Fail a complete run in which a declared answer never occurred: the API or its description is wrong."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a process of pytest-xdist
        output["whole"] = is_whole(session)
        output["seen"] = [list(answer) for answer in SEEN]
        return
    whole = all(_whole_runs) if _whole_runs else is_whole(session)
    missing = sorted(set(declared()) - SEEN)
    if whole and missing and exitstatus == 0:
        session.exitstatus = 1
        print("\nnever seen:", *missing, sep="\n  ")
