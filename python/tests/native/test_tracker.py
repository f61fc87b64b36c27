"""The tracker in one process: what comes in, what it answers, what it refuses."""

import ast
import os
import re
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from lastseen import ManualClock, Status, StoreError, Tracker
from tests.patience import eventually

START = datetime(2026, 11, 24, 1, 0, tzinfo=timezone.utc)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def tracker(clock: ManualClock) -> Iterator[Tracker]:
    with Tracker("memory:", clock=clock) as tracker:
        yield tracker


def test_the_newest_come_first_and_the_count_goes_beyond_the_limit(tracker: Tracker, clock: ManualClock) -> None:
    for user in ("ada", "bob", "eve"):
        tracker.touch(user, "203.0.113.7")
        clock.advance(1)
    online = tracker.online(2)
    assert [(user.user, user.label, user.ip, user.name) for user in online] == [
        ("eve", "eve", "203.0.113.7", None),
        ("bob", "bob", "203.0.113.7", None),
    ]
    assert (online.count, len(online), tracker.count()) == (3, 2, 3)
    assert (online.as_of, online.window) == (START + timedelta(seconds=3), timedelta(minutes=15))
    assert online.users[0].at == START + timedelta(seconds=2)


def test_rule_2_the_edge_of_the_window_counts(tracker: Tracker, clock: ManualClock) -> None:
    tracker.touch("ada")
    clock.advance(timedelta(minutes=15))
    assert tracker.is_online("ada")
    clock.advance(0.000001)
    assert not tracker.is_online("ada")
    assert tracker.count(timedelta(hours=1)) == 1
    assert [user.user for user in tracker.online(50, 3600)] == ["ada"]
    with pytest.raises(ValueError, match="reaches further back than memory"):
        tracker.count(timedelta(days=2))


def test_rule_3_who_leaves_is_offline_and_a_touch_brings_them_back(tracker: Tracker, clock: ManualClock) -> None:
    tracker.touch("ada")
    tracker.leave("ada")
    assert not tracker.is_online("ada")
    seen = tracker.last_seen("ada")
    assert seen is not None
    assert (seen.at, seen.left_at, seen.online) == (START, START, False)
    clock.advance(1)
    tracker.touch("ada")
    assert tracker.is_online("ada")


def test_keys_are_text_numbers_or_uuids(tracker: Tracker) -> None:
    key = uuid.uuid4()
    for user in (42, -7, "ada", key):
        tracker.touch(user)
    assert {user.user for user in tracker.online()} == {"42", "-7", "ada", str(key)}
    assert tracker.is_online(str(key))
    assert tracker.is_online("42")


def test_profiles_are_in_force_at_once(tracker: Tracker) -> None:
    tracker.touch(1)
    tracker.set_profile(1, "Ada")
    assert tracker.online().users[0].label == "Ada"
    tracker.set_profile(1, "Ada", active=False)
    assert tracker.count() == 0
    tracker.set_profile(1, "Ada", hidden=True)
    assert tracker.last_seen(1) is None


