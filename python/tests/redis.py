"""A real Redis in a directory of its own, on a free port of 127.0.0.1."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE, eventually
from tests.server import DIE_WITH_TEST, free_port


@contextmanager
def redis() -> Iterator[str]:
    """Its URL, while it runs."""
    with tempfile.TemporaryDirectory(prefix="lastseen-redis-") as place:
        port = free_port()
        settings = ["--port", str(port), "--bind", "127.0.0.1", "--dir", place, "--save", ""]
        server = subprocess.Popen([*DIE_WITH_TEST, program(Path(place)), *settings], stdout=subprocess.DEVNULL)
        try:
            eventually(lambda: listens(port))
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(PATIENCE)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(place: Path) -> str:
    """The server, which is in Debian's redis-tools too, under another name: it goes by the one that it is called by."""
    if found := shutil.which("redis-server"):
        return found
    tool = shutil.which("redis-check-rdb")
    assert tool, "redis-server isn't there: Debian's package redis-tools has it"
    (place / "redis-server").symlink_to(tool)
    return str(place / "redis-server")
