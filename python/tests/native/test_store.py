"""A store written in Python: what it is asked, and what becomes of its failures."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from lastseen import Changes, ManualClock, Page, Record, Store, StoreError, Tracker
from tests.lastseen_server import LastseenServer, lastseen_server
from tests.patience import eventually
from tests.redis import redis

START = datetime(2026, 11, 24, 1, 0, tzinfo=timezone.utc)


class DictStore(Store):
    """Keeps records in a dict, and fails or hangs when told to."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.threads: set[int] = set()
        self.failing: Exception | None = None
        self.let_through = threading.Event()
        self.let_through.set()
        self.closed = False

    def called(self) -> None:
        self.threads.add(threading.get_ident())
        assert self.let_through.wait(30)
        if self.failing:
            raise self.failing

    def write(self, records: list[Record], now: datetime) -> None:
        self.called()
        for record in records:
            before = self.records.get(record.user, Record(record.user))
            self.records[record.user] = before.merged(record, now)

    def read(self, user: str) -> Record | None:
        self.called()
        return self.records.get(user)

    def recent(self, since: datetime, page: str | None) -> Page:
        self.called()
        users = sorted(user for user in self.records if page is None or user > page)
        return Page([self.records[user] for user in users[:1]], [], users[0] if len(users) > 1 else None)

    def follow(self, cursor: str | None) -> Changes:
        self.called()
        return super().follow(cursor)

    def forget(self, user: str, at: datetime) -> None:
        self.called()
        self.records.pop(user, None)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def store() -> Iterator[DictStore]:
    store = DictStore()
    yield store
    store.let_through.set()


def test_it_is_called_on_one_thread_and_closed_at_the_end(store: DictStore) -> None:
    store.write([Record("ada", START), Record("bob", START), Record("eve")], START)
    with Tracker(store, clock=ManualClock(START)) as tracker:
        assert [user.user for user in tracker.online()] == ["ada", "bob"]
        tracker.record("eve", ip="203.0.113.7")
        tracker.leave("bob")
        tracker.forget("ada")
    assert store.records == {
        "bob": Record("bob", START, left_at=START),
        "eve": Record("eve", START, "203.0.113.7"),
    }
    assert len(store.threads - {threading.get_ident()}) == 1
    assert store.closed


def test_rule_7_a_store_that_fails_is_logged_once_and_gets_everything_later(
    store: DictStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.failing = OSError("no route to the database")
    with caplog.at_level(logging.INFO, "lastseen"), Tracker(store, granularity=0.05, follow_every=0.05) as tracker:
        tracker.touch("ada")
        eventually(lambda: tracker.status().flush_failures > 2)
        assert "no route to the database" in str(tracker.status().store_error)
        with pytest.raises(StoreError, match="no route to the database"):
            tracker.record("bob")
        with pytest.raises(StoreError):
            tracker.last_seen("nobody")
        store.failing = None
        eventually(lambda: tracker.status().ready and tracker.status().pending == 0)
    assert set(store.records) == {"ada", "bob"}
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "INFO"]
    assert "no route to the database" in caplog.text


def test_rule_7_a_store_that_hangs_holds_nobody_up_for_long(store: DictStore) -> None:
    store.let_through.clear()
    tracker = Tracker(store)
    tracker.touch("ada")
    assert tracker.is_online("ada")
    assert not tracker.status().loaded
    with pytest.raises(StoreError, match=r"no answer within 10ms"):
        tracker.record("bob", timeout=0.01)
    store.let_through.set()
    eventually(lambda: tracker.status().pending == 0)
    tracker.shutdown()
    assert set(store.records) == {"ada", "bob"}


def test_answers_of_the_wrong_kind_are_an_error_and_not_the_end(store: DictStore) -> None:
    store.read = lambda user: 42  # type: ignore[assignment, method-assign, return-value]
    with Tracker(store) as tracker, pytest.raises(StoreError, match="Record"):
        tracker.last_seen("ada")


def test_a_directory_says_who_users_are() -> None:
    asked: list[list[str]] = []

    def directory(users: list[str]) -> list[tuple[str, str | None, bool, bool]]:
        asked.append(users)
        known = {"1": ("1", "Ada", True, False), "2": ("2", "Bob", False, False), "3": ("3", None, True, True)}
        return [known[user] for user in users if user in known]

    with Tracker("memory:", directory=directory, clock=ManualClock(START)) as tracker:
        for user in range(1, 5):
            tracker.touch(user)
        tracker.resolve_profiles()
        assert sorted(user.label for user in tracker.online()) == ["4", "Ada"]
        assert tracker.last_seen(3) is None
    assert {user for users in asked for user in users} == {"1", "2", "3", "4"}


