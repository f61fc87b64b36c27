"""The example, as whoever tries it does: by one command, into an empty environment."""

import http.cookiejar
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE, eventually
from tests.server import DIE_WITH_TEST
from tests.servers.site import ROOT

INSTALLING = 600.0
"""Seconds that pip may take, who may have to build the package."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the example serves."""
    log = tmp_path / "log"
    environment = {**os.environ, "PLACE": str(tmp_path / "environment")}
    # The package must come from what is installed, not from the tests' own surroundings.
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    if "LASTSEEN_TEST_WHEEL" in os.environ:
        environment["LASTSEEN_WHEEL"] = os.environ["LASTSEEN_TEST_WHEEL"]
    command = [*DIE_WITH_TEST, str(ROOT.parent / "examples/django_bookmarks/run"), "--bind", "127.0.0.1:0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def found() -> re.Match[str] | None:
        assert process.poll() is None, log.read_text()
        return re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", log.read_text())

    listening = eventually(found, within=INSTALLING)
    assert listening
    yield listening[1]
    process.terminate()
    process.wait(PATIENCE)


class Browser:
    """Cookies, redirects and forms."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def get(self, path: str, fields: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(fields).encode() if fields else None
        with self.opener.open(self.address + path, data, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def send(self, path: str, **fields: str) -> str:
        """Fills in the form on a page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path))
        assert token
        return self.get(path, {"csrfmiddlewaretoken": token[1], **fields})


def test_the_corner_shows_who_is_there(address: str) -> None:
    guest, ada, switched_off = Browser(address), Browser(address), Browser(address)
    assert "0 users are online." in guest.get("/")
    page = ada.send("/sign-in/", username="demo1", password="demo1")
    assert "1 user is online." in page
    assert '<span class="online-name">demo1</span>' in page
    assert "don&#x27;t belong together" in switched_off.send("/sign-in/", username="demo9", password="demo9").replace(
        "'", "&#x27;"
    )
    assert "svg" in guest.get("/pictures/3.svg")
    ada.send("/", title="Lastseen", url="https://example.com/")
    assert "Still awake" in ada.send("/bookmarks/10/", text="Still awake")
    # The other worker knows too.
    eventually(lambda: [guest.get("/") for _ in range(6)], lambda pages: all("demo1" in page for page in pages))
    with pytest.raises(urllib.error.HTTPError, match="404"):
        guest.get("/bookmarks/99/")
