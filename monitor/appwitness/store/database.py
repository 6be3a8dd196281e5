"""Opens a database: by default a private SQLite file in WAL mode, or any other by its URL. Explains its errors."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Connection,
    Engine,
    Float,
    LargeBinary,
    StaticPool,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.types import TypeEngine

from appwitness.store.models import (
    CAMPAIGN_BITS,
    PARTITIONED,
    TABLES,
    VERSION,
    Base,
    CampaignRow,
    IndexVersion,
    after_create,
)
from appwitness.support.errors import StoreError, UserError
from appwitness.support.spoken import Spoken

BUSY_MS = 30_000
"""How long a writer waits for another before it gives up, in milliseconds."""

LOCK = 0x61707077
"""Number of the advisory lock under which tables are created and dropped on PostgreSQL, where two simultaneous
CREATE TABLE IF NOT EXISTS fail."""

REBUILD = (
    "Delete it, or name another with --db: an index is rebuilt from its recordings by `appwitness index correlate`."
)
ANOTHER = "Name another database with --db."


def open_engine(
    place: str | Path,
    prepare: Callable[[Connection, str], None] | None = None,
    of_server: Mapping[str, Any] | None = None,
) -> Engine:
    """An engine for a database that has our tables, created by `prepare` if necessary (None: the tables of the index).

    `place` is the path of a SQLite file, or a SQLAlchemy URL; `of_server` are engine options for a server. Raises
    UserError when the database cannot be used.
    """
    name = name_of(place)
    with in_words(name):
        if file := file_of(place):
            _make_private(file)
        engine = engine_of(place, of_server)
        try:
            with engine.execution_options(write=True).begin() as connection:
                (prepare or _prepare)(connection, name)
        except BaseException:
            engine.dispose()
            raise
    return engine


class Database:
    """An open database."""

    def __init__(
        self,
        place: str | Path,
        prepare: Callable[[Connection, str], None] | None = None,
        of_server: Mapping[str, Any] | None = None,
    ) -> None:
        """Open the database as `open_engine` does."""
        self.name = name_of(place)
        self._engine = open_engine(place, prepare, of_server)
        self._file = file_of(place)
        self._held = self._file.stat() if self._file else None
        self._writing = self._engine.execution_options(write=True)

    def see_that_it_is_there(self) -> None:
        """Raise StoreError if the opened file is no longer in its place: SQLite would keep reading it, but what it
        reads is of no use."""
        if self._file is None or self._held is None:
            return
        try:
            there = os.path.samestat(self._held, self._file.stat())
        except OSError:
            there = False
        if not there:
            raise StoreError(
                Spoken("{name} was moved, removed or replaced.", name=self.name),
                "Put it back, or start this program again.",
            )

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def engine_of(place: str | Path, of_server: Mapping[str, Any] | None = None) -> Engine:
    """An engine for a database as it is; no tables are created."""
    url = url_of(place)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, memory=file_of(place) is None)
    return _server(url, **(of_server or {}))


def name_of(place: str | Path) -> str:
    """The name of a database for messages, without passwords."""
    url = url_of(place)
    return str(
        file_of(place) or url.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)
    )


def set_aside(file: Path) -> Path | None:
    """Rename an index that another version of appwitness made, so that a new one can take its place.

    Returns its new name; None when there is nothing to rename. Raises UserError when another program has it open.
    """
    if not file.is_file():
        return None
    with in_words(str(file)), closing(sqlite3.connect(file, timeout=BUSY_MS / 1000, isolation_level=None)) as old:
        was = file.stat()
        made = old.execute("SELECT 1 FROM sqlite_master WHERE name = 'index_version'").fetchone()
        version = old.execute("SELECT version FROM index_version").fetchone() if made else None
        if version is None or version[0] == VERSION:
            return None
        old.execute("PRAGMA journal_mode = DELETE")  # so that its -wal is not taken for the new one's
        old.execute("BEGIN EXCLUSIVE")
        if not file.exists() or not os.path.samestat(was, file.stat()):  # another process was faster
            return None
        return file.rename(file.with_name(f"{file.name}.version-{version[0]}.bak"))


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Convert errors of the database `name` to UserError: what happened, and what to do."""
    try:
        yield
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UserError(
            Spoken("No driver for {name}: {error}.", name=name, error=error),
            "Install the driver into the same environment.",
        ) from None
    except ArgumentError:
        raise UserError(
            Spoken("{name} is not a database URL.", name=name), "Name a file, or a URL as SQLAlchemy writes it."
        ) from None
    except OSError as error:
        raise UserError(
            Spoken("{name} cannot be made: {strerror}.", name=name, strerror=error.strerror),
            "Name a file that you may write.",
        ) from None
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        steps = _STEPS_SQLITE if isinstance(cause, sqlite3.Error) else _STEPS_SERVER
        step = next((step for words, step in steps.items() if words in str(cause)), ANOTHER)
        raise StoreError(Spoken("{name}: {said}.", name=name, said=said.removesuffix(".")), step) from error


