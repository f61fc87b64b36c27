"""A real PostgreSQL server in a directory of its own, on a free port of 127.0.0.1."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.server import Server


class Postgres(Server):
    """A running server, with the superuser `postgres`, who needs no password."""

    orderly = signal.SIGINT

    def __init__(self, durable: bool = False) -> None:
        super().__init__("postgres")
        self.sync = "on" if durable else "off"
        self.owner = owner()
        if self.owner:
            os.chown(self.place, self.owner.pw_uid, self.owner.pw_gid)
        self.run("initdb", "-D", str(self.place / "data"), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.place}"]
        settings += [f"fsync={self.sync}", "max_connections=60"]
        arguments = [argument for setting in settings for argument in ("-c", setting)]
        self.launch([program("postgres"), "-D", str(self.place / "data"), *arguments], self.become_owner())

    def ready(self) -> bool:
        command = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def sql(self, database: str, text: str) -> str:
        command = [program("psql"), "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        done = subprocess.run([*command, "-U", "postgres", "-c", text, database], check=True, capture_output=True)
        return done.stdout.decode().strip()

    def database(self, name: str) -> None:
        self.sql("postgres", f'CREATE DATABASE "{name}"')

    def copy(self, template: str, name: str) -> None:
        """A database with the tables of another and what is in them."""
        self.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [program(name), *arguments], check=True, preexec_fn=self.become_owner(), capture_output=True, cwd="/"
        )

    def become_owner(self) -> Callable[[], None] | None:
        """PostgreSQL refuses to run as root."""
        who = self.owner
        if who is None:
            return None

        def become() -> None:
            os.setgroups([])
            os.setgid(who.pw_gid)
            os.setuid(who.pw_uid)

        return become


def owner() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("root's tests need the user postgres or nobody, as whom PostgreSQL runs")


def program(name: str) -> str:
    found = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.is_file()]
    path = str(max(found)) if found else shutil.which(name)
    assert path, f"{name} isn't there: it is in Debian's package postgresql-15"
    return path
