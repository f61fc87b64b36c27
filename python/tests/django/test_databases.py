"""A site with several databases: everything of ours is where activities are written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections, transaction
from django.test import override_settings

from lastseen import Record, Tracker
from lastseen.django.models import Flush, UserActivity
from lastseen.django.table import Table
from tests.django.conftest import START
from tests.patience import eventually

OTHER = "elsewhere"


class Router:
    """Reads from a replica that has never caught up, and writes flushes there if it is asked for them by name."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return OTHER

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return OTHER if model is Flush else "default"


@pytest.fixture
def other(people: dict[str, Any]) -> Iterator[str]:
    """A second database, with the site's tables and nothing in them."""
    call_command("migrate", database=OTHER, verbosity=0)
    yield OTHER
    get_user_model()._base_manager.using(OTHER).all().delete()
    Flush.objects.using(OTHER).all().delete()
    connections.close_all()


def test_a_replica_and_a_router_of_its_own_for_each_table_change_nothing(other: str, people: dict[str, Any]) -> None:
    ada, bob = sorted(str(people[name].pk) for name in ("ada", "bob"))
    with override_settings(DATABASE_ROUTERS=["tests.django.test_databases.Router"]):
        here, there = Table(), Table()
        cursor = here.follow(None).cursor
        there.write([Record(ada, START), Record(bob, START), Record("guest", START)], START)
        assert here.read(ada) == Record(ada, START)
        assert {record.user for record in here.recent(START, None).records} == {ada, bob}
        assert {record.user for record in here.follow(cursor).records} >= {ada, bob}
        there.forget(ada, START)
        assert here.read(ada) is None
        assert here.follow(cursor).forgotten == [(ada, START)]
        assert here.recent(START, None).forgotten == [(ada, START)]
    assert (Flush.objects.using(other).count(), UserActivity.objects.using(other).count()) == (0, 0)


def test_users_whom_the_replica_lacks_yet_are_written(other: str, people: dict[str, Any]) -> None:
    ada, gone = sorted(str(people[name].pk) for name in ("ada", "bob"))
    get_user_model().objects.get(pk=gone).delete()
    with override_settings(DATABASE_ROUTERS=["tests.django.test_databases.Router"]):
        table = Table()
        table.write([Record(user, START) for user in (ada, gone)], START)
        assert table.read(ada) is not None


def test_an_erasure_is_part_of_the_transaction_that_deletes_the_user(other: str, people: dict[str, Any]) -> None:
    with override_settings(DATABASE_ROUTERS=["tests.django.test_databases.Router"]):
        table, ada = Table(), str(people["ada"].pk)
        cursor = table.follow(None).cursor
        with transaction.atomic(using="default"):
            people["ada"].delete(using="default")
            transaction.set_rollback(True, using="default")
        assert table.follow(cursor).forgotten == []
        people["ada"].pk = ada
        people["ada"].delete(using="default")
        assert [user for user, _ in table.follow(cursor).forgotten] == [ada]


def test_a_copy_that_goes_from_another_database_leaves_its_user(
    other: str, people: dict[str, Any], tracker: Tracker
) -> None:
    ada = people["ada"]
    ada.save(using=other)
    tracker.touch(ada.pk)
    tracker.flush()
    get_user_model()._base_manager.using(other).get(pk=ada.pk).delete()
    assert not Flush.objects.filter(erasure=True).exists()
    people["bob"].delete()
    eventually(lambda: Flush.objects.filter(erasure=True).count(), lambda count: count == 1)
    assert tracker.is_online(ada.pk)
