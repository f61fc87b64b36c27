"""Whose session it is, without asking the database: remembered from when that was last known."""

import time

KEPT = 60.0
"""Seconds that a session is remembered for, and at most as long again."""

NOBODY = ""
"""Stands for the user of a session that nobody is signed in to."""


class Sessions:
    """Session cookies, and the keys of their users as text.

    Whoever signs out loses the cookie, in every process. What a session loses otherwise, by a new password for example, it
    loses here within two minutes; the site itself doesn't ask here.
    """

    def __init__(self) -> None:
        self.young: dict[str, str] = {}
        self.old: dict[str, str] = {}
        self.turn_at = time.monotonic() + KEPT

    def get(self, cookie: str) -> str | None:
        """The user; `None` where it isn't known."""
        if time.monotonic() >= self.turn_at:
            self.turn()
        user = self.young.get(cookie)
        return self.old.get(cookie) if user is None else user

    def turn(self) -> None:
        """Lets go of what is older than a turn."""
        now = time.monotonic()
        self.old = self.young if now < self.turn_at + KEPT else {}
        self.young, self.turn_at = {}, now + KEPT

    def learn(self, cookie: str, user: str) -> None:
        self.young[cookie] = user

    def forget(self, cookie: str) -> None:
        self.young.pop(cookie, None)
        self.old.pop(cookie, None)


sessions = Sessions()
"""This process's."""
