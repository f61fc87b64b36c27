"""The site's database as a store: the merge rule, concurrent writers, following, erasure, what it does without."""

import random
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test import override_settings

from lastseen import ManualClock, Record, Tracker
from lastseen.django import get_online_users
from lastseen.django import table as module
from lastseen.django.keys import known, stored
from lastseen.django.models import Flush, UserActivity
from lastseen.django.table import Table
from tests.django.conftest import START
from tests.patience import eventually

People = dict[str, Any]
NOW = START + timedelta(hours=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def ada(people: People) -> str:
    return str(people["ada"].pk)


@pytest.fixture
def table(people: People) -> Iterator[Table]:
    yield Table()
    connections.close_all()


def test_rule_1_a_date_never_goes_back(table: Table, ada: str) -> None:
    table.write([Record(ada, at(5), "203.0.113.7")], NOW)
    table.write([Record(ada, at(3), "203.0.113.8", at(3))], NOW)
    assert table.read(ada) == Record(ada, at(5), "203.0.113.7", at(3))
    table.write([Record(ada, at(7), None)], NOW)
    assert table.read(ada) == Record(ada, at(7), None, at(3))
    table.write([Record(ada, None, None, at(9))], NOW)
    assert table.read(ada) == Record(ada, at(7), None, at(9))


def test_rule_1_in_any_order_all_histories_come_to_the_same(table: Table, people: People) -> None:
    chance = random.Random(8)
    addresses = [None, "9.9.9.9", "10.0.0.1", "::1"]
    users = [str(user.pk) for user in people.values()]
    for _ in range(10):
        UserActivity.objects.all().delete()
        expected: dict[str, Record] = {}
        records = [
            Record(
                chance.choice(users),
                at(chance.randrange(4)),
                chance.choice(addresses),
                chance.choice([None, at(chance.randrange(4)), NOW + timedelta(hours=1)]),
            )
            for _ in range(12)
        ]
        for record in records:
            expected[record.user] = expected.get(record.user, Record(record.user)).merged(record, NOW)
        chance.shuffle(records)
        batches = iter(records)
        while batch := list(islice(batches, chance.randrange(1, 4))):
            merged: dict[str, Record] = {}
            for record in batch:
                merged[record.user] = merged.get(record.user, Record(record.user)).merged(record, NOW)
            table.write(list(merged.values()), NOW)
        assert {user: table.read(user) for user in expected} == expected


def test_rule_1_writers_at_the_same_time_lose_nothing(table: Table, people: People) -> None:
    users = [str(user.pk) for user in people.values()]
    failures: list[Exception] = []

    def write(first: int) -> None:
        mine = Table()
        try:
            for step in range(first, 60, 4):
                mine.write([Record(user, at(step)) for user in sorted(users)], NOW)
        except Exception as error:
            failures.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=write, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(table.read(user) == Record(user, at(59)) for user in users)


@pytest.mark.parametrize("missing", ["supports_ignore_conflicts", "supports_update_conflicts"])
def test_rule_1_on_databases_without_upserts(
    table: Table, people: People, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(connection.features), missing, False)
    users = sorted(str(user.pk) for user in people.values())
    table.write([Record(users[0], at(5), "203.0.113.7")], NOW)
    table.write(
        [Record(users[0], at(3), "::1", at(3)), Record(users[1], at(3)), Record(users[2], None, None, at(3))], NOW
    )
    table.write([Record(users[1], at(9))], NOW)
    assert [table.read(user) for user in users] == [
        Record(users[0], at(5), "203.0.113.7", at(3)),
        Record(users[1], at(9)),
        None,
    ]


def test_many_records_are_more_than_one_statement_takes(table: Table) -> None:
    model = get_user_model()
    model.objects.bulk_create([model(username=f"user{n}") for n in range(2500)])
    users = sorted(str(key) for key in model.objects.values_list("pk", flat=True))
    for step in range(2):
        table.write([Record(user, at(step), "203.0.113.7") for user in users], NOW)
    assert UserActivity.objects.filter(last_activity_ip="203.0.113.7").count() == len(users)
    assert {known(date) for date in UserActivity.objects.values_list("last_activity_date", flat=True)} == {at(1)}


def test_the_orm_has_it_both_ways(tracker: Tracker, people: People) -> None:
    tracker.touch(people["ada"].pk, "203.0.113.7")
    tracker.flush()
    ada = get_user_model().objects.get(username="ada")
    assert known(ada.useractivity.last_activity_date) == START
    [activity] = UserActivity.objects.filter(last_activity_ip="203.0.113.7", user__username="ada")
    assert activity.user == ada
    assert not hasattr(people["bob"], "useractivity")


def test_users_who_are_gone_and_keys_that_are_none_keep_nobody_else_from_being_written(
    table: Table, ada: str, people: People
) -> None:
    gone = str(people["bob"].pk)
    people["bob"].delete()
    Flush.objects.all().delete()
    table.write([Record(user, at(1)) for user in sorted([ada, gone, "guest 7", "007"])], NOW)
    assert list(UserActivity.objects.values_list("user__username", flat=True)) == ["ada"]


def test_rule_5_recent_comes_in_pages(table: Table, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    users = sorted(str(user.pk) for user in people.values())
    table.write([Record(user, at(number)) for number, user in enumerate(users)], NOW)
    table.write([Record(users[0], None, None, at(9))], NOW)
    first = table.recent(at(1), None)
    second = table.recent(at(1), first.next)
    assert (len(first.records), second.next) == (2, None)
    assert {record.user for record in [*first.records, *second.records]} == set(users)
    assert {record.user for record in table.recent(at(2), None).records} == {users[0], users[2]}


def test_rule_6_processes_follow_one_another(table: Table, ada: str) -> None:
    other = Table()
    cursor = table.follow(None).cursor
    other.follow(None)
    other.write([Record(ada, at(1), "203.0.113.7", at(0))], NOW)
    changes = table.follow(cursor)
    assert changes.records == [Record(ada, at(1), "203.0.113.7", at(0))]
    assert not changes.missed
    assert table.follow(changes.cursor).records == []
    assert other.follow(other.follow(None).cursor).records == []


def test_rule_6_a_flush_that_commits_late_is_seen_all_the_same(table: Table, ada: str) -> None:
    text = f'[["{ada}",5,null,null]]'
    cursor = table.follow(None).cursor
    later = Flush.objects.create(at=stored(NOW), origin="x", records=text)
    cursor = table.follow(cursor).cursor
    Flush.objects.filter(pk=later.pk).delete()
    Flush.objects.create(pk=later.pk - 1 if later.pk > 1 else 10**6, at=stored(NOW), origin="x", records=text)
    assert len(table.follow(cursor).records) == 1


def test_rule_7_whoever_followed_too_long_ago_is_told(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = table.follow(None).cursor
    assert not table.follow(cursor).missed
    table.followed -= 3600.0  # type: ignore[operator]
    assert table.follow(cursor).missed


def test_old_flushes_go(table: Table, ada: str) -> None:
    table.write([Record(ada, at(0))], at(0))
    table.pruned -= 3600.0
    table.write([Record(ada, at(1))], at(3600))
    assert Flush.objects.count() == 1


def test_rule_8_what_is_erased_is_not_brought_back_by_what_was_under_way(table: Table, ada: str) -> None:
    other = Table()
    cursor = other.follow(None).cursor
    table.write([Record(ada, at(1), "203.0.113.7")], at(1))
    table.forget(ada, at(2))
    assert other.follow(cursor).forgotten == [(ada, at(2))]
    assert other.recent(at(0), None).forgotten == [(ada, at(2))]
    other.write([Record(ada, at(2), "203.0.113.7", at(2))], at(2))
    assert other.read(ada) is None
    other.write([Record(ada, at(6), None, at(4))], at(6))
    assert other.read(ada) == Record(ada, at(6), None, at(4))
    table.forget(ada, at(5))
    assert other.read(ada) == Record(ada, at(6))


def test_rule_16_what_is_kept_no_longer_goes(table: Table, people: People, clock: ManualClock) -> None:
    old, left, young = sorted(str(user.pk) for user in people.values())
    table.write(
        [Record(old, at(1), "203.0.113.7"), Record(left, at(1), "::1", at(9)), Record(young, at(9), "::1")], NOW
    )
    table.expire(at(2), None)
    assert [table.read(user) for user in (old, left, young)] == [
        Record(old, at(1)),
        Record(left, at(1), None, at(9)),
        Record(young, at(9), "::1"),
    ]
    table.expire(None, at(2))
    assert [table.read(user) is None for user in (old, left, young)] == [True, False, False]
    settings = {"CLOCK": clock, "KEEP_ADDRESSES": timedelta(days=1), "KEEP_RECORDS": timedelta(days=30)}
    with override_settings(LASTSEEN=settings):
        module_tracker().start()
        eventually(lambda: clock.advance(3600 * 12) or UserActivity.objects.count() == 0)


def test_two_trackers_agree_and_so_does_a_third_that_comes_later(
    tracker: Tracker, people: People, clock: ManualClock
) -> None:
    with Tracker(Table(), clock=clock) as other:
        assert other.count() == 0
        tracker.touch(people["ada"].pk)
        tracker.flush()
        eventually(lambda: clock.advance(0.6) or other.is_online(people["ada"].pk))
        tracker.leave(people["ada"].pk)
        tracker.touch(people["bob"].pk)
        tracker.flush()
        eventually(lambda: clock.advance(0.6) or [user.user for user in other.online()] == [str(people["bob"].pk)])
        with Tracker(Table(), clock=clock) as third:
            assert [user.user for user in third.online()] == [str(people["bob"].pk)]


def test_a_database_without_the_tables_is_explained(tracker: Tracker, people: People, clock: ManualClock) -> None:
    with connection.schema_editor() as editor:
        editor.alter_db_table(UserActivity, "lastseen_useractivity", "lastseen_elsewhere")
    try:
        with override_settings(LASTSEEN={"CLOCK": clock}):
            tracker = module_tracker()
            tracker.touch(people["ada"].pk)
            assert tracker.count() == 1
            assert "run manage.py migrate" in str(tracker.status().store_error)
            assert [user.username for user in get_online_users(5)] == ["ada"]
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(UserActivity, "lastseen_elsewhere", "lastseen_useractivity")


def module_tracker() -> Tracker:
    from lastseen.django import tracker

    return tracker()
