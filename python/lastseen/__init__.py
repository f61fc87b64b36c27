"""Who is online, and when was everyone last seen, from memory.

>>> from lastseen import Tracker
>>> tracker = Tracker("memory:")
>>> tracker.touch("ada", "203.0.113.7")
>>> [user.label for user in tracker.online(50)]
['ada']
>>> tracker.shutdown()

For Django see `lastseen.django`.
"""

from lastseen._native import (
    ClientIp,
    FullError,
    LastSeen,
    ManualClock,
    Online,
    OnlineUser,
    Record,
    Status,
    StoreError,
    Tracker,
)
from lastseen.store import Changes, Page, Store

__all__ = [
    "Changes",
    "ClientIp",
    "FullError",
    "LastSeen",
    "ManualClock",
    "Online",
    "OnlineUser",
    "Page",
    "Record",
    "Status",
    "Store",
    "StoreError",
    "Tracker",
]
