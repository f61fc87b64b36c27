"""The site's own database as the tracker's store, through Django's ORM.

A batch is merged in a transaction, under locks, by the one rule that memory uses: what isn't there is inserted; what is
there is locked, read, merged and, where that changes it, written. So a date never goes back, on any database, whoever
writes at the same time.

Both tables are read and written in one database, the one that the site's routers have `UserActivity` written to: a replica
may lag by more than following can make up for.

Each batch also leaves a `Flush`, which the other processes read. Transactions commit out of the order of their numbers,
so a reader looks for a while at numbers below the last as well, for those that it hasn't seen.
"""

import json
import os
import time
import uuid
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from django.db import IntegrityError, OperationalError, connections, router, transaction
from django.db.models import Q
from django.db.models.constants import OnConflict

from lastseen._native import Record
from lastseen.django.connection import connected
from lastseen.django.keys import chunks, key_of, known, now, stored
from lastseen.store import Changes, Page, Store

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)

SETTLED = 60.0
"""Seconds after which no transaction is still to commit under a number below one that has been seen."""
KEPT = timedelta(minutes=10)
"""How long flushes are kept. Whoever hasn't followed for longer reads everything recent."""
ERASURES_KEPT = timedelta(days=1)
PRUNE_EVERY = 60.0
DEADLOCKS = 5
"""How many lost ones a batch is begun again after, at once: MySQL has two processes that insert the same user lose each other."""
PAGE = 10_000
CHUNK = 1_000

Row = tuple[Any, datetime, str | None, datetime | None]
FIELDS = ("pk", "last_activity_date", "last_activity_ip", "left_at")


