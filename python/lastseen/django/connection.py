"""The database connection of the thread behind the requests: kept as long as it works."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connections, router


@contextmanager
def connected() -> Iterator[None]:
    """Does something on this thread's connections, which outlive it unless it fails: the next time has new ones then."""
    try:
        yield
    except DatabaseError as error:
        connections.close_all()
        hint = missing_tables()
        if hint:
            raise RuntimeError(hint) from error
        raise


def missing_tables() -> str | None:
    """What to do where the tables aren't there, if that is what is wrong."""
    from lastseen.django.models import Flush, UserActivity

    try:
        there = connections[router.db_for_write(UserActivity)].introspection.table_names()
    except DatabaseError:
        return None
    missing = [model._meta.db_table for model in (UserActivity, Flush) if model._meta.db_table not in there]
    return f"the database has no table {missing[0]}: run manage.py migrate" if missing else None
