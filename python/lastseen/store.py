"""What a store written in Python does."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from lastseen._native import Record

Profile = tuple[str, str | None, bool, bool]
"""A user, the name to show, whether the account is active, whether the user hides."""


class Page(NamedTuple):
    """Some of the recent records and erasures, and where the next page begins."""

    records: list[Record]
    forgotten: list[tuple[str, datetime]]
    next: str | None
    """`None` where this was the last page."""


class Changes(NamedTuple):
    """What others have written."""

    records: list[Record]
    forgotten: list[tuple[str, datetime]]
    cursor: str
    """Where to follow on."""
    missed: bool
    """Whether changes were lost since the old cursor: all that is recent is read again then."""


class Store(ABC):
    """Where records outlive the process, and where processes meet.

    All methods are called on one thread of their own, never while a request waits, and one after another. Whatever they
    raise is logged once; what was to be written stays pending and is tried again.

    A store merges what it is given into what it has by `Record.merged`. So neither the order of batches matters, nor how
    often one is written.
    """

    @abstractmethod
    def write(self, records: list[Record], now: datetime) -> None:
        """Merges a batch, which is sorted by user and has none twice, and returns once it is committed."""

    @abstractmethod
    def read(self, user: str) -> Record | None:
        """What is known of one user."""

    @abstractmethod
    def recent(self, since: datetime, page: str | None) -> Page:
        """A page of the records of all who were active or signed out at or after `since`, and of the last day's
        erasures; `page` is the `next` of the page before."""

    @abstractmethod
    def forget(self, user: str, at: datetime) -> None:
        """Erases what is dated at or before `at` of a user, and for a day drops what comes in late. A later activity stays."""

    def follow(self, cursor: str | None) -> Changes:
        """What others have written since `cursor` was given out: at least once, in any order. `None` is for a cursor that
        stands at the end. Unless overridden there are no others."""
        return Changes([], [], "", False)

    def set_profile(self, user: str, name: str | None, active: bool, hidden: bool) -> None:
        """Keeps what is known of a user, where the tracker has no directory. Unless overridden it isn't kept."""

    def profiles(self, users: list[str]) -> Iterable[Profile]:
        """What is kept of these users. Unless overridden it is nothing."""
        return []

    def expire(self, addresses: datetime | None, records: datetime | None) -> None:
        """Takes away the addresses of activities before `addresses`, and all of users of whom nothing is dated at or after
        `records`. It is called where the tracker is told how long to keep them."""
        raise NotImplementedError(f"{type(self).__name__} has no expire: it keeps addresses and records for ever")

    def close(self) -> None:
        """Called last of all, when the tracker has been shut down."""
