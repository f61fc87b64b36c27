"""Waiting for what happens on another thread or in another process, the one place where tests let real time pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that anything may take before its test fails: many times what it needs, on a busy machine too."""


def eventually(probe: Callable[[], T], holds: Callable[[T], object] = bool, within: float = PATIENCE) -> T:
    """Asks `probe` again and again until its answer `holds`, and returns that answer."""
    deadline = time.monotonic() + within
    while True:
        last_time = time.monotonic() >= deadline
        answer = probe()
        if holds(answer):
            return answer
        assert not last_time, f"did not come true within {within} s; the last answer was {answer!r}"
        time.sleep(0.02)
