"""The native half: what `lastseen` shows of it is documented here."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, Protocol, final

from lastseen.store import Profile, Store

class _Key(Protocol):
    """A user's key: text of 1 to 128 bytes, a whole number, or what `str` makes text of, such as a UUID."""

    def __str__(self) -> str: ...

_Span = timedelta | float
"""A span of time: a timedelta, or seconds."""

class StoreError(Exception):
    """The store, or the directory, failed or didn't answer in time."""

class FullError(Exception):
    """Memory is full of users whom the store lacks."""

@final
class Record:
    """All that a store keeps of one user's activity. Dates are aware; those that it gives are in UTC."""

    def __new__(
        cls, user: _Key, at: datetime | None = None, ip: str | None = None, left_at: datetime | None = None
    ) -> Record: ...
    @property
    def user(self) -> str: ...
    @property
    def at(self) -> datetime | None:
        """The last activity; `None` where only a sign-out is known."""
    @property
    def ip(self) -> str | None: ...
    @property
    def left_at(self) -> datetime | None:
        """When the user last signed out. An activity later than it brings the user back."""
    def merged(self, other: Record, now: datetime) -> Record:
        """This and what `other` knows of the same user: the later activity with its address (of two at the same microsecond
        the greater address), the later sign-out, and no date more than a minute after `now`."""

