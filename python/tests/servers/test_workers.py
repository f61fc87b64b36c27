"""Several processes of one site: what each lists, and what becomes of it when one is killed or the database goes."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import Server
from tests.patience import eventually
from tests.servers.conftest import python
from tests.servers.site import COMMANDS, Site

Start = Callable[..., Site]

STORED = """
import django; django.setup()
from lastseen.django.models import UserActivity
print(*UserActivity.objects.order_by("user__username").values_list("user__username", flat=True))
"""


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_story_of_one_night(start: Start, kind: str) -> None:
    site = start(kind)
    user, guest = site.visitor(), site.visitor()
    assert user.get("/sign-in/?name=ada").body == "welcome"
    site.agree(["ada"])
    site.until("1:35")
    assert "ada" in user.get("/").body
    site.agree(["ada"])
    site.until("2:00")
    site.agree([])
    assert "0 users are online." in guest.get("/").body
    site.until("3:00")
    assert user.get("/media/logo.png").status == 200
    site.agree([])
    site.until("3:15")
    assert user.get("/async/").body == "1"
    site.agree(["ada"])
    assert user.get("/sign-out/").body == "goodbye"
    site.agree([])
    assert "Traceback" not in site.close()


@pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
def test_an_account_switched_off_leaves_every_list(start: Start, kind: str, environment: dict[str, str]) -> None:
    site = start(kind)
    for name in ("ada", "bob"):
        site.visitor().get(f"/sign-in/?name={name}")
    site.agree(["bob", "ada"])
    python(
        environment,
        "-c",
        "import django; django.setup(); from django.contrib.auth import get_user_model as model;"
        "model().objects.filter(username='bob').update(is_active=False)",
    )
    assert json.loads(site.visitor().get("/json/?fetch").body)["users"] == ["ada"]
    site.skip(61)
    site.agree(["ada"])


def test_stopping_loses_nothing(start: Start, environment: dict[str, str]) -> None:
    site = start("gunicorn")
    for name in ("ada", "bob", "eve"):
        site.visitor().get(f"/sign-in/?name={name}")
    site.close()
    assert python(environment, "-c", STORED).split() == ["ada", "bob", "eve"]


@pytest.mark.parametrize("kind", ["gunicorn", "preload"])
def test_a_worker_that_is_killed_takes_nobody_along(start: Start, kind: str) -> None:
    site = start(kind)
    user = site.visitor()
    user.get("/sign-in/?name=ada")
    site.agree(["ada"])
    before = set(site.answers())
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: set(site.answers()), lambda now: min(before) not in now)
    site.agree(["ada"])


@pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
def test_rule_7_the_database_is_gone_for_a_minute(
    start: Start, kind: str, server: Server | None, environment: dict[str, str]
) -> None:
    site = start(kind)
    user, other = site.visitor(), site.visitor()
    user.get("/sign-in/?name=ada")
    other.get("/sign-in/?name=bob")
    site.agree(["bob", "ada"])
    site.meet_all(user)
    with gone(server, environment):
        for _ in range(3):
            site.skip(20)
            site.meet_all(user)
        assert "2 users are online." in user.get("/").body
        assert other.get("/media/logo.png").status == 200
        assert all(set(answer["memory"]) == {"ada", "bob"} for answer in site.answers().values())
    eventually(site.answers, lambda answers: all(answer["ready"] for answer in answers.values()))
    user.get("/")
    site.agree(["ada", "bob"])
    site.skip(15 * 60 - 30)
    site.agree(["ada"])


@contextmanager
def gone(server: Server | None, environment: dict[str, str]) -> Iterator[None]:
    """Nobody gets an answer from the database: it is stopped, or locked."""
    if server:
        server.stop()
        try:
            yield
        finally:
            server.start()
        return
    connection = sqlite3.connect(f"{environment['LASTSEEN_TEST_PLACE']}/site.sqlite3", isolation_level=None, timeout=30)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()
