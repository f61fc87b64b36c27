"""The site's settings: one dictionary, `LASTSEEN`, all of whose entries may be left out."""

import re
from dataclasses import dataclass, field, fields
from datetime import timedelta
from importlib import import_module
from typing import Any, Literal, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from lastseen._native import ClientIp, ManualClock

Span = timedelta | float


@dataclass(frozen=True)
class Conf:
    """What `LASTSEEN` says, or what holds without it."""

    window: Span = timedelta(minutes=15)
    """How recent an activity must be for its user to be online."""
    granularity: Span | None = None
    """How stale the stored date of an online user may be: a thirtieth of the window."""
    horizon: Span | None = None
    """How far back memory reaches, the longest window that can be asked for: a day."""
    skip: list[str | re.Pattern[str]] = field(default_factory=list)
    """Expressions for paths, without their leading slash, whose requests don't count. Those that the root URL module has
    as `skip_last_activity_date` are added."""
    trusted_proxies: list[str] = field(default_factory=list)
    """The networks of the site's own proxies, `unix` for one on a Unix socket."""
    proxy_header: str = "X-Forwarded-For"
    """The one header in which they say from where a request comes."""
    addresses: Literal["keep", "mask", "drop"] = "keep"
    """How much of clients' addresses is kept."""
    keep_addresses: Span | None = None
    """How long after an activity its address is kept: as long as the record."""
    keep_records: Span | None = None
    """How long after the last activity the record is kept: as long as the user."""
    store: str | None = None
    """A URL of what the processes share in place of the site's database, which is written all the same: a Redis, or a
    `lastseen` server such as `http://127.0.0.1:7700`. With `memory:` nothing is shared or written, which is right for a site's
    own tests."""
    clock: ManualClock | str | None = None
    """For tests: a clock, or where to import one from."""


def load() -> Conf:
    """Reads the settings, and says what is wrong with them."""
    given = getattr(settings, "LASTSEEN", {})
    known = {entry.name.upper(): entry.name for entry in fields(Conf)}
    for name in given:
        if name not in known:
            raise ImproperlyConfigured(f"LASTSEEN has no entry {name!r}: there are {', '.join(known)}")
    return Conf(**{known[name]: value for name, value in given.items()})


def skip_expressions(conf: Conf) -> list[re.Pattern[str]]:
    """The expressions of settings and root URL module, compiled."""
    root = import_module(settings.ROOT_URLCONF) if getattr(settings, "ROOT_URLCONF", None) else None
    of_root = getattr(root, "skip_last_activity_date", ())
    for where, listed in (("LASTSEEN['SKIP']", conf.skip), (f"skip_last_activity_date of {root}", of_root)):
        if isinstance(listed, str):
            raise ImproperlyConfigured(f"{where} is the text {listed!r}: write a list of expressions")
    return [compiled(expression) for expression in [*conf.skip, *of_root]]


def compiled(expression: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        pattern = re.compile(expression)
    except (re.error, TypeError) as error:
        raise ImproperlyConfigured(
            rf"the skip expression {expression!r} can't be used: {error}; write one such as r'^static/' or r'\.png$'"
        ) from error
    if pattern.search("") and pattern.pattern in ("", "^"):
        raise ImproperlyConfigured(
            f"the skip expression {pattern.pattern!r} is found in every path: nothing would count"
        )
    return pattern


def client_ip(conf: Conf) -> ClientIp | None:
    """How the client's address is found; `None` where it is simply the peer's."""
    if isinstance(conf.trusted_proxies, str):
        raise ImproperlyConfigured(
            f"LASTSEEN['TRUSTED_PROXIES'] is the text {conf.trusted_proxies!r}: write a list of networks"
        )
    try:
        rule = ClientIp(list(conf.trusted_proxies), conf.proxy_header, conf.addresses)
    except ValueError as error:
        raise ImproperlyConfigured(f"LASTSEEN: {error}") from error
    return rule if conf.trusted_proxies or conf.addresses != "keep" else None


def clock(conf: Conf) -> ManualClock | None:
    found: Any = import_string(conf.clock) if isinstance(conf.clock, str) else conf.clock
    return cast("ManualClock | None", found)
