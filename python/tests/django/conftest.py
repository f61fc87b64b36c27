"""Django on the test's database, and a tracker whose clock stands still."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import django
import pytest

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import (  # noqa: E402
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client, override_settings  # noqa: E402

from lastseen import ManualClock, Tracker  # noqa: E402
from lastseen.django import tracker as site_tracker  # noqa: E402
from lastseen.django.models import Flush  # noqa: E402
from lastseen.django.sessions import sessions  # noqa: E402

START = datetime(2026, 11, 24, 1, 0, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def migrated() -> None:
    call_command("migrate", verbosity=0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def database(migrated: None) -> Iterator[None]:
    """The tables, empty before and after."""
    yield
    get_user_model().objects.all().delete()
    Flush.objects.all().delete()
    Session.objects.all().delete()
    sessions.__init__()  # type: ignore[misc]


@pytest.fixture
def tracker(database: None, clock: ManualClock) -> Iterator[Tracker]:
    """The site's, on the test's clock."""
    with override_settings(LASTSEEN={"CLOCK": clock}):
        yield site_tracker()


@pytest.fixture
def people(tracker: Tracker) -> dict[str, Any]:
    """Three accounts whose password is `secret`."""
    create = get_user_model().objects.create_user
    return {name: create(name, f"{name}@example.com", "secret") for name in ("ada", "bob", "eve")}


def signed_in(user: Any) -> Client:
    """A visitor with a session from before, of which this process knows nothing yet."""
    client = Client()
    session = client.session
    session[SESSION_KEY] = user._meta.pk.value_to_string(user)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return client
