"""A server's process, which has a directory of its own and ends with the test."""

import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from tests.patience import PATIENCE, eventually

DIE_WITH_TEST = ["setpriv", "--pdeathsig", "KILL"]
"""util-linux's: the kernel ends the process when the test's ends."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(ABC):
    """On a free port of 127.0.0.1; to be stopped and started again."""

    orderly: signal.Signals
    """Ends connections and writes everything, as an operator's stop does."""

    def __init__(self, name: str) -> None:
        self.place = Path(tempfile.mkdtemp(prefix=f"lastseen-{name}-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def ready(self) -> bool: ...

    def launch(self, command: list[str], preexec: Callable[[], None] | None = None) -> None:
        """Returns once it is ready."""
        log = (self.place / "log").open("ab")
        self.process = subprocess.Popen([*DIE_WITH_TEST, *command], preexec_fn=preexec, stdout=log, stderr=log, cwd="/")
        eventually(lambda: self.ready() or self.failed())

    def failed(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.place / "log").read_text()
        return False

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(self.orderly)
            self.process.wait(PATIENCE)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.place, ignore_errors=True)
