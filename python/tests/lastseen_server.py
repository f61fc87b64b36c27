"""The program `lastseen` as a server, on a SQLite file in a directory of its own and a free port of 127.0.0.1."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.patience import PATIENCE
from tests.server import Server

REPOSITORY = Path(__file__).parents[2]


class LastseenServer(Server):
    """A running server."""

    orderly = signal.SIGTERM

    def __init__(self, scope: str | None = None) -> None:
        """With a scope it has tokens, and `token_file` holds one of that scope."""
        super().__init__("lastseen")
        self.settings = self.place / "lastseen.toml"
        self.settings.touch()
        self.token_file = self.place / "token"
        if scope:
            made = subprocess.run([program(), "token", "site", "--scope", scope], check=True, capture_output=True)
            token, line = (line for line in made.stdout.decode().splitlines() if not line.startswith("#"))
            self.token_file.write_text(token + "\n")
            self.settings.write_text(line + "\n")
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        store = f"sqlite:{self.place}/lastseen.db"
        arguments = ["--config", str(self.settings), "serve", "--listen", f"127.0.0.1:{self.port}", "--store", store]
        self.launch([program(), *arguments])

    def ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/readyz", timeout=PATIENCE) as answer:
                return bool(answer.status == 200)
        except URLError:
            return False

    def kill(self) -> None:
        """As a crash ends it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process = None


@contextmanager
def lastseen_server() -> Iterator[str]:
    """The URL of one without tokens, while it runs."""
    server = LastseenServer()
    try:
        yield server.url
    finally:
        server.close()


def program() -> str:
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    path = REPOSITORY / target / "debug" / "lastseen"
    assert path.is_file(), f"{path} isn't there: `cargo build --package lastseen-server` makes it"
    return str(path)
