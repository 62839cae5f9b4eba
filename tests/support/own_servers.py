"""Database servers of the tests' own, which can be killed without harm to anybody else."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pymysql  # type: ignore[import-untyped]
import pytest
from sink_servers import S3_SECRETS, Receiver, lines_of_objects, s3_address, takes_objects, weed
from waiting import wait_for
from weed import free_ports


@dataclass
class Server:
    """A server program that runs in the foreground, as a user that it accepts."""

    command: list[str]
    folder: Path
    user: str | None
    crash: signal.Signals
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, user=self.user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """As by a crash: what was not committed is gone, what was is not."""
        if self.process is not None:
            self.process.send_signal(self.crash)
            self.process.wait()
            self.process = None


def program(name: str) -> str:
    """Where a server's program is; without one, the server that runs here is cut off instead (`sink_servers`)."""
    places = [shutil.which(name), *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))]
    found = next((each for each in places if each), None)
    if found is None:
        pytest.skip(f"the program {name} is not installed")
    return found


@contextmanager
def folder_of(*users: str) -> Iterator[tuple[Path, str | None]]:
    """A folder, and the user that a server has to run as: these programs refuse to run as root."""
    with tempfile.TemporaryDirectory(prefix="server-") as name:
        user = None
        if os.geteuid() == 0:
            known = {each.pw_name for each in pwd.getpwall()}
            user = next(each for each in users if each in known)
            shutil.chown(name, user)
        yield Path(name), user


@contextmanager
def own_postgresql() -> Iterator[Receiver]:
    with folder_of("postgres", "nobody") as (folder, user):
        (port,) = free_ports(1)
        subprocess.run(
            [program("initdb"), "-D", f"{folder}/data", "-U", "audit", "--auth=trust", "--no-sync", "-E", "UTF8"],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        command = [program("postgres"), "-D", f"{folder}/data", "-p", str(port), "-c", "listen_addresses=127.0.0.1",
                   "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]  # fmt: skip
        server = Server(command, folder, user, signal.SIGQUIT)
        server.start()
        address = f"postgresql://audit@127.0.0.1:{port}/postgres"

        def lines() -> list[bytes]:
            with psycopg.connect(address) as connection:
                return [row[0].encode() for row in connection.execute("SELECT line FROM dialfeed_events ORDER BY n")]

        try:
            yield Receiver("postgresql", address, server.stop, server.start, lambda: None, lines)
        finally:
            server.stop()


@contextmanager
def own_mariadb() -> Iterator[Receiver]:
    with folder_of("mysql", "nobody") as (folder, user):
        (port,) = free_ports(1)
        subprocess.run(
            [program("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        command = [program("mariadbd"), "--no-defaults", f"--datadir={folder}/data", f"--port={port}",
                   "--bind-address=127.0.0.1", f"--socket={folder}/s", "--innodb-buffer-pool-size=16M"]  # fmt: skip
        server = Server(command, folder, user, signal.SIGKILL)
        server.start()

        def ready() -> bool:
            try:
                with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
                    connection.cursor().execute("CREATE DATABASE IF NOT EXISTS audit")
            except pymysql.Error:
                return False
            return True

        def lines() -> list[bytes]:
            with pymysql.connect(host="127.0.0.1", port=port, user="root", database="audit") as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT line FROM dialfeed_events ORDER BY n")
                return [row[0].encode() for row in cursor.fetchall()]

        try:
            wait_for(ready)
            yield Receiver(
                "mysql", f"mysql://root@127.0.0.1:{port}/audit", server.stop, server.start, lambda: None, lines
            )
        finally:
            server.stop()


@contextmanager
def own_weed() -> Iterator[Receiver]:
    server, prefix = weed(), secrets.token_hex(4)
    wait_for(lambda: takes_objects(server.port))
    address = s3_address(server.port, prefix)

    def lines() -> list[bytes]:
        return lines_of_objects(server.port, prefix)

    yield Receiver("s3", address, server.kill, server.start, lambda: None, lines, S3_SECRETS, keeps_repeats=True)


OWN = {"own postgresql": own_postgresql, "own mariadb": own_mariadb, "own s3": own_weed}
