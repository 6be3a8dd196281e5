"""Texts that many rows have in common, kept once and named by their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, func, not_, select

from appwitness.store.database import insert_or_nothing
from appwitness.store.models import FindingRow, RecordingRow, SharedText

LOCK = 0x61707078
"""Number of the advisory lock on PostgreSQL that writers share, and that keeps them off while texts are deleted."""


def digest(text: str) -> str:
    """The name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep(connection: Connection, texts: Iterable[str]) -> None:
    """Insert those of these texts that are not there, in the transaction that inserts the rows that name them."""
    if not (named := {digest(text): text for text in texts}):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
    there = set(connection.scalars(select(SharedText.digest).where(SharedText.digest.in_(named))))
    for name in sorted(named.keys() - there):  # in the same order in all transactions: none waits for another in a ring
        insert_or_nothing(connection, SharedText.metadata.tables["shared_texts"], {"digest": name, "text": named[name]})


def drop_unused(connection: Connection) -> None:
    """Delete the texts that no row names any more; a transaction of its own, so that no writer waits for its locks."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    named = (exists().where(row.shared == SharedText.digest) for row in (FindingRow, RecordingRow))
    connection.execute(delete(SharedText).where(*map(not_, named)))


# what the other rows are read with: a subquery, so that no query has to join
OF_FINDING = select(SharedText.text).where(SharedText.digest == FindingRow.shared).scalar_subquery().label("shared")
OF_RECORDING = select(SharedText.text).where(SharedText.digest == RecordingRow.shared).scalar_subquery().label("shared")
