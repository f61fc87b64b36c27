"""Signing in and out, and accounts that change or go."""

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from lastseen._native import StoreError
from lastseen.django import conf as site_conf
from lastseen.django.keys import now
from lastseen.django.middleware import watch
from lastseen.django.sessions import sessions
from lastseen.django.site import tracker
from lastseen.django.table import database, note_erasure

logger = logging.getLogger("lastseen")


def connect() -> None:
    user_logged_in.connect(signed_in, dispatch_uid="lastseen")
    user_logged_out.connect(signed_out, dispatch_uid="lastseen")
    post_save.connect(saved, sender=get_user_model(), dispatch_uid="lastseen")
    post_delete.connect(deleted, sender=get_user_model(), dispatch_uid="lastseen")


def signed_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    """The middleware had nobody to report yet."""
    forget_session(request)
    watch().introduce(user)
    watch().touch(request, user.pk)


def signed_out(sender: Any, request: Any, user: Any, **_: Any) -> None:
    """Offline at once."""
    forget_session(request)
    if user is not None:
        try:
            tracker().leave(user.pk)
        except Exception:
            logger.exception("lastseen: the sign-out of %r can't be recorded", user.pk)


def forget_session(request: Any) -> None:
    cookie = getattr(request, "COOKIES", {}).get(settings.SESSION_COOKIE_NAME)
    if cookie:
        sessions.forget(cookie)


def saved(sender: Any, instance: Any, created: bool, **_: Any) -> None:
    """An account that is switched off is gone from lists and counts at once, in other processes within a minute."""
    if created or not tracker().started:
        return

    transaction.on_commit(lambda: watch().introduce(instance), using=instance._state.db)


def deleted(sender: Any, instance: Any, using: str, **_: Any) -> None:
    """Who is deleted is forgotten, in every process. The record itself goes with the user.

    A copy that goes from another database, an archive's for one, leaves the user where they were.
    """
    if using != database():
        return
    key = instance.pk
    store = site_conf.load().store
    if store is None:
        note_erasure(using, str(key), now())
    elif store != "memory:":

        def forget() -> None:
            try:
                tracker().forget(key, timeout=1)
            except StoreError:
                logger.exception("lastseen: %r can't be forgotten now, and is offline within the window", key)

        transaction.on_commit(forget, using=instance._state.db)
