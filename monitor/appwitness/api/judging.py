"""Judges recordings into an index, compares them, and rebuilds the index."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

from appwitness.api.home import database, index_key
from appwitness.api.verifying import TrustedSigners, trust
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that `import appwitness` and --help answer at once
    from appwitness.correlate import Outcome, prior_knowledge
    from appwitness.correlate import Progress as Progress
    from appwitness.correlate.many import JudgedRecording as JudgedRecording
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.findings import Comparison, Report
    from appwitness.recording import Recording
    from appwitness.store import Store
    from appwitness.store.index import Keep as Keep
    from appwitness.store.upgrade import Old

    type Watch = Callable[[Sequence[Path | str], Iterator[JudgedRecording]], Iterator[JudgedRecording]]
    """Takes the recordings of an index and the result of judging each; passes on the results."""

    class JudgingChoices(prior_knowledge.KnowledgeChoices, total=False):
        """The user's choices for judging."""

        rules: Path | None
        """Folder with the user's own rules, in addition to the built-in ones."""
        db: str | None
        """SQLite file or SQLAlchemy URL of the index; None: appwitness.sqlite in ~/.appwitness."""
        index: Keep | None
        """What the index keeps of recordings that are read in: `lines` or `conclusions`; None: the default of
        `--index`."""
        keys: Sequence[Path]
        """Files with public keys: reports say whether one of them signed each stamp of the run."""
        authorities: Sequence[Path]
        """Files with certificates of time-stamp authorities: reports say whether one of them signed the tokens."""


def quiet(_what: str, _done: int, _total: int, /) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Judging:
    """How recordings are judged, and into which index."""

    known: Knowledge
    db: str | None = None
    keep: Keep | None = None
    """What the index keeps of recordings that are read in; None: all, unless the index only has conclusions."""
    trust: TrustedSigners = field(default_factory=TrustedSigners)
    """The keys and authorities whose stamps and tokens are expected."""

    def open(self, place: str | Path) -> Store:
        """Open an index. Raises UserError if it cannot be used."""
        from appwitness.fleet.objects import recording_at
        from appwitness.store import Store

        return Store(place, self.keep, index_key(make=self.keep == "conclusions"), recording_at)

    @cached_property
    def store(self) -> Store:
        """The index. If another version of appwitness made the default index, a new one is begun: the old file is
        renamed, and a line on stderr says so. Raises UserError if it cannot be used."""
        from appwitness.store import set_aside

        place = database(self.db)
        if isinstance(place, Path) and self.db is None and (old := set_aside(place)) is not None:
            print(
                f"appwitness: the index {place} was made by another version; it is {old.name} now, and a new one is "
                "begun: `appwitness index upgrade` reads the same recordings into it.",
                file=sys.stderr,
            )
            from appwitness.store.runs import take_along

            take_along(old, place)
        return self.open(place)

    def index(self, recording: Recording) -> Store:
        """The index for a recording: in memory for an encrypted one, unless the user named an index."""
        return self._in_memory if recording.is_encrypted and self.db is None else self.store

    @cached_property
    def _in_memory(self) -> Store:
        from appwitness.store import Store

        return Store("sqlite://")

    def report(self, path: Path, progress: Progress = quiet) -> Report:
        """The report of a recording; it is correlated again only if the index is behind or the rules have changed."""
        from appwitness.correlate import report_on
        from appwitness.correlate.verified import checked
        from appwitness.recording import Recording

        recording = Recording.open(path)
        report = report_on(recording, self.index(recording), self.known, progress)
        return checked(report, recording.path, self.trust.keys, self.trust.authorities) if self.trust else report

    def correlate(self, path: Path, progress: Progress = quiet) -> Outcome:
        """Read a recording into the index and judge it. Raises UserError if it is not a recording."""
        from appwitness.correlate import correlate
        from appwitness.recording import Recording

        recording = Recording.open(path)
        return correlate(recording, self.index(recording), self.known, progress)

    def follow(self, path: Path, stop: Callable[[], bool], on_change: Callable[[Outcome], object]) -> Outcome:
        """Read a recording into the index and judge it while it is being made, until it ends or `stop()`.

        `on_change` gets the outcome whenever flows or findings have changed. Raises UserError if it is not a recording.
        """
        from appwitness.correlate import follow
        from appwitness.recording import Recording

        recording = Recording.open(path)

        def over() -> bool:
            return stop() or recording.run.ended is not None

        return follow(recording, self.index(recording), self.known, over, on_change)

    def many(self, paths: Iterable[Path], jobs: int = 1) -> Iterator[JudgedRecording]:
        """Read recordings into the index and judge them, `jobs` at a time; yields each when done, with its error if it
        failed.

        Raises UserError if one is encrypted and the user named no index, as the index would hold its values
        unencrypted; StoreError if the index cannot be used.
        """
        from appwitness.correlate.many import correlate_many
        from appwitness.recording.encryption import is_encrypted

        each_once = tuple(dict.fromkeys(paths))
        for path in each_once if self.db is None else ():
            if path.is_file() and is_encrypted(path):
                raise UserError(
                    Spoken("{path} is encrypted, and the index stores values in plain text.", path=path),
                    "Judge it by itself, in memory, or name an index: --db URL.",
                )
        return correlate_many(each_once, self.store, self.known, jobs)

    @property
    def letters_lang(self) -> str:
        """The language of letters to authorities: Chinese if China's law comes first, else English."""
        return "zh" if self.known.jurisdictions[:1] == ("cn",) else "en"


