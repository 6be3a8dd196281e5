"""Whether what the index has of a recording is of this very recording, and concluded from all of it by these rules."""

from __future__ import annotations

import hashlib
import json
import os

from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import FILES, format_time
from appwitness.recording import Recording
from appwitness.recording.seal import first_stamp
from appwitness.recording.state import bodies_digest, prefix_digest, run_digest
from appwitness.store import Store
from appwitness.store.index import IndexedState
from appwitness.support.errors import UserError

TRIES = 5
"""How often somebody else may be faster before one gives up."""


def place_of(recording: Recording) -> str:
    """The folder or archive of a recording, however it was named, or an address; bytes that are no text are written
    out."""
    if "://" in recording.place:
        return recording.place
    return os.fsencode(os.path.realpath(recording.place)).decode("utf-8", "backslashreplace")


def basis(recording: Recording, held: IndexedState, known: Knowledge, run: str) -> str:
    """A digest of all that conclusions come from: the lines in the index, run.json (`run`, its digest), the bodies,
    the rules with all that a user chose, and what runs."""
    lines = sorted((kind, digest) for kind, (_, digest) in held.prefixes.items())
    bodies = recording.archive.sha256 if recording.archive else bodies_digest(recording.path)
    parts = [known.digest, run, bodies, lines]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def current(recording: Recording, store: Store, known: Knowledge) -> IndexedState | None:
    """What the index has of a recording that it holds whole, as it is now, judged by these rules; else None.

    The files are read without a transaction, which a server might end meanwhile: who reads on sees in theirs that
    `judged_by`, a digest of all that was held against the files, is still the same.
    """
    held = store.held(recording.run.id)
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
    """Whether the lines in the index are those with which the files of this recording begin."""
    run = recording.run
    now = (place_of(recording), format_time(run.started), run.app.package, run.campaign or "")
    return (held.path, held.started, held.package, held.campaign) == now and all(
        prefix_digest(recording.path / FILES[kind], position) == digest
        for kind, (position, digest) in held.prefixes.items()
    )


def renew(recording: Recording, store: Store) -> None:
    """Have the index forget what it has under the id of this recording, unless it is the beginning of this one, kept as
    the store wants it. Raises UserError when somebody else keeps putting another recording there, and when the one that
    the index has is of a campaign, still where it was, and of another run: what is counted over runs would change."""
    for _ in range(TRIES):
        held = store.held(recording.run.id)
        if held is None or (store.keep in (None, held.kept) and is_of(recording, held)):
            return
        elsewhere = held.campaign and held.path != place_of(recording)
        if elsewhere and (other := store.recording_in(held.path)) and _another(recording, other):
            raise UserError(
                f"{store.name} has another recording with the id {recording.run.id}, in {held.path}: {recording.place} "
                "does not take its place.",
                "Look at both; to judge this one, name another database with --db.",
            )
        if store.restart(recording.run.id, recording.run, place_of(recording), held):
            return
    raise UserError(
        f"Another process keeps reading another recording with the id {recording.run.id} into {store.name}.",
        "Try again when that is done, or name another database with --db.",
    )


def _another(recording: Recording, other: Recording) -> bool:
    """Whether two recordings are of two runs, by their first stamps; two copies of one begin with the same."""
    first, second = (first_stamp(each.path) for each in (recording, other))
    return first != second or (recording.run.id, recording.run.started) != (other.run.id, other.run.started)


def _is_read(recording: Recording, held: IndexedState, kind: str) -> bool:
    """Whether no line was added to a file."""
    position, _ = held.prefixes.get(kind, (None, ""))
    return next(iter(recording.read(kind, position, finished=True)), None) is None
