import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from seed import SEED  # noqa: E402
from service import Service  # noqa: E402
from world import SETTINGS  # noqa: E402


def pytest_report_header():
    return f"HONGBAO_SEED={SEED}"


@pytest.fixture(scope="session")
def service():
    made = Service(SETTINGS).start()
    yield made
    made.remove()
