"""The test site under a real server with several worker processes, driven over HTTP."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.patience import PATIENCE, eventually
from tests.server import DIE_WITH_TEST

ROOT = Path(__file__).parent.parent.parent
COMMANDS = {
    "gunicorn": ["gunicorn", "--workers=4", "--bind=127.0.0.1:0", "tests.site.wsgi"],
    "preload": ["gunicorn", "--workers=4", "--bind=127.0.0.1:0", "--preload", "tests.site.wsgi"],
    "uvicorn": ["uvicorn", "--workers=2", "--port=0", "tests.site.asgi:application"],
}


class Site:
    """A running server and its clock, which shows 1:00 at first."""

    def __init__(self, kind: str, store: str | None = None, **environment: str) -> None:
        self.workers = 2 if kind == "uvicorn" else 4
        self.place = tempfile.TemporaryDirectory(prefix="lastseen-site-")
        self.log = Path(self.place.name) / "log"
        self.clock = Path(self.place.name) / "clock"
        self.began, self.skipped = time.time(), 0.0
        self.skip(0)
        command = [*DIE_WITH_TEST, sys.executable, "-m", *COMMANDS[kind]]
        settings = {"CLOCK": "tests.site.clock.clock", "STORE": store}
        environment["LASTSEEN_TEST_CLOCK"] = str(self.clock)
        environment["LASTSEEN_TEST_SETTINGS"] = json.dumps(settings)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log
            )
        listening = re.compile(r"http://127\.0\.0\.1:(\d+)")
        found = eventually(lambda: listening.search(self.log.read_text()) or self.failed())
        self.port = int(found[1])  # type: ignore[index]
        eventually(lambda: self.listens() or self.failed())

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def failed(self) -> None:
        assert self.process.poll() is None, self.log.read_text()

    def skip(self, seconds: float) -> None:
        """Lets time pass on the site's clock."""
        self.skipped += seconds
        written = self.clock.with_suffix(".new")
        written.write_text(f"{self.began} {self.skipped}")
        written.rename(self.clock)

    def until(self, time_of_day: str) -> None:
        """Lets it pass up to, say, 1:35."""
        hours, minutes = map(int, time_of_day.split(":"))
        self.skip((hours - 1) * 3600 + minutes * 60 - (time.time() - self.began + self.skipped))

    def visitor(self) -> "Visitor":
        return Visitor(self)

    def answers(self) -> dict[int, Any]:
        """What each worker knows, by its process."""
        found: dict[int, Any] = {}
        guest = self.visitor()

        def ask() -> bool:
            answer = json.loads(guest.get("/json/").body)
            found[answer["pid"]] = answer
            return len(found) == self.workers

        eventually(ask)
        return found

    def meet_all(self, visitor: "Visitor") -> None:
        """Has a visitor seen by every worker, as happens on a busy site."""
        met: set[str | None] = set()
        eventually(lambda: met.add(visitor.get("/").worker) or len(met) == self.workers)

    def agree(self, names: list[str], within: float = PATIENCE) -> None:
        """Every worker lists these users, sooner or later."""
        eventually(
            self.answers,
            lambda answers: all(
                answer["memory"] == names and answer["count"] == len(names) for answer in answers.values()
            ),
            within,
        )

    def close(self) -> str:
        """Stops it as an operator does, and returns its log."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        log = self.log.read_text()
        self.place.cleanup()
        return log


class Answer:
    def __init__(self, status: int, body: str, worker: str | None) -> None:
        self.status, self.body, self.worker = status, body, worker


class Visitor:
    """A browser, as far as cookies go. Each request has a connection of its own, and so may meet any worker."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=PATIENCE)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            connection.request("GET", urlsplit(path).geturl(), headers={"Cookie": cookies} if cookies else {})
            response = connection.getresponse()
            body = response.read().decode()
            for line in response.headers.get_all("Set-Cookie") or ():
                name, _, value = line.split(";")[0].partition("=")
                self.cookies[name] = value
                if value in ("", '""'):
                    del self.cookies[name]
            return Answer(response.status, body, response.headers["X-Worker"])
        finally:
            connection.close()