class Table(Store):
    """`UserActivity`, merged by batches, and `Flush`, by which processes follow one another."""

    def __init__(self, followed_by_others: bool = True) -> None:
        self.leaves_flushes = followed_by_others
        self.pid = 0
        self.origin = ""
        self.seen: dict[int, float] = {}
        self.followed: float | None = None
        self.pruned = 0.0

    # --- What comes in ------------------------------------------------------------------------------------------------

    def write(self, records: list[Record], now: datetime) -> None:
        with connected():
            try:
                self.merge_or_retry(records, now)
            except IntegrityError:
                # Some of them have been deleted since, and must not keep the others from being written.
                there = existing(database(), records)
                if len(there) == len(records):
                    raise
                self.merge_or_retry(there, now)

    def merge_or_retry(self, records: list[Record], now: datetime) -> None:
        for _ in range(DEADLOCKS):
            try:
                return self.merge(records, now)
            except OperationalError as error:
                if not is_deadlock(error):
                    raise
        return self.merge(records, now)

    def merge(self, records: list[Record], now: datetime) -> None:
        from lastseen.django.models import Flush

        alias = database()
        most = (connections[alias].features.max_query_params or 4 * CHUNK) // 4
        with transaction.atomic(using=alias):
            take_turn(alias)
            erased = erasures(alias, now)
            records = [kept for record in records if (kept := plausible(record, erased, now)) is not None]
            keyed = {key: record for record in records if (key := key_of(record.user)) is not None}
            # All processes lock in this order, so that none waits for one that waits for it.
            for chunk in chunks(sorted(keyed), min(CHUNK, most)):
                merge_chunk(alias, {key: keyed[key] for key in chunk}, now)
            if records and self.leaves_flushes:
                self.here()
                text = json.dumps([entry(record) for record in records], separators=(",", ":"))
                Flush.objects.using(alias).create(at=stored(now), origin=self.origin, records=text)
            self.prune(alias, now)

    def prune(self, alias: str, now: datetime) -> None:
        from lastseen.django.models import Flush

        if time.monotonic() - self.pruned < PRUNE_EVERY:
            return
        old = Q(erasure=False, at__lt=stored(now - KEPT)) | Q(at__lt=stored(now - ERASURES_KEPT))
        Flush.objects.using(alias).filter(old).delete()
        self.pruned = time.monotonic()

    def forget(self, user: str, at: datetime) -> None:
        from lastseen.django.models import UserActivity

        key = key_of(user)
        if key is None:
            return
        self.here()
        alias = database()
        with connected(), transaction.atomic(using=alias):
            activity = UserActivity.objects.using(alias).filter(pk=key)
            activity.filter(left_at__lte=stored(at)).update(left_at=None)
            activity.filter(last_activity_date__lte=stored(at)).delete()
            note_erasure(alias, user, at, self.origin)

    def expire(self, addresses: datetime | None, records: datetime | None) -> None:
        from lastseen.django.models import UserActivity

        activities = UserActivity.objects.using(database())
        with connected():
            if addresses is not None:
                old = activities.filter(last_activity_date__lt=stored(addresses), last_activity_ip__isnull=False)
                old.update(last_activity_ip=None)
            if records is not None:
                left = Q(left_at=None) | Q(left_at__lt=stored(records))
                activities.filter(left, last_activity_date__lt=stored(records)).delete()

    # --- What is asked ------------------------------------------------------------------------------------------------

    def read(self, user: str) -> Record | None:
        from lastseen.django.models import UserActivity

        key = key_of(user)
        if key is None:
            return None
        with connected():
            row = UserActivity.objects.using(database()).filter(pk=key).values_list(*FIELDS).first()
        return record_of(row) if row else None

    def recent(self, since: datetime, page: str | None) -> Page:
        from lastseen.django.models import UserActivity

        alias = database()
        with connected():
            recent = Q(last_activity_date__gte=stored(since)) | Q(left_at__gte=stored(since))
            rows = UserActivity.objects.using(alias).filter(recent).order_by("pk").values_list(*FIELDS)
            if page is not None:
                rows = rows.filter(pk__gt=key_of(page))
            records = [record_of(row) for row in rows[:PAGE]]
            forgotten = list(erasures(alias, now()).items()) if page is None else []
        return Page(records, forgotten, records[-1].user if len(records) == PAGE else None)

    def follow(self, cursor: str | None) -> Changes:
        from lastseen.django.models import Flush

        self.here()
        with connected():
            flushes = Flush.objects.using(database()).order_by("pk")
            if cursor is None:
                # From before the numbers that may still be about to appear.
                settled = flushes.filter(at__lt=stored(now() - timedelta(seconds=SETTLED))).last()
                self.followed = time.monotonic()
                self.seen.clear()
                return Changes([], [], str(settled.pk if settled else 0), False)
            floor = int(cursor)
            numbers = list(flushes.filter(pk__gt=floor).values_list("pk", flat=True))
            news = [number for number in numbers if number not in self.seen]
            changes = self.changes(flushes, news) if news else ([], [])
        at = time.monotonic()
        missed = self.followed is None or at - self.followed > KEPT.total_seconds() - SETTLED
        self.followed = at
        self.seen.update((number, at) for number in news)
        settled_numbers = [number for number, seen_at in self.seen.items() if at - seen_at > SETTLED]
        floor = max(settled_numbers, default=floor)
        self.seen = {number: seen_at for number, seen_at in self.seen.items() if number > floor}
        return Changes(*changes, str(floor), missed)

    def changes(self, flushes: Any, numbers: list[int]) -> tuple[list[Record], list[tuple[str, datetime]]]:
        """What others have written under these numbers."""
        records, forgotten = [], []
        for chunk in chunks(numbers, 100):
            others = flushes.filter(pk__in=chunk).exclude(origin=self.origin)
            for erasure, text in others.values_list("erasure", "records"):
                for user, at, *rest in json.loads(text):
                    if erasure:
                        forgotten.append((user, date(at)))
                    else:
                        ip, left_at = rest
                        records.append(Record(user, date(at), ip, date(left_at)))
        return records, forgotten

    def close(self) -> None:
        connections.close_all()

    def here(self) -> None:
        """Makes sure that this process goes by a name of its own: it may be a fork of another that has used this."""
        if self.pid != os.getpid():
            self.pid, self.origin, self.seen = os.getpid(), uuid.uuid4().hex, {}


def database() -> str:
    """The one that has both tables."""
    from lastseen.django.models import UserActivity

    return router.db_for_write(UserActivity)


def take_turn(alias: str) -> None:
    """SQLite doesn't let a transaction write that has begun by reading, if another has written meanwhile. So this one
    begins by writing nothing, and waits for its turn where it can."""
    from lastseen.django.models import Flush

    if connections[alias].vendor == "sqlite":
        Flush.objects.using(alias).filter(pk=0).update(erasure=False)


def merge_chunk(alias: str, incoming: dict[Any, Record], now: datetime) -> None:
    """What is there is locked and merged; what isn't is inserted, unless another process does that now."""
    from lastseen.django.models import UserActivity

    there = merge_rows(alias, incoming, now)
    # A sign-out without an activity is nothing to keep of a user of whom nothing is known.
    new = {key: record for key, record in incoming.items() if key not in there and record.at is not None}
    if not new:
        return
    ignores = connections[alias].features.supports_ignore_conflicts
    # Where that isn't to be had, another process's insert makes this fail, and the batch comes again.
    rows = [row_of(key, record) for key, record in new.items()]
    UserActivity.objects.using(alias).bulk_create(rows, ignore_conflicts=ignores)
    if ignores:
        merge_rows(alias, new, now)


