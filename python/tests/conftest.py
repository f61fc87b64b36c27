"""Makes the test site's database before Django is imported: SQLite, or with LASTSEEN_TEST_ON=postgres a PostgreSQL, with
LASTSEEN_TEST_ON=mariadb a MariaDB."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import pytest

from tests.postgres import Postgres

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

PLACE = tempfile.mkdtemp(prefix="lastseen-test-")


class Server(Protocol):
    """A database server for tests."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...
    def database(self, name: str) -> None: ...
    def copy(self, template: str, name: str) -> None: ...


SERVER: Server | None = None

# At once, since the tests' modules import what needs it.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.site.settings"
os.environ["LASTSEEN_TEST_PLACE"] = PLACE
match os.environ.get("LASTSEEN_TEST_ON"):
    case None:
        pass
    case "postgres":
        SERVER = postgres = Postgres()
        os.environ["LASTSEEN_TEST_POSTGRES"] = str(postgres.port)
    case "mariadb":
        # What it connects with is only there for the tests on it.
        from tests.mariadb import MariaDb

        SERVER = mariadb = MariaDb()
        os.environ["LASTSEEN_TEST_MARIADB"] = str(mariadb.port)
    case other:
        raise ValueError(f"LASTSEEN_TEST_ON is {other!r}: there are postgres and mariadb, and SQLite without it")
if SERVER:
    SERVER.database("site")


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER:
        SERVER.close()
    shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Server | None:
    """The database server that the tests run on; `None` on SQLite."""
    return SERVER
