"""Users' keys and dates, as the tracker has them and as the database has them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from datetime import timezone as zone
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone

T = TypeVar("T")


def key_of(user: str) -> Any:
    """The primary key that a tracker's text stands for; `None` where it can't be one."""
    field = get_user_model()._meta.pk
    try:
        key = field.to_python(user)
    except ValidationError:
        return None
    # `007` is no key that the site has given.
    return key if str(key) == user else None


def stored(date: datetime | None) -> Any:
    """A date as the site's models have it: aware or, without USE_TZ, naive in the site's time zone."""
    if date is None or settings.USE_TZ:
        return date
    return timezone.make_naive(date, timezone.get_default_timezone())


def known(date: datetime | None) -> datetime | None:
    """The same date back, aware."""
    if date is None:
        return None
    return timezone.make_aware(date, timezone.get_default_timezone()) if timezone.is_naive(date) else date


def now() -> datetime:
    """The wall time, aware, as models don't have it without USE_TZ."""
    return datetime.now(zone.utc)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