def merge_rows(alias: str, incoming: dict[Any, Record], now: datetime) -> set[Any]:
    """Merges records into the rows that are there, and gives their keys. The locks are taken in the order of the keys."""
    from lastseen.django.models import UserActivity

    features = connections[alias].features
    activities = UserActivity.objects.using(alias)
    changed, there = [], set()
    for row in activities.filter(pk__in=list(incoming)).order_by("pk").select_for_update().values_list(*FIELDS):
        there.add(row[0])
        before = record_of(row)
        after = before.merged(incoming[row[0]], now)
        if after != before:
            changed.append((row[0], after))
    if changed and features.supports_update_conflicts:
        upsert(alias, changed)
    elif changed:
        activities.bulk_update([row_of(key, record) for key, record in changed], list(FIELDS[1:]))
    return there


def upsert(alias: str, rows: list[tuple[Any, Record]]) -> None:
    """Writes rows that are there. Django's own way there, an insert that becomes an update, without its objects for each
    row, which take longer than the database."""
    from lastseen.django.models import UserActivity

    connection = connections[alias]
    fields: Any = UserActivity._meta.concrete_fields
    of_key, of_date, of_ip, _ = (partial(field.get_db_prep_save, connection=connection) for field in fields)
    values: list[Any] = []
    for user, record in rows:
        left = record.left_at
        values += (of_key(user), of_date(stored(record.at)), of_ip(record.ip), left and of_date(stored(left)))
    names = [field.column for field in fields]
    table, *columns = (connection.ops.quote_name(name) for name in (UserActivity._meta.db_table, *names))
    suffix = connection.ops.on_conflict_suffix_sql(fields, OnConflict.UPDATE, names[1:], names[:1])
    places = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places} {suffix}", values)


def is_deadlock(error: OperationalError) -> bool:
    """Whether the database has given up this transaction for another, and it is to be begun again."""
    return error.args[:1] == (1213,) or getattr(error.__cause__, "sqlstate", None) == "40P01"


def existing(alias: str, records: list[Record]) -> list[Record]:
    """Those of users whom the site still has."""
    from lastseen.django.directory import users

    there: set[str] = set()
    for chunk in chunks(records, 500):
        keys = [key for record in chunk if (key := key_of(record.user)) is not None]
        there.update(str(key) for key in users().using(alias).filter(pk__in=keys).values_list("pk", flat=True))
    return [record for record in records if record.user in there]


def erasures(alias: str, now: datetime) -> dict[str, datetime]:
    """Who was erased within the last day, and when."""
    from lastseen.django.models import Flush

    noted = Flush.objects.using(alias).filter(erasure=True, at__gte=stored(now - ERASURES_KEPT))
    erased: dict[str, datetime] = {}
    for text in noted.order_by("pk").values_list("records", flat=True):
        for user, at in json.loads(text):
            erased[user] = max(erased.get(user, EPOCH), date(at))
    return erased


def note_erasure(alias: str, user: str, at: datetime, origin: str = "") -> None:
    """Tells all processes, within the transaction that there is in that database, to let go of a user."""
    from lastseen.django.models import Flush

    Flush.objects.using(alias).create(
        at=stored(at), origin=origin, erasure=True, records=json.dumps([[user, micros(at)]])
    )


def plausible(record: Record, erased: dict[str, datetime], now: datetime) -> Record | None:
    """What of a record may be written: nothing from a clock that is wrong, nothing from before an erasure."""
    record = Record(record.user).merged(record, now)
    until = erased.get(record.user)
    if until is not None:
        seen = record.at is not None and record.at > until
        left = record.left_at if record.left_at is not None and record.left_at > until else None
        record = Record(record.user, record.at if seen else None, record.ip if seen else None, left)
    return None if record.at is None and record.left_at is None else record


def row_of(key: Any, record: Record) -> Any:
    from lastseen.django.models import UserActivity

    # In the order of the columns, since by name a row would take twice as long to make.
    make: Any = UserActivity
    return make(key, stored(record.at), record.ip, stored(record.left_at))


def record_of(row: Row) -> Record:
    key, at, ip, left_at = row
    return Record(str(key), known(at), ip, known(left_at))


def entry(record: Record) -> list[Any]:
    return [record.user, micros(record.at), record.ip, micros(record.left_at)]


def micros(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // MICROSECOND


def date(at: int | None) -> Any:
    return None if at is None else EPOCH + at * MICROSECOND
