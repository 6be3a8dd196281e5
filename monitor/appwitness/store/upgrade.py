"""Replaces an index made by another version of appwitness with a new one, built from the same recordings."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, inspect, select, text

from appwitness.events import KINDS
from appwitness.store.database import engine_of, file_of, in_words, lock, name_of, set_aside, url_of
from appwitness.store.index import Keep
from appwitness.store.models import RECORDING_NUMBERS, TABLES, VERSION, IndexVersion, view_name
from appwitness.store.runs import take_along
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

NEW = "appwitness_upgrade"
"""The PostgreSQL schema in which the new index is built; for SQLite, the suffix of the new file."""


class Old(NamedTuple):
    """An existing index, of any version."""

    version: int
    recordings: tuple[tuple[Path | str, Keep], ...]
    """The paths of its recordings, oldest first, in folders or in buckets (str), and what it keeps of each."""

    @property
    def is_current(self) -> bool:
        """Whether this version of appwitness made it."""
        return self.version == VERSION


def old_index(place: str | Path) -> Old:
    """Describe an index; a new database on a server counts as an empty index. Raises UserError for a file without
    one."""
    name = name_of(place)
    nothing = UserError(Spoken("There is no index of appwitness in {name}.", name=name), "Name one with --db.")
    file = file_of(place)
    if file is not None and not file.is_file():
        raise nothing
    engine = engine_of(place)
    try:
        with in_words(name), engine.connect() as connection:
            if not inspect(connection).has_table(IndexVersion.__tablename__):
                if file is None:
                    return Old(VERSION, ())
                raise nothing
            version = connection.scalar(select(IndexVersion.version)) or 0
            columns = {each["name"] for each in inspect(connection).get_columns("recordings")}
            lines = "lines" if "lines" in columns else "1"  # older versions kept the lines of all recordings
            rows = connection.execute(text(f"SELECT path, {lines} FROM recordings ORDER BY started, id"))  # noqa: S608, our own
            return Old(version, tuple((_place(path), "lines" if kept else "conclusions") for path, kept in rows))
    finally:
        engine.dispose()


def _place(path: str) -> Path | str:
    return path if "://" in path else Path(path)


def set_aside_before(place: str | Path) -> list[Path]:
    """The indexes that were set aside in favour of this file, sorted by name."""
    file = file_of(place)
    return [] if file is None else sorted(file.parent.glob(f"{file.name}.version-*.bak"))


def beside(place: str | Path) -> str | Path:
    """The place where the new index is built. An interrupted upgrade is continued."""
    if file := file_of(place):
        new: str | Path = file.with_name(f"{file.name}.{NEW}")
    else:
        url = url_of(place)
        options = " ".join([*_texts(url.query.get("options")), f"-csearch_path={NEW}"])
        new = url.update_query_dict({"options": options}).render_as_string(hide_password=False)
    with suppress(UserError):
        if not old_index(new).is_current:
            _remove(place, new)
    if not file:
        _run(place, f"CREATE SCHEMA IF NOT EXISTS {NEW}")
    return new


def _remove(place: str | Path, new: str | Path) -> None:
    if isinstance(new, Path):
        new.unlink()
    else:
        _run(place, f"DROP SCHEMA {NEW} CASCADE")


def swap(place: str | Path, new: str | Path, *, keep: bool) -> str | None:
    """Replace the old index with the new one. The old one is renamed if it is to be kept; returns its new name.
    Raises UserError when another program uses the old one or has replaced it already."""
    file = file_of(place)
    if file is None:
        return _swap_schemas(place, keep=keep)
    aside = set_aside(file)
    if aside:
        take_along(aside, Path(new))
    with in_words(str(file)), closing(sqlite3.connect(new)) as database:
        database.execute("PRAGMA journal_mode = DELETE")  # its data is then all in this file
        os.link(new, file)  # fails if somebody has created one there meanwhile
        Path(new).unlink()
    if aside and not keep:
        aside.unlink()
        return None
    return str(aside) if aside else None


def _swap_schemas(place: str | Path, *, keep: bool) -> str | None:
    engine = engine_of(place)
    try:
        with in_words(name_of(place)), engine.begin() as connection:
            lock(connection)
            here = connection.scalar(text("SELECT current_schema()"))
            version = connection.scalar(select(IndexVersion.version))
            aside = f"appwitness_version_{version}"
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {aside} CASCADE")
            connection.exec_driver_sql(f"CREATE SCHEMA {aside}")
            for source, target in ((here, aside), (NEW, here)):
                _move(connection, f'"{source}"', f'"{target}"')
            connection.exec_driver_sql(f"DROP SCHEMA {NEW}")
            if not keep:
                connection.exec_driver_sql(f"DROP SCHEMA {aside} CASCADE")
                return None
            return aside
    finally:
        engine.dispose()


def _move(connection: Connection, source: str, target: str) -> None:
    """Move all tables of the index from one schema to another; other tables stay."""
    names = [*(table.name for table in TABLES), *(view_name(kind) for kind in KINDS), RECORDING_NUMBERS.name]
    query = text(
        "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace) AND "
        "(relname = ANY(:names) OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent IN "
        "(SELECT oid FROM pg_class WHERE relname = ANY(:names) AND relkind = 'p'))) AND relkind IN ('r', 'p', 'v', 'S')"
    )
    words = {"r": "TABLE", "p": "TABLE", "v": "VIEW", "S": "SEQUENCE"}
    for name, kind in connection.execute(query, {"schema": source, "names": names}).all():
        connection.exec_driver_sql(f'ALTER {words[kind]} {source}."{name}" SET SCHEMA {target}')
    there = text("SELECT to_regprocedure(:function) IS NOT NULL")
    if connection.scalar(there, {"function": f"{source}.line_body(bytea)"}):
        connection.exec_driver_sql(f"ALTER FUNCTION {source}.line_body(bytea) SET SCHEMA {target}")


def _run(place: str | Path, statement: str) -> None:
    engine = engine_of(place)
    try:
        with in_words(name_of(place)), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def _texts(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given or ()
