"""Who the users are: names, and whether their accounts are active, from the site's user table."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from lastseen.django.connection import connected
from lastseen.django.keys import chunks, key_of
from lastseen.store import Profile

CHUNK = 100
"""Few enough that the interpreter is let go of every millisecond, while the database is asked."""


def users() -> Any:
    """All users, also those whom the model's own manager leaves out."""
    return get_user_model()._base_manager.all()


def has_active_field() -> bool:
    """Whether accounts can be switched off: a user model of one's own may have no field for that."""
    try:
        return isinstance(get_user_model()._meta.get_field("is_active"), models.Field)
    except FieldDoesNotExist:
        return False


def profiles(asked: list[str]) -> list[Profile]:
    """The profiles of these users. Whom the table doesn't have isn't active."""
    columns = ["pk", get_user_model().USERNAME_FIELD, *(["is_active"] if has_active_field() else [])]
    found: dict[str, Profile] = {}
    with connected():
        for chunk in chunks(asked, CHUNK):
            keys = [key for user in chunk if (key := key_of(user)) is not None]
            for key, name, *active in users().filter(pk__in=keys).values_list(*columns):
                found[str(key)] = (str(key), str(name), all(active), False)
    return [found.get(user, (user, None, False, False)) for user in asked]