def test_dates_from_outside_merge_and_the_future_is_refused(tracker: Tracker) -> None:
    tracker.touch_at("ada", START - timedelta(minutes=3), "::ffff:203.0.113.7")
    tracker.touch_at("ada", START - timedelta(minutes=5))
    seen = tracker.last_seen("ada")
    assert seen is not None
    assert (seen.at, seen.ip) == (START - timedelta(minutes=3), "203.0.113.7")
    elsewhere = timezone(timedelta(hours=-5))
    tracker.touch_at("ada", START.astimezone(elsewhere))
    assert tracker.online().users[0].at == START
    with pytest.raises(ValueError, match="ahead of the clock"):
        tracker.touch_at("ada", START + timedelta(seconds=6))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"granularity": 600}, "granularity is 600s and window is 900s"),
        ({"window": 0}, "window is 0"),
        ({"flush_every": 60}, "flush_every is 60s and granularity is 30s"),
        ({"capacity": 0}, "a capacity of 0"),
        ({"window": timedelta(seconds=-1)}, "none of them negative"),
        ({"window": "soon"}, "'soon' is no span of time"),
        ({"store": "mysql://root:secret@db/x"}, "'mysql' is no kind of store"),
        ({"store": "sqlite:"}, "names no file"),
    ],
)
def test_settings_that_make_no_sense_are_named_when_they_are_made(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named.replace("'", "[\"']")) as refused:
        Tracker(**{"store": "memory:", **settings})  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("",), "a user id is empty"),
        (("x" * 129,), "at most 128"),
        (("two\nlines",), "control character"),
        (("ada", "localhost"), '"localhost" is no address'),
    ],
)
def test_what_is_no_user_and_no_address_is_named(tracker: Tracker, arguments: tuple[str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        tracker.touch(*arguments)
    with pytest.raises(TypeError, match="the user is None"):
        tracker.touch(None)
    with pytest.raises(TypeError, match="a datetime with a time zone"):
        tracker.touch_at("ada", datetime(2026, 11, 24))


def test_a_file_keeps_what_a_restart_must_not_lose(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/lastseen.db"
    with Tracker(store) as first:
        first.touch("ada", "203.0.113.7")
    with Tracker(store) as second:
        assert [user.user for user in second.online()] == ["ada"]
        second.record("bob")
        with Tracker(store) as third:
            assert third.count() == 2
            third.forget("bob")
        eventually(second.count, lambda count: count == 1)


def test_a_store_that_is_not_there_costs_no_error_and_no_wait(tmp_path: Path) -> None:
    place = tmp_path / "later"
    tracker = Tracker(f"sqlite:{place}/lastseen.db")
    tracker.touch("ada")
    assert tracker.is_online("ada")
    assert tracker.status().store_error is not None
    assert not tracker.status().ready
    with pytest.raises(StoreError):
        tracker.record("bob")
    place.mkdir()
    eventually(lambda: tracker.status(), lambda status: status.ready and status.pending == 0)
    tracker.shutdown()
    with Tracker(f"sqlite:{place}/lastseen.db") as again:
        assert again.count() == 2


def test_after_shutdown_answers_come_from_memory_and_the_store_is_not_asked(clock: ManualClock) -> None:
    tracker = Tracker("memory:", clock=clock)
    tracker.touch("ada")
    tracker.shutdown()
    tracker.shutdown()
    tracker.touch("bob")
    assert tracker.count() == 2
    with pytest.raises(StoreError, match="has been shut down"):
        tracker.flush()


def test_threads_may_use_it_at_the_same_time(tracker: Tracker) -> None:
    def touch(first: int) -> None:
        for user in range(first, first + 100):
            tracker.touch(user)
            tracker.online(5)

    threads = [threading.Thread(target=touch, args=(first,)) for first in range(0, 400, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracker.count() == 400


def test_a_fork_starts_its_own(tmp_path: Path) -> None:
    tracker = Tracker(f"sqlite:{tmp_path}/lastseen.db")
    tracker.touch("parent")
    tracker.flush()
    child = os.fork()
    if child == 0:
        # In the child nothing of the test may run on, whatever happens.
        status = 1
        try:
            tracker.touch("child")
            tracker.flush()
            status = 0 if tracker.count() == 2 else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    eventually(tracker.count, lambda count: count == 2)
    tracker.shutdown()


def test_the_status_tells_all_that_the_library_tells(tracker: Tracker) -> None:
    python = Path(__file__).parents[2]
    source = (python.parent / "lastseen/src/tracker/status.rs").read_text()
    [fields] = re.findall(r"pub struct Status \{(.*?)\n\}", source, re.DOTALL)
    told = {*re.findall(r"^    pub (\w+):", fields, re.MULTILINE), "ready"}
    stubs = ast.parse((python / "lastseen/_native.pyi").read_text())
    [stub] = (node for node in stubs.body if isinstance(node, ast.ClassDef) and node.name == "Status")
    assert len(told) > 20
    assert {name for name in vars(Status) if not name.startswith("_")} == told
    assert {node.name for node in stub.body if isinstance(node, ast.FunctionDef)} == told
    tracker.touch("ada")
    tracker.flush()
    status = tracker.status()
    assert (status.users, status.records, status.last_batch, status.evicted) == (1, 1, 1, 0)
    assert (status.flushed_at, status.history_failures, status.expire_failures) == (START, 0, 0)
    assert status.changes == 0
    assert status.caught_up_at is not None
