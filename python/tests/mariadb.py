"""A real MariaDB server in a directory of its own, on a free port of 127.0.0.1."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import MySQLdb

from tests.server import Server

SCRIPTS = Path("/usr/share/mysql")


class MariaDb(Server):
    """A running server that lets everybody in."""

    orderly = signal.SIGTERM

    def __init__(self) -> None:
        super().__init__("mariadb")
        data = self.place / "data"
        (data / "mysql").mkdir(parents=True)
        self.options = ["--no-defaults", f"--datadir={data}"]
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in (self.place, data, data / "mysql"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
            self.options.append("--user=nobody")
        # Debian's own way of making the tables needs the package that starts a service.
        statements = "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\n" + "".join(
            (SCRIPTS / name).read_text() for name in ("mysql_system_tables.sql", "mysql_performance_tables.sql")
        )
        make = [program("mariadbd"), *self.options, "--bootstrap"]
        done = subprocess.run(make, input=statements.encode(), check=False, capture_output=True, cwd="/")
        assert done.returncode == 0, done.stderr.decode()
        self.start()

    def start(self) -> None:
        settings = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.place / 'socket'}"]
        settings += ["--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0", "--max-connections=100"]
        self.launch([program("mariadbd"), *self.options, *settings])

    def ready(self) -> bool:
        try:
            self.sql("SELECT 1")
        except MySQLdb.OperationalError:
            return False
        return True

    def sql(self, *statements: str) -> list[Any]:
        """What the last of them gives."""
        connection = MySQLdb.connect(host="127.0.0.1", port=self.port, user="root")
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
            return list(cursor.fetchall())
        finally:
            connection.close()

    def database(self, name: str) -> None:
        self.sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")

    def copy(self, template: str, name: str) -> None:
        """A database with the tables of another and what is in them."""
        self.database(name)
        made = ["SET foreign_key_checks = 0", f"USE `{name}`"]
        for (table,) in self.sql(f"SHOW TABLES IN `{template}`"):
            [(_, create)] = self.sql(f"SHOW CREATE TABLE `{template}`.`{table}`")
            made += [create, f"INSERT INTO `{table}` SELECT * FROM `{template}`.`{table}`"]
        self.sql(*made)


def program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert path, f"{name} isn't there: it is in Debian's package mariadb-server-core"
    return path
