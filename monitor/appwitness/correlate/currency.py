"""Checks whether the index's conclusions are about exactly this recording, all of it, and by the current rules."""

from __future__ import annotations

import hashlib
import json
import logging
import os

from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import FILES, format_time
from appwitness.recording import Recording
from appwitness.recording.seal import first_stamp
from appwitness.recording.state import bodies_digest, prefix_digest, run_digest
from appwitness.store import Store
from appwitness.store.index import IndexedState
from appwitness.support import escape
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

_log = logging.getLogger(__name__)

TRIES = 5
"""How many times another process may interfere before we give up."""


def place_of(recording: Recording) -> str:
    """The real path of a recording's folder or archive, however it was named, or its address; bytes that are not
    text are escaped."""
    if "://" in recording.place:
        return recording.place
    return os.fsencode(os.path.realpath(recording.place)).decode("utf-8", "backslashreplace")


def basis(recording: Recording, held: IndexedState, known: Knowledge, run: str) -> str:
    """A digest of everything that conclusions depend on: the lines in the index, run.json (`run`, its digest), the
    bodies, the rules with all that a user chose, and the running code."""
    lines = sorted((kind, digest) for kind, (_, digest) in held.prefixes.items())
    bodies = recording.archive.sha256 if recording.archive else bodies_digest(recording.path)
    parts = [known.digest, run, bodies, lines]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def current(recording: Recording, store: Store, known: Knowledge) -> IndexedState | None:
    """The recording's state in the index, if it covers all of it as it is now, judged by these rules; otherwise None.

    The files are read outside a transaction, which a server might end in the meantime. A caller that goes on reading
    the index must check in its own transaction that `judged_by`, a digest of everything that was compared with the
    files, is still the same.
    """
    _, held = find(recording, store)
    is_current = (
        held is not None
        and store.keep in (None, held.kept)
        and held.judged_by == basis(recording, held, known, run_digest(recording.path))
        and is_of(recording, held)
        and all(_is_read(recording, held, kind) for kind in FILES)
    )
    return held if is_current else None


def is_current(recording: Recording, store: Store, known: Knowledge) -> bool:
    """Whether the index holds the whole recording as it is now, judged by these rules."""
    return current(recording, store, known) is not None


def is_of(recording: Recording, held: IndexedState) -> bool:
    """Whether the lines in the index are a prefix of this recording's files."""
    run = recording.run
    now = (place_of(recording), format_time(run.started), run.app.package, run.campaign or "")
    return (
        (held.path, held.started, held.package, held.campaign) == now
        and held.head in ("", head_of(recording))
        and _begins_with(recording, held)
    )


def head_of(recording: Recording) -> str:
    """Digest of its first stamp, which no other run has; empty: it has none yet."""
    return first_stamp(recording.path) or ""


def _begins_with(recording: Recording, held: IndexedState) -> bool:
    return all(
        prefix_digest(recording.path / FILES[kind], position) == digest
        for kind, (position, digest) in held.prefixes.items()
    )


def find(recording: Recording, store: Store) -> tuple[str, IndexedState | None]:
    """The name of a recording in the index, and its state there; None: it was never read in.

    Recordings with the same id are distinguished by their first stamps, which are random and signed as well, and stay
    the same while a recording grows or is copied. The first recording with an id is named by it, another one by the id
    and a digest.
    """
    head = head_of(recording)
    known = store.of_id(recording.run.id)
    if held := next((each for each in known if _is_same(recording, head, each)), None):
        return held.name, held
    name = recording.run.id
    if known:
        digest = head or hashlib.sha256(f"{place_of(recording)} {recording.run.started}".encode()).hexdigest()
        name = f"{name}~{digest[:12]}"
    return name, None


def is_same(recording: Recording, held: IndexedState) -> bool:
    """Whether this state in the index is of this recording, perhaps from before it grew or was edited."""
    return recording.run.id == held.own_id and _is_same(recording, head_of(recording), held)


def _is_same(recording: Recording, head: str, held: IndexedState) -> bool:
    if head and held.head:
        return head == held.head
    run = recording.run
    if (held.started, held.package) != (format_time(run.started), run.app.package):
        return False
    return held.path == place_of(recording) or (head == held.head and _begins_with(recording, held))


def renew(recording: Recording, store: Store) -> str:
    """The recording's name in the index. Whatever the index has of it is dropped first, unless that is a prefix of
    the recording, kept in the form that the store wants. Warns if another recording has its id. Raises UserError if
    another process keeps storing another recording there."""
    for _ in range(TRIES):
        name, held = find(recording, store)
        if held is None:
            if name != recording.run.id:
                _log.warning(
                    "%s already has another recording with the id %s. The one in %s is kept beside it as %s.",
                    *map(escape.field, (store.name, recording.run.id, recording.place, name)),
                )
            return name
        if store.keep in (None, held.kept) and is_of(recording, held):
            return name
        if store.restart(name, recording.run, place_of(recording), held, head_of(recording)):
            return name
    raise UserError(
        Spoken(
            "Another process keeps reading another recording with the id {id} into {name}.",
            id=recording.run.id,
            name=store.name,
        ),
        "Try again when that is done, or name another database with --db.",
    )


def _is_read(recording: Recording, held: IndexedState, kind: str) -> bool:
    """Whether the index has every line of a file."""
    position, _ = held.prefixes.get(kind, (None, ""))
    return next(iter(recording.read(kind, position, finished=True)), None) is None
