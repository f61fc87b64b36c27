"""Who is online, as the site asks for it: from memory, and the users themselves by one query for as many as are wanted."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.query import ModelIterable

from lastseen.django.conf import Span
from lastseen.django.directory import has_active_field
from lastseen.django.keys import key_of, stored
from lastseen.django.site import tracker


def get_online_users(num: int, window: Span | None = None) -> QuerySet[Any]:
    """The active accounts whose last activity lies within the window, newest first, at most `num`.

    The window is 15 minutes unless `LASTSEEN["WINDOW"]` or `window`, a timedelta or seconds, says otherwise. Who they are is
    fixed by this call. The queryset fetches the users when it is looked at, keeps their order, and can be filtered and
    sliced; each has its exact `user.useractivity` without another query.
    """
    found = {key_of(user.user): user for user in tracker().online(num, window)}
    found.pop(None, None)
    users: QuerySet[Any] = get_user_model()._default_manager.filter(pk__in=list(found))
    if has_active_field():
        users = users.filter(is_active=True)
    users = users.order_by(Place(list(found))) if found else users.none()
    users._iterable_class = WithActivity
    # Every queryset made of this one has a copy of its query, and so of this.
    users.query.lastseen = found  # type: ignore[attr-defined]
    return users


def online_count(window: Span | None = None) -> int:
    """How many users are online."""
    return tracker().count(window)


def is_online(user: Any) -> bool:
    """Whether a user, or the user with this key, is online."""
    key = getattr(user, "pk", user)
    return key is not None and tracker().is_online(key)


class Place(Func):
    """A row's place in a list of keys."""

    output_field = IntegerField()

    def __init__(self, keys: list[Any]) -> None:
        super().__init__(F("pk"))
        self.keys = keys

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        [key] = self.get_source_expressions()
        column, parameters = compiler.compile(key)
        prepared = [key.output_field.get_db_prep_value(value, connection) for value in self.keys]
        places = " ".join(f"WHEN %s THEN {place}" for place in range(len(prepared)))
        return f"CASE {column} {places} END", (*parameters, *prepared)


class WithActivity(ModelIterable):  # type: ignore[type-arg]
    """Users, each with the last activity that memory knows."""

    def __iter__(self) -> Iterator[Any]:
        from lastseen.django.models import UserActivity

        found = getattr(self.queryset.query, "lastseen", {})
        columns = [field.attname for field in UserActivity._meta.concrete_fields]
        for user in super().__iter__():
            if seen := found.get(user.pk):
                activity = UserActivity.from_db(user._state.db, columns, (user.pk, stored(seen.at), seen.ip, None))
                user._state.fields_cache["useractivity"] = activity
            yield user
