"""Makes the test site's database before Django is imported: SQLite, or with LASTSEEN_TEST_ON=postgres a PostgreSQL."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.postgres import Postgres

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

PLACE = tempfile.mkdtemp(prefix="lastseen-test-")
SERVER: Postgres | None = None

# At once, since the tests' modules import what needs it.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.site.settings"
os.environ["LASTSEEN_TEST_PLACE"] = PLACE
if os.environ.get("LASTSEEN_TEST_ON") == "postgres":
    SERVER = Postgres()
    SERVER.database("site")
    os.environ["LASTSEEN_TEST_POSTGRES"] = str(SERVER.port)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER:
        SERVER.close()
    shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Postgres | None:
    """The PostgreSQL that the tests run on; `None` on SQLite."""
    return SERVER