_STEPS_SQLITE = {
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
"""SQLite's error message -> what to do."""
_ACCESS = "Look at the user and the password in the URL, and at pg_hba.conf of the server."
_GRANT = "Ask its administrator for the rights to read, write and create tables in this schema."
_AGAIN = "Try again: what was not committed is done anew. Its administrator can see in the server's log why."
_UPGRADE = "Another program may have changed its tables; name another database with --db."
_STEPS_SERVER = {
    "password": _ACCESS,
    "authentication failed": _ACCESS,
    "pg_hba.conf": _ACCESS,
    "role": "Name an existing user in the URL: postgresql://USER@HOST/DATABASE.",
    "permission denied": _GRANT,
    "must be owner": _GRANT,
    "read-only": "Name the server that may be written, not its copy.",
    "too many clients": "Wait until others are done, use fewer processes, or raise max_connections of the server.",
    "remaining connection slots": "Wait until others are done, use fewer processes, or raise max_connections.",
    "No space left": "Make room on the server's disk and try again.",
    "could not extend": "Make room on the server's disk and try again.",
    "terminating connection": _AGAIN,
    "connection is lost": _AGAIN,
    "the connection is closed": _AGAIN,
    "closed the connection": _AGAIN,
    "starting up": "Wait until the server is up, then try again.",
    "not yet accepting": "Wait until the server is up, then try again.",
    "shutting down": "Wait until the server is up again, then try again.",
    "deadlock": _AGAIN,
    "database": "Create it (`createdb NAME`), or name an existing one in the URL.",
    "refused": "Start the server, or name the host and the port where it listens in the URL.",
    "No such file or directory": "Start the server, or name the host and the port where it listens in the URL.",
    "resolve": "Look at the host in the URL.",
    "timeout": "Look at the host and the port in the URL, and at firewalls on the way.",
    "relation": _UPGRADE,
    "column": _UPGRADE,
}
"""Part of an error message of PostgreSQL or its client -> what to do; the first match counts."""


def url_of(place: str | Path) -> URL:
    """The SQLAlchemy URL of a database; `postgresql://` uses psycopg 3."""
    if isinstance(place, str) and "://" in place:
        with in_words(place):
            url = make_url(place)
            return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url
    return URL.create("sqlite", database=str(place))


def file_of(place: str | Path) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    url = url_of(place)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return None if url.database.startswith("file:") else Path(url.database)


def _make_private(file: Path) -> None:
    """Create the file as a private one if it is missing; SQLite gives its side files (-wal, -shm) the same
    permissions."""
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
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # a writer takes its lock at once: a reader that turns into a writer fails if another has written in between
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite refuses this without waiting while others open a new database, so it is retried."""
    end = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _server(url: URL, **options: Any) -> Engine:
    if url.get_backend_name() == "postgresql":
        options["isolation_level"] = "READ COMMITTED"
    return create_engine(
        url, **{"pool_pre_ping": True, **options}
    )  # connections from before a restart of the server are useless


def _prepare(connection: Connection, name: str) -> None:
    lock(connection)
    tables = set(inspect(connection).get_table_names())
    if IndexVersion.__tablename__ in tables:
        found = connection.scalar(select(IndexVersion.version))
        if found != VERSION:
            raise UserError(
                Spoken(
                    "{name} was made by another version of appwitness ({found}, not {version}).",
                    name=name,
                    found=found,
                    version=VERSION,
                ),
                "`appwitness index upgrade` builds it anew from its recordings, with the same --db.",
            )
        return
    ours = tables & {table.name for table in TABLES}
    if ours:
        raise UserError(
            Spoken(
                "{name} already has tables with the same names as ours: {ours}.",
                name=name,
                ours=", ".join(sorted(ours)),
            ),
            ANOTHER,
        )
    Base.metadata.create_all(connection)
    after_create(connection)
    connection.execute(insert(IndexVersion), {"version": VERSION})
    add_campaign(connection, 0, "")


def copy(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows into PostgreSQL by COPY, within the current transaction."""
    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as into:
            kinds = [table.c[column].type for column in columns]
            into.set_types([_wire_type(kind) for kind in kinds])
            for row in rows:
                into.write_row([fitting(value, kind) for value, kind in zip(row, kinds, strict=True)])
    except driver.__class__.Error as error:  # raised as SQLAlchemy raises errors of its own statements
        raise DBAPIError(statement, None, error) from error


def _wire_type(column: TypeEngine[Any]) -> str:
    for kind, name in ((BigInteger, "int8"), (Float, "float8"), (LargeBinary, "bytea"), (Boolean, "bool")):
        if isinstance(column, kind):
            return name
    return "text"


def fitting(value: object, kind: TypeEngine[Any]) -> object:
    """A value that PostgreSQL accepts: no NUL in strings (JSON escapes it anyway), and no longer than the column."""
    if type(value) is str:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in value else value
        if isinstance(kind, String) and kind.length and len(value) > kind.length:
            value = value[: kind.length]
    return value


def insert_or_nothing(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row; False when another transaction has inserted one with that key in the meantime."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), row)
        return True
    return bool(connection.execute(postgresql.insert(table).on_conflict_do_nothing(), row).rowcount)


def lock(connection: Connection) -> None:
    """Until this transaction ends, keep others from creating or dropping tables."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def add_campaign(connection: Connection, number: int, name: str) -> None:
    """Insert a campaign, with its partitions on PostgreSQL."""
    connection.execute(insert(CampaignRow), {"number": number, "name": name})
    if connection.dialect.name == "postgresql":
        for table in PARTITIONED:
            part = f"{table.name}_of_{number}"
            # created separately, then attached: readers and writers of other partitions are not blocked
            connection.exec_driver_sql(f"CREATE TABLE {part} (LIKE {table.name} INCLUDING ALL)")
            bounds = f"FROM ({number << CAMPAIGN_BITS}) TO ({(number + 1) << CAMPAIGN_BITS})"
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ATTACH PARTITION {part} FOR VALUES {bounds}")


def drop_campaign(connection: Connection, number: int) -> None:
    """Delete all rows of a campaign from partitioned tables."""
    first, after = number << CAMPAIGN_BITS, (number + 1) << CAMPAIGN_BITS
    for table in PARTITIONED:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP TABLE {table.name}_of_{number}")
        else:
            connection.execute(delete(table).where(table.c.recording >= first, table.c.recording < after))
