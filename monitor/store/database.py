"""Opens a database: private SQLite file in WAL mode by default, any other by its URL; its errors in words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, insert, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from monitor.errors import StoreError, UserError
from monitor.store.models import VERSION, Base, IndexVersion

BUSY_MS = 30_000
"""How long a writer waits for another before it gives up."""

REBUILD = "Delete it, or name another with --db: an index is rebuilt from its recordings by `appwitness correlate`."


def open_engine(place: str | Path, prepare: Callable[[Connection, str], None] | None = None) -> Engine:
    """An engine on a database that has our tables, made if need be by `prepare`; None: those of the index.

    `place` is the path of a SQLite file, or a SQLAlchemy URL. Raises UserError when it cannot be used.
    """
    url = _url(place)
    file = _file(url)
    name = str(file or url.render_as_string(hide_password=True))
    with in_words(name):
        if file:
            _make_private(file)
        engine = _sqlite(url, memory=file is None) if url.get_backend_name() == "sqlite" else create_engine(url)
        try:
            with engine.execution_options(write=True).begin() as connection:
                (prepare or _prepare)(connection, name)
        except BaseException:
            engine.dispose()
            raise
    return engine


def set_aside(file: Path) -> Path | None:
    """Rename an index that another version of appwitness made, so that a new one can be begun in its place.

    Gives its new name; None where there is nothing to rename. Raises UserError: another program has it open.
    """
    if not file.is_file():
        return None
    with in_words(str(file)), closing(sqlite3.connect(file, timeout=BUSY_MS / 1000, isolation_level=None)) as old:
        was = file.stat()
        made = old.execute("SELECT 1 FROM sqlite_master WHERE name = 'index_version'").fetchone()
        version = old.execute("SELECT version FROM index_version").fetchone() if made else None
        if version is None or version[0] == VERSION:
            return None
        old.execute("PRAGMA journal_mode = DELETE")  # its -wal is not to be taken for the new one's
        old.execute("BEGIN EXCLUSIVE")
        if not file.exists() or not os.path.samestat(was, file.stat()):  # somebody else was quicker
            return None
        return file.rename(file.with_name(f"{file.name}.version-{version[0]}.bak"))


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Tell errors of the database `name` as UserError: what happened, and what to do."""
    try:
        yield
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UserError(f"No driver for {name}: {error}.", "Install the driver into the same environment.") from None
    except ArgumentError:
        raise UserError(f"{name} is not a database URL.", "Name a file, or a URL as SQLAlchemy writes it.") from None
    except OSError as error:
        raise UserError(f"{name} cannot be made: {error.strerror}.", "Name a file that you may write.") from None
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        step = next((step for words, step in _STEPS.items() if words in said), "Name another database with --db.")
        raise StoreError(f"{name}: {said}.", step) from error


_STEPS = {
    "locked": "Another program is writing to it; wait until it is done, or name another database with --db.",
    "file is not a database": "It is some other file; name another with --db.",
    "malformed": REBUILD,
    "no such table": REBUILD,
    "no such column": REBUILD,
    "unable to open": "Name a file in a folder that you may write to.",
    "readonly": "Name a file that you may write.",
    "disk is full": "Make room and try again.",
    "disk I/O": "Look at the disk, then try again.",
}
"""What SQLite says -> what to do."""


def _url(place: str | Path) -> URL:
    if isinstance(place, str) and "://" in place:
        with in_words(place):
            url = make_url(place)
            return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url
    return URL.create("sqlite", database=str(place))


def _file(url: URL) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return None if url.database.startswith("file:") else Path(url.database)


def _make_private(file: Path) -> None:
    """SQLite gives the files beside the database (-wal, -shm) the rights of the database."""
    for folder in reversed(file.parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not file.exists():
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _sqlite(url: URL, *, memory: bool) -> Engine:
    options: dict[str, Any] = {}
    if memory and url.database in (None, "", ":memory:"):
        options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # a writer says so at once: a reader that turns writer half-way is refused when another wrote in between
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _prepare(connection: Connection, name: str) -> None:
    tables = set(inspect(connection).get_table_names())
    if IndexVersion.__tablename__ in tables:
        found = connection.scalar(select(IndexVersion.version))
        if found != VERSION:
            raise UserError(f"{name} was made by another version of appwitness ({found}, not {VERSION}).", REBUILD)
        return
    ours = tables & set(Base.metadata.tables)
    if ours:
        raise UserError(f"{name} has other tables with the names of ours: {', '.join(sorted(ours))}.", REBUILD)
    Base.metadata.create_all(connection)
    connection.execute(insert(IndexVersion), {"version": VERSION})