def judging(
    *,
    db: str | None = None,
    index: Keep | None = None,
    rules: Path | None = None,
    keys: Sequence[Path] = (),
    authorities: Sequence[Path] = (),
    **choices: Unpack[prior_knowledge.KnowledgeChoices],
) -> Judging:
    """The settings for judging that the user chose. Raises UserError for a choice that does not exist, FileError for
    an invalid file."""
    from appwitness.correlate.prior_knowledge import KnowledgeChoices as Known
    from appwitness.correlate.prior_knowledge import knowledge as known

    if unknown := choices.keys() - Known.__annotations__:
        raise TypeError(f"unknown keyword: {', '.join(sorted(unknown))}")
    return Judging(known(rules, **choices), db, index, trust(keys, authorities))


def correlate(recording: Path | str, **choices: Unpack[JudgingChoices]) -> Outcome:
    """Read a recording into the index and judge it; returns its flows and findings. Doing so again changes nothing.

    Raises UserError if the folder is not a recording.
    """
    return judging(**choices).correlate(Path(recording))


def report(recording: Path | str, **choices: Unpack[JudgingChoices]) -> Report:
    """What was found in a recording: findings, flows, and what could not be observed.

    Its values are unmasked; `render`, which turns it into text, masks them. Raises UserError if the folder is not a
    recording.
    """
    return judging(**choices).report(Path(recording))


# runs of one app with different answers, compared


class ComparedRuns(NamedTuple):
    """Runs of one app, and their comparison."""

    comparison: Comparison
    reports: list[Report]
    """The reports of the runs, in the order given."""


def see_that_another_run(number: int, recordings: Sequence[Path], reports: Sequence[Report]) -> None:
    """Raise UserError if a run is of another app than the first one, or is the same run as one before it."""
    package, first = reports[number].run.app.package, reports[0].run.app.package
    if package != first:
        raise UserError(
            Spoken(
                "{path} is a run of {package}, {first_path} one of {first}.",
                path=recordings[number],
                package=package,
                first_path=recordings[0],
                first=first,
            ),
            "Name recordings of one app.",
        )
    if any(reports[number].recording == other.recording for other in reports[:number]):
        raise UserError(
            Spoken("{recordings} is the same run as one before it.", recordings=recordings[number]),
            "Name each run once.",
        )


def compare(recordings: Sequence[Path], judging: Judging) -> ComparedRuns:
    """Compare runs of one app: what is read and sent whatever the user answers, and what changes with the answer.

    Raises UserError for fewer than two recordings, for runs of several apps, and for a run named twice.
    """
    from appwitness.correlate import differences
    from appwitness.judge.compare import compare as compared

    if len(recordings) < 2:
        raise UserError("There is nothing to compare it with.", "Name two recordings or more.")
    reports = [judging.report(path) for path in recordings]
    for number in range(len(reports)):
        see_that_another_run(number, recordings, reports)
    return ComparedRuns(compared(reports, differences(recordings, reports), judging.known.labels), reports)


# the index as a whole: rebuilt if another version of appwitness made it


class UpgradedIndex(NamedTuple):
    """The result of rebuilding an index."""

    recordings: int
    """Number of recordings in the new index."""
    lost: frozenset[Path | str]
    """Recordings that could not be read."""


def upgrade(
    judging: Judging,
    jobs: int = 1,
    *,
    watch: Watch = lambda _, judged: judged,
    kept: Callable[[str], object] = lambda _: None,
) -> UpgradedIndex:
    """Rebuild the index from its recordings if another version made it, and read in indexes that were set aside
    earlier.

    The old index stays unchanged until the new one is complete. If a recording cannot be read, the old index is kept
    under another name, which is passed to `kept`. Raises UserError if there is no index, or another program is using
    it.
    """
    from appwitness.correlate.many import correlate_many
    from appwitness.store.upgrade import beside, old_index, set_aside_before, swap

    place = database(judging.db)
    old, before = old_index(place), set_aside_before(place)

    def read(index: Old, into: str | Path) -> set[Path | str]:
        """Read an old index's recordings into a new one; returns those that cannot be read. Each is kept as in the
        old index, unless the user chose otherwise."""
        missing: set[Path | str] = set()
        for keep in ("lines", "conclusions"):
            paths = tuple(dict.fromkeys(path for path, kept in index.recordings if kept == keep))
            if paths:
                with replace(judging, keep=judging.keep or keep).open(into) as store:
                    judged = correlate_many(paths, store, judging.known, jobs)
                    missing |= {one.path for one in watch(paths, judged) if one.error}
        return missing

    lost: set[Path | str] = set()
    if not old.is_current:
        new = beside(place)
        with judging.open(new):
            lost |= read(old, new)
        if aside := swap(place, new, keep=bool(lost)):
            kept(aside)
    for each in before:
        missing = read(old_index(each), place)
        lost |= missing
        if missing:
            kept(str(each))
        else:
            each.unlink()
    with judging.open(place) as store:
        return UpgradedIndex(len(store.recordings()), frozenset(lost))
