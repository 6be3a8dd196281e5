"""Recordings, judged: by what is known, into an index."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from appwitness.api.home import database, index_key

if TYPE_CHECKING:  # imported late, so that `import appwitness` and --help answer at once
    from appwitness.correlate import Outcome, Progress, prior_knowledge
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.findings import Report
    from appwitness.recording import Recording
    from appwitness.store import Store
    from appwitness.store.index import Keep

    class Choices(prior_knowledge.Choices, total=False):
        """How a user has recordings judged."""

        rules: Path | None
        """Folder with rules of the user's own, in addition to ours."""
        db: str | None
        """SQLite file or SQLAlchemy URL of the index; None: appwitness.sqlite in ~/.appwitness."""
        index: Keep | None
        """What the index keeps of recordings that are read in: `lines` or `conclusions`; None: as `--index` says."""


def quiet(_what: str, _done: int, _total: int, /) -> None:
    """Tell nobody how far the work is."""


@dataclass(frozen=True)
class Judging:
    """By what recordings are judged, and into which index."""

    known: Knowledge
    db: str | None = None
    keep: Keep | None = None
    """What the index keeps of recordings that are read in; None: all, unless it has conclusions of them alone."""

    def open(self, place: str | Path) -> Store:
        """An index. Raises UserError when it cannot be used."""
        from appwitness.fleet.objects import recording_at
        from appwitness.store import Store

        return Store(place, self.keep, index_key(make=self.keep == "conclusions"), recording_at)

    @cached_property
    def store(self) -> Store:
        """The index. The usual one is begun anew where another version of appwitness made it: the old file gets another
        name, which a line on stderr says. Raises UserError when it cannot be used."""
        from appwitness.store import set_aside
        from appwitness.store.runs import take_along

        place = database(self.db)
        if isinstance(place, Path) and self.db is None and (old := set_aside(place)) is not None:
            print(
                f"appwitness: the index {place} was made by another version; it is {old.name} now, and a new one is "
                "begun: `appwitness index upgrade` reads the same recordings into it.",
                file=sys.stderr,
            )
            take_along(old, place)
        return self.open(place)

    def index(self, recording: Recording) -> Store:
        """Where a recording is read into: one that is encrypted into memory alone, unless the user named an index."""
        return self._in_memory if recording.is_encrypted and self.db is None else self.store

    @cached_property
    def _in_memory(self) -> Store:
        from appwitness.store import Store

        return Store("sqlite://")

    def report(self, path: Path, progress: Progress = quiet) -> Report:
        """The report of a recording, correlated again only when the index is behind it or the rules have changed."""
        from appwitness.correlate import report_on
        from appwitness.recording import Recording

        recording = Recording.open(path)
        return report_on(recording, self.index(recording), self.known, progress)


def judging(
    *,
    db: str | None = None,
    index: Keep | None = None,
    rules: Path | None = None,
    **choices: Unpack[prior_knowledge.Choices],
) -> Judging:
    """As the user chooses. Raises UserError for a choice that there is not, FileError for a file that does not fit."""
    from appwitness.correlate.prior_knowledge import Choices as Known
    from appwitness.correlate.prior_knowledge import knowledge as known

    if unknown := choices.keys() - Known.__annotations__:
        raise TypeError(f"unknown keyword: {', '.join(sorted(unknown))}")
    return Judging(known(rules, **choices), db, index)


def correlate(recording: Path | str, **choices: Unpack[Choices]) -> Outcome:
    """Read a recording into the index and judge it: its flows and findings. Asking again changes nothing.

    Raises UserError when the folder is no recording.
    """
    from appwitness.correlate import correlate as walk
    from appwitness.recording import Recording

    by = judging(**choices)
    opened = Recording.open(Path(recording))
    return walk(opened, by.index(opened), by.known)


def report(recording: Path | str, **choices: Unpack[Choices]) -> Report:
    """What was found in a recording: findings, flows, and what could not be observed. `render` writes it.

    Values in it are as they are; `render` masks them. Raises UserError when the folder is no recording.
    """
    return judging(**choices).report(Path(recording))
