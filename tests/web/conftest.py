"""One installation, and each web server in front of it with the configuration that is shipped."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from absent import leave_out  # noqa: E402
from client import Client  # noqa: E402
from front import NAMES, Front  # noqa: E402
from service import Service  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*names): root, or programs that must be there")


def pytest_collection_modifyitems(config, items):
    leave_out(config, items)


@pytest.fixture(scope="session")
def service():
    made = Service(["limits.expires_min=1", "limits.grabs_per_second=10000", "limits.grabs_burst=100000",
                    "limits.sent_per_day=1000000000000"])
    made.start()
    yield made
    made.remove()


_users = iter(range(1, 1 << 30))


@pytest.fixture
def user(service):
    """Makes clients of new users, through the installation's own web server: user(money=1000, groups=[...])."""
    made = []

    def make(money=0, **claims):
        uid = f"w{next(_users)}"
        client = Client(service, service.token(uid, **claims))
        client.user = uid
        made.append(client)
        if money:
            service.ctl("topup", uid, money)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="module", params=NAMES)
def front(request, service, tmp_path_factory):
    made = Front(service, tmp_path_factory.mktemp(request.param), request.param)
    try:
        yield made
    finally:
        made.stop()
