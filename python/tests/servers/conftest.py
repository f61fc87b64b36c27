"""A fresh database for each test, and the site on it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.conftest import Server
from tests.servers.site import ROOT, Site

USERS = """
import django; django.setup()
from django.contrib.auth import get_user_model
for name in ("ada", "bob", "eve"):
    get_user_model().objects.create_user(name, password="secret")
"""

NUMBERS = count()


def python(environment: dict[str, str], *arguments: str) -> str:
    """Runs Python on the site's database."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="session")
def template(server: Server | None) -> Iterator[dict[str, str]]:
    """A database with the tables and three users, to be copied."""
    with tempfile.TemporaryDirectory(prefix="lastseen-database-") as place:
        environment = {"LASTSEEN_TEST_PLACE": place}
        if server:
            environment["LASTSEEN_TEST_DATABASE"] = "template"
            server.database("template")
        python(environment, "-m", "django", "migrate", "--verbosity=0")
        python(environment, "-c", USERS)
        yield environment


@pytest.fixture
def environment(server: Server | None, template: dict[str, str]) -> Iterator[dict[str, str]]:
    """Where the site's processes find their database."""
    with tempfile.TemporaryDirectory(prefix="lastseen-database-") as place:
        environment = {"LASTSEEN_TEST_PLACE": place}
        if server:
            environment["LASTSEEN_TEST_DATABASE"] = name = f"site{next(NUMBERS)}"
            server.copy("template", name)
        else:
            shutil.copy(f"{template['LASTSEEN_TEST_PLACE']}/site.sqlite3", place)
        yield environment


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Site]]:
    """Starts the site under a server, and on a store that a URL names in place of its database."""
    started: list[Site] = []

    def start(kind: str, store: str | None = None) -> Site:
        started.append(Site(kind, store, **environment))
        return started[-1]

    yield start
    for site in started:
        if site.process.poll() is None:
            site.close()
