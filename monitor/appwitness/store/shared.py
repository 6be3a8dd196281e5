"""Texts that many rows have in common, kept once and named by their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, delete, exists, func, not_, select

from appwitness.store.database import insert_or_nothing
from appwitness.store.models import FindingRow, RecordingRow, SharedText

LOCK = 0x61707078
"""Number of the advisory lock on PostgreSQL: writers share it, and it is held exclusively while texts are deleted."""


def digest(text: str) -> str:
    """The name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep(connection: Connection, texts: Iterable[str]) -> None:
    """Insert the texts that are not stored yet, in the same transaction as the rows that name them."""
    if not (named := {digest(text): text for text in texts}):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
    there = set(connection.scalars(select(SharedText.digest).where(SharedText.digest.in_(named))))
    for name in sorted(named.keys() - there):  # in the same order in all transactions: no deadlocks
        insert_or_nothing(connection, SharedText.metadata.tables["shared_texts"], {"digest": name, "text": named[name]})


def drop_unused(connection: Connection) -> None:
    """Delete the texts that no row names any more; call it in a transaction of its own, since writers wait for it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    named = (exists().where(row.shared == SharedText.digest) for row in (FindingRow, RecordingRow))
    connection.execute(delete(SharedText).where(*map(not_, named)))


# the shared text of a finding or of a recording, as a subquery, so that no query has to join the tables
OF_FINDING = select(SharedText.text).where(SharedText.digest == FindingRow.shared).scalar_subquery().label("shared")
OF_RECORDING = select(SharedText.text).where(SharedText.digest == RecordingRow.shared).scalar_subquery().label("shared")