@final
class OnlineUser:
    """One user who is online."""

    @property
    def user(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def label(self) -> str:
        """The name, or else the key."""
    @property
    def at(self) -> datetime: ...
    @property
    def ip(self) -> str | None: ...

@final
class Online:
    """Who is online: the newest first, and how many there are in all. `len()` is how many are listed."""

    @property
    def as_of(self) -> datetime:
        """The moment for which this is exact."""
    @property
    def window(self) -> timedelta: ...
    @property
    def count(self) -> int:
        """How many are online, those beyond the limit included."""
    @property
    def users(self) -> list[OnlineUser]: ...
    def __iter__(self) -> Iterator[OnlineUser]: ...
    def __len__(self) -> int: ...

@final
class LastSeen:
    """When a user was last seen."""

    @property
    def as_of(self) -> datetime: ...
    @property
    def online(self) -> bool: ...
    @property
    def user(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...
    @property
    def ip(self) -> str | None: ...
    @property
    def left_at(self) -> datetime | None:
        """When the user signed out, where that was after the last activity."""

@final
class Status:
    """How a tracker is doing. What is counted is counted since its start."""

    @property
    def as_of(self) -> datetime: ...
    @property
    def users(self) -> int:
        """Users in memory."""
    @property
    def pending(self) -> int:
        """Those among them of whom the store lacks something."""
    @property
    def touches(self) -> int: ...
    @property
    def refused(self) -> int:
        """Touches of new users that memory had no place for."""
    @property
    def evicted(self) -> int:
        """Users let go of to make room for others."""
    @property
    def loaded(self) -> bool:
        """Whether the store's recent records have been read, so that lists and counts are whole."""
    @property
    def ready(self) -> bool:
        """Whether answers are whole and the store answers."""
    @property
    def batches(self) -> int:
        """Batches that the store has taken."""
    @property
    def records(self) -> int:
        """The records in them all."""
    @property
    def last_batch(self) -> int:
        """The records in the last of them."""
    @property
    def flush_failures(self) -> int:
        """Attempts to write to the store that failed."""
    @property
    def follow_failures(self) -> int:
        """Attempts to read what others have written that failed."""
    @property
    def history_failures(self) -> int:
        """Attempts to write the history that failed."""
    @property
    def expire_failures(self) -> int:
        """Attempts to let go of what is kept no longer that failed."""
    @property
    def directory_failures(self) -> int:
        """Attempts to ask the directory that failed."""
    @property
    def changes(self) -> int:
        """Changes by others that the store has told of."""
    @property
    def flushed_at(self) -> datetime | None:
        """When the store last took a batch."""
    @property
    def caught_up_at(self) -> datetime | None:
        """When everything that was due had last been written."""
    @property
    def followed_at(self) -> datetime | None:
        """When the store was last asked for what others have written."""
    @property
    def store_error(self) -> str | None:
        """Why the store fails, while it does."""
    @property
    def directory_error(self) -> str | None:
        """Why the directory fails, while it does."""

class ManualClock:
    """A clock that stands still until a test moves it."""

    def __new__(cls, now: datetime) -> ManualClock: ...
    def advance(self, by: _Span) -> None:
        """Lets time pass, and has all done that is due by then."""
    def set(self, now: datetime) -> None:
        """Makes the wall time jump, either way. Timers don't notice."""
    def now(self) -> datetime: ...

@final
class ClientIp:
    """How a client's address is found: the socket's peer, unless that is a trusted proxy; then the last address in the
    header that isn't one, read from the right."""

    def __new__(
        cls,
        trusted: list[str] = ...,
        header: str = "X-Forwarded-For",
        policy: Literal["keep", "mask", "drop"] = "keep",
    ) -> ClientIp:
        """`trusted` are the networks of the site's own proxies, such as `10.0.0.0/8`; `unix` is for one on a Unix socket.
        The header is X-Forwarded-For, X-Real-IP or Forwarded. `mask` keeps 24 bits of IPv4 and 48 of IPv6."""
    def of(self, peer: str, forwarded: str | None = None) -> str | None:
        """The client's address, of the peer's (`""` for a Unix socket) and the header's value."""

@final
class Tracker:
    """Who is online, and when was everyone last seen.

    The first call starts it: threads of its own, and the reading of what the store has, for which that call waits a second
    at most. After a fork the child starts its own, so a tracker may be made before. Touches and answers are a matter of
    memory and wait for nothing. The calls that take a `timeout`, 5 seconds unless set, ask the store, and raise `StoreError`
    where it fails or takes longer. At the interpreter's exit what is pending is written.
    """

    def __new__(
        cls,
        store: str | Store = "sqlite:lastseen.db",
        *,
        window: _Span | None = None,
        granularity: _Span | None = None,
        flush_every: _Span | None = None,
        follow_every: _Span | None = None,
        horizon: _Span | None = None,
        refresh_profiles_every: _Span | None = None,
        keep_addresses: _Span | None = None,
        keep_records: _Span | None = None,
        capacity: int | None = None,
        directory: Callable[[list[str]], Iterable[Profile]] | None = None,
        mirror: Store | None = None,
        clock: ManualClock | None = None,
    ) -> Tracker:
        """Raises `ValueError` where settings contradict each other, naming them.

        `store` is `memory:`, `sqlite:PATH`, `postgres://...`, `redis://...`, `redis+sentinel://...`,
        `redis+cluster://...`, `http://...` or `https://...` for what a `lastseen` server keeps (with `?token_file=FILE` where it
        has tokens), or a `Store` of your own. `mirror` is given all that the store is given, and is read for users
        whom the store doesn't know. `window` is how recent an activity must be: 15 minutes. `granularity` is how stale the
        stored date of an online user may be: a thirtieth of the window; it is written every `flush_every`: 1 second.
        `follow_every` is how often others' changes are read: half a second. `horizon` is how far back memory reaches: a day.
        `directory` says who users are, and is asked anew each `refresh_profiles_every`: 1 minute. `capacity` is the most
        users that memory holds: 10 million. `keep_addresses` and `keep_records` are how long after an activity its address
        and the whole record are kept: for ever.
        """
    @property
    def window(self) -> timedelta: ...
    @property
    def started(self) -> bool:
        """Whether it has been started in this process."""
    def start(self) -> None:
        """Starts this process's, as the first call of any other method would."""
    def touch(self, user: _Key, ip: str | None = None) -> None:
        """A user is active now."""
    def touch_at(self, user: _Key, at: datetime, ip: str | None = None) -> None:
        """A user was active then. It may come in any order, but not from more than 5 seconds ahead."""
    def record(
        self, user: _Key, at: datetime | None = None, ip: str | None = None, *, timeout: _Span | None = None
    ) -> None:
        """A touch that returns once the store has committed it."""
    def leave(self, user: _Key) -> None:
        """Signs a user out: offline at once, until the next touch."""
    def forget(self, user: _Key, *, timeout: _Span | None = None) -> None:
        """Erases a user, from memory, from the store and from other processes."""
    def online(self, limit: int = 50, window: _Span | None = None) -> Online:
        """Who is online, or was active within a window of your own; at most `limit`, newest first."""
    def count(self, window: _Span | None = None) -> int: ...
    def is_online(self, user: _Key) -> bool: ...
    def last_seen(self, user: _Key, *, timeout: _Span | None = None) -> LastSeen | None:
        """When a user was last seen; `None` for one never seen, and for one who hides."""
    def set_profile(
        self,
        user: _Key,
        name: str | None = None,
        *,
        active: bool = True,
        hidden: bool = False,
        timeout: _Span | None = None,
    ) -> None:
        """Takes what is known of a user into force at once."""
    def resolve_profiles(self, *, timeout: _Span | None = None) -> None:
        """Returns once the directory has been asked about everybody who has come in so far."""
    def status(self) -> Status: ...
    def now(self) -> datetime:
        """The time, by the tracker's clock."""
    def flush(self, *, timeout: _Span | None = None) -> None:
        """Writes all that the store lacks, due or not."""
    def shutdown(self, *, timeout: _Span | None = None) -> None:
        """Flushes and ends the threads. Answers go on to come from memory."""
    def __enter__(self) -> Tracker: ...
    def __exit__(self, *exception: object) -> None: ...
