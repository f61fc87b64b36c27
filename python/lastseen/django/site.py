"""The site's tracker: one in each process, made of the settings when it is first needed."""

import contextlib
import threading
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from lastseen._native import StoreError, Tracker
from lastseen.django import conf as site_conf
from lastseen.django.directory import profiles
from lastseen.django.table import Table

_lock = threading.Lock()
_made: Tracker | None = None

FOLLOW_EVERY = 1.0
"""Seconds between two looks at what others have written."""


def tracker() -> Tracker:
    """The site's tracker. It may be made before a fork: its threads start with its first use, after it."""
    global _made
    if _made is None:
        with _lock:
            if _made is None:
                _made = make(site_conf.load())
    return _made


def make(conf: site_conf.Conf) -> Tracker:
    """A tracker of these settings."""
    clock = site_conf.clock(conf)
    alone = conf.store == "memory:"
    try:
        return Tracker(
            Table() if conf.store is None else conf.store,
            mirror=None if alone or conf.store is None else Table(followed_by_others=False),
            window=conf.window,
            granularity=conf.granularity,
            horizon=conf.horizon,
            keep_addresses=conf.keep_addresses,
            keep_records=conf.keep_records,
            follow_every=FOLLOW_EVERY,
            directory=None if alone else profiles,
            clock=clock,
        )
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"LASTSEEN: {error}") from error


def forget_settings(*, setting: str, **_: Any) -> None:
    """Tests change settings: the next use makes another tracker."""
    global _made
    if setting in ("LASTSEEN", "ROOT_URLCONF"):
        with _lock:
            before, _made = _made, None
        if before is not None:
            # What the database doesn't take now it never gets: nobody is left to be told.
            with contextlib.suppress(StoreError):
                before.shutdown(timeout=5)


setting_changed.connect(forget_settings)