def test_shutting_down_waits_for_no_directory_that_has_many_to_tell_of() -> None:
    asked = 0

    def directory(users: list[str]) -> list[tuple[str, str | None, bool, bool]]:
        nonlocal asked
        asked += 1
        return []

    # A hundred questions, each followed by a pause.
    tracker = Tracker("memory:", directory=directory)
    for user in range(50_000):
        tracker.touch(user)
    eventually(lambda: asked > 1)
    tracker.shutdown(timeout=5)
    assert asked < 100


def test_a_mirror_gets_what_the_store_gets(tmp_path: Path, store: DictStore) -> None:
    store.records["old"] = Record("old", START - timedelta(days=9))
    with Tracker(f"sqlite:{tmp_path}/lastseen.db", mirror=store, clock=ManualClock(START)) as tracker:
        tracker.record("ada")
        seen = tracker.last_seen("old")
        assert seen is not None
        assert seen.at == START - timedelta(days=9)
    assert store.records["ada"] == Record("ada", START)
    assert store.closed


def test_records_merge_by_the_library_s_rule() -> None:
    now = START + timedelta(hours=1)
    earlier, later = Record("ada", START, "9.9.9.9"), Record("ada", START + timedelta(seconds=1), None, START)
    assert earlier.merged(later, now) == later.merged(earlier, now)
    assert earlier.merged(later, now) == Record("ada", START + timedelta(seconds=1), None, START)
    tie = Record("ada", START, "10.0.0.1")
    assert earlier.merged(tie, now).ip == "10.0.0.1"
    ahead = Record("ada", now + timedelta(minutes=2))
    assert earlier.merged(ahead, now) == earlier


def test_what_is_pending_is_written_at_exit(tmp_path: Path) -> None:
    program = f"""
from lastseen import Tracker
tracker = Tracker("sqlite:{tmp_path}/lastseen.db")
tracker.touch("ada")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
    with Tracker(f"sqlite:{tmp_path}/lastseen.db") as tracker:
        assert tracker.count() == 1


def test_a_store_that_is_busy_at_exit_does_not_abort_the_process() -> None:
    program = """
import time
from lastseen import Page, Store, Tracker

class Busy(Store):
    def write(self, records, now):
        while True:
            time.sleep(0.0001)

    def read(self, user): ...
    def recent(self, since, page): return Page([], [], None)
    def forget(self, user, at): ...

Tracker(Busy()).touch("ada")
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=30, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert "lost with the process" in done.stderr.decode()


@pytest.mark.parametrize("store", [redis, lastseen_server])
def test_processes_on_one_server_agree_and_one_that_is_gone_is_no_matter(
    store: Callable[[], AbstractContextManager[str]],
) -> None:
    with store() as url:
        one, other = Tracker(url), Tracker(url)
        one.record("ada", ip="203.0.113.7")
        eventually(lambda: other.is_online("ada"))
        other.leave("ada")
        eventually(lambda: not one.is_online("ada"))
    one.touch("bob")
    assert one.is_online("bob")
    with pytest.raises(StoreError):
        one.record("eve", timeout=0.5)
    late = Tracker(url)
    late.touch("bob")
    assert late.count() == 1
    other.shutdown()
    for tracker in (one, late):
        with pytest.raises(StoreError):
            tracker.shutdown(timeout=0.5)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("", "needs a token"),
        ("?token_file={token_file}", "the token's scope is read: this call needs one of the scope admin"),
        ("?token_file=/nowhere/token", '"/nowhere/token" as token_file, which can\'t be read'),
        ("?token=secret", 'has the parameter "token": there are token_file'),
    ],
)
def test_a_server_that_refuses_is_named_with_what_would_be_right(parameters: str, named: str) -> None:
    server = LastseenServer("read")
    try:
        tracker = Tracker(server.url + parameters.format(token_file=server.token_file))
        tracker.touch("ada")
        assert tracker.is_online("ada")
        with pytest.raises(StoreError) as refused:
            tracker.flush()
        assert named in str(refused.value)
        assert server.url in str(refused.value)
        assert "secret" not in str(refused.value)
    finally:
        server.close()
