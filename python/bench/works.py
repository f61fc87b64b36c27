"""What is measured, on the database that the settings name. Prints one JSON object."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils.functional import SimpleLazyObject  # noqa: E402

from bench.recipe.middleware import RecipeMiddleware  # noqa: E402
from bench.recipe.online import get_online_users as recipe_online_users  # noqa: E402
from lastseen.django import LastActivityMiddleware, get_online_users, tracker  # noqa: E402

VISITORS = 500
"""Users who send requests in turn."""


def fill(users: int) -> None:
    """Makes accounts, and for each an activity within the last minute, in the tables of both."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    postgres = connection.vendor == "postgresql"
    numbers = (
        f"generate_series(1, {users}) AS n"
        if postgres
        else f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {users}) SELECT n FROM s)"
    )
    # Every user's own moment, in no order of the keys.
    ago = "(n::bigint * 7919 % 60000)" if postgres else "(n * 7919 % 60000)"
    at = (
        f"now() - {ago} * interval '1 millisecond'"
        if postgres
        else f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({ago} / 1000.0) || ' seconds')"
    )
    now, true, false = ("now()", "true", "false") if postgres else ("datetime('now')", "1", "0")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (id, username, first_name, last_name, email, password, is_superuser, is_staff, is_active,"
            f" date_joined) SELECT n, 'user' || n, '', '', 'user' || n || '@example.com', 'x', {false}, {false}, {true}, {now}"
            f" FROM {numbers}"
        )
        cursor.execute(
            "INSERT INTO lastseen_useractivity (user_id, last_activity_date, last_activity_ip)"
            f" SELECT n, {at}, '203.0.113.7' FROM {numbers}"
        )
        cursor.execute(
            "INSERT INTO recipe_activity (user_id, last_activity_date, last_activity_ip)"
            " SELECT user_id, last_activity_date, last_activity_ip FROM lastseen_useractivity"
        )
        if postgres:
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")


@contextmanager
def index() -> Iterator[None]:
    """The recipe with an index on the date, which makes its question cheap and its writes dearer."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX recipe_date ON recipe_activity (last_activity_date)")
        yield
        cursor.execute("DROP INDEX recipe_date")


def fastest(work: Callable[[], Any], times: int) -> float:
    """Seconds that it takes, undisturbed by what else the machine does: the least of so many times."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


def each(work: Callable[[Any], Any], items: list[Any]) -> float:
    """Seconds that it takes for each of them, on average: what is done behind the requests is paid for too."""
    started = time.perf_counter()
    for item in items:
        work(item)
    return (time.perf_counter() - started) / len(items)


class Requests:
    """Requests of users in turn, with sessions in the database."""

    def __init__(self) -> None:
        self.users = list(User.objects.order_by("pk")[:VISITORS])
        self.cookies = [self.session(user) for user in self.users]

    def session(self, user: User) -> str:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        assert session.session_key
        return session.session_key

    def loaded(self, count: int) -> list[Any]:
        """The view has the user anyway: loading costs neither of them anything."""
        found = []
        for number in range(count):
            request: Any = RequestFactory().get("/about/")
            # As if fresh from the database: whatever it has cached of another request is no part of this one.
            user = User.from_db(
                "default", USER_FIELDS, [getattr(self.users[number % VISITORS], f) for f in USER_FIELDS]
            )
            request.user = user
            request.COOKIES["sessionid"] = self.cookies[number % VISITORS]
            found.append(request)
        return found

    def lazy(self, count: int) -> list[Any]:
        """The view needs no user."""
        found = []
        for number in range(count):
            request: Any = RequestFactory().get("/about/")
            request.COOKIES["sessionid"] = cookie = self.cookies[number % VISITORS]
            request.session = SessionStore(cookie)
            request.user = SimpleLazyObject(lambda request=request: get_user(request))
            found.append(request)
        return found


USER_FIELDS = [field.attname for field in User._meta.concrete_fields]


def view(request: Any) -> None:
    return None


def main(users: int, count: int) -> None:
    fill(users)
    result: dict[str, float] = {}
    started = time.perf_counter()
    tracker().start()
    while not tracker().status().loaded:
        time.sleep(0.01)
    result["start"] = time.perf_counter() - started

    requests = Requests()
    ours, recipe = LastActivityMiddleware(view), RecipeMiddleware(view)
    each(ours, requests.lazy(VISITORS))
    for kind in ("loaded", "lazy"):
        make = getattr(requests, kind)
        nothing = min(each(view, make(count)) for _ in range(3))
        result[f"{kind} ours"] = min(each(ours, make(count * 10)) for _ in range(5)) - nothing
        result[f"{kind} recipe"] = min(each(recipe, make(count)) for _ in range(3)) - nothing
    assert tracker().count() == users, "the run has taken so long that users have gone offline"

    result["list ours"] = fastest(lambda: list(get_online_users(50)), 200)
    result["list recipe"] = fastest(lambda: list(recipe_online_users(50)), 10)
    result["count ours"] = fastest(lambda: tracker().count(), 1000)
    result["count recipe"] = fastest(lambda: recipe_online_users(users).count(), 10)
    ids = {user.pk for user in recipe_online_users(50)}
    assert len(ids & {user.pk for user in get_online_users(50)}) > 0
    with index():
        result["list recipe index"] = fastest(lambda: list(recipe_online_users(50)), 200)
        result["loaded recipe index"] = min(each(recipe, requests.loaded(count)) for _ in range(3)) - nothing
    for user in range(1, 10_001):
        tracker().touch(user)
    started = time.perf_counter()
    tracker().flush(timeout=60)
    result["flush"] = (time.perf_counter() - started) / 10_000
    print(json.dumps(result), flush=True)
    tracker().shutdown(timeout=60)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
