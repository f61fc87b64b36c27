"""A clock that all processes of the site share: it goes as the machine's does, and jumps when the test writes a file.

The file has two numbers: when the test began, by the machine's clock, and how many seconds have been skipped since.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from lastseen import ManualClock

START = datetime(2009, 11, 24, 1, 0, tzinfo=timezone.utc)
FILE = Path(os.environ.get("LASTSEEN_TEST_CLOCK", "/nonexistent"))

clock = ManualClock(START)
_lock = threading.Lock()
_pid = 0


def move() -> None:
    """Takes the clock to where it should be."""
    began, skipped = (float(number) for number in FILE.read_text().split())
    with _lock:
        due = START + timedelta(seconds=time.time() - began + skipped) - clock.now()
        if due > timedelta(0):
            clock.advance(due)


def keep_moving() -> None:
    while True:
        time.sleep(0.02)
        move()


def middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Has the clock go in this process, which may be a fork of another, from its first request on."""

    def respond(request: Any) -> Any:
        global _pid
        if _pid != os.getpid():
            _pid = os.getpid()
            threading.Thread(target=keep_moving, daemon=True).start()
        move()
        return get_response(request)

    return respond
