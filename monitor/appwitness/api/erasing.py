"""Removes personal data: for good from a recording, or by tokens in a copy that can be shared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.home import database, signer
from appwitness.api.recording_names import all_in
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.care import Shared
    from appwitness.care import ToForget as ToForget
    from appwitness.events import Run, Value


@dataclass(frozen=True)
class Retention:
    """How long recordings in a folder are kept."""

    folder: Path
    """The resolved folder; recordings elsewhere are left alone."""
    whole: timedelta = timedelta.max
    kinds: Mapping[str, timedelta] = field(default_factory=dict)
    """Kind of line -> how long lines of that kind are kept."""


@dataclass(frozen=True)
class Forgetting:
    """What to forget: in which recordings, and which lines."""

    recordings: Sequence[Path] = ()
    """Empty: all in the folder of recordings, or in `place`."""
    older_than: timedelta | None = None
    """Only recordings that ended longer ago than this."""
    campaign: str | None = None
    """Only recordings of this campaign. Without `older_than`, `values` and `kinds`, also everything that the index has
    of the campaign."""
    values: Collection[Value] = ()
    """Only lines and bodies with one of these values in any form."""
    kinds: Collection[str] = ()
    """Only lines of these kinds."""
    place: str | None = None
    """Folder or bucket (`s3://bucket/prefix`) to search if no recordings are named."""
    retention: Retention | None = None
    """Instead of all the above: everything older than its retention period."""

    def plans(self, stays: Callable[[Path, UserError], object] = lambda *_: None) -> Iterator[ToForget]:
        """Plan what to forget in each recording; nothing is changed. An archive stays unpacked while its plan is in
        use.

        If no recordings are named, `stays` gets each one that cannot be forgotten, with the reason, and recordings
        without anything to forget are skipped. Raises UserError.
        """
        from appwitness.care import to_forget
        from appwitness.recording import Recording

        def failed(path: Path, error: UserError) -> None:
            if self.recordings:
                raise error
            stays(path, error)

        key = signer()
        for path, kinds in self._parts(failed):
            try:
                plan = to_forget(Recording.open(path, signer=key), self.values, kinds)
            except UserError as error:
                failed(path, error)
                continue
            if plan or plan.left or self.recordings:
                yield plan

    def forget(
        self,
        reason: str | None = None,
        *,
        db: str | None = None,
        begun: Callable[[ToForget], object] = lambda _: None,
        stays: Callable[[Path, UserError], object] = lambda *_: None,
    ) -> int:
        """Forget it for good, in the recordings and in the index if there is one; returns how many lines are gone.

        `reason` is written into a stamp made for it. `begun` gets each plan before it is carried out; `stays` is as in
        `plans`. Raises as `plans` does, and StoreError if a bucket or the index cannot be reached.
        """
        from appwitness.recording.seal import first_stamp

        found: set[tuple[str, str]] = set()
        lines = 0
        whole = self.campaign if not (self.values or self.kinds or self.older_than) else None
        try:
            for plan in self.plans(stays):
                begun(plan)
                found.add((plan.given.run.id, first_stamp(plan.given.path) or ""))
                if plan:
                    plan.forget(reason)
                    _put_back(plan)
                lines += plan.count
        finally:
            if found or whole:
                _forget_in_index(found, whole, db)
        return lines

    def _parts(self, failed: Callable[[Path, UserError], object]) -> Iterator[tuple[Path, Collection[str]]]:
        """The recordings to change, each with the kinds of line to forget; empty: all kinds."""
        if self.retention:
            return self._outlived(self.retention, failed)
        if not (self.recordings or self.older_than or self.values or self.campaign):
            raise UserError(
                "You have not said what to forget.", "Name a RECORDING, --older-than, --campaign or --value."
            )
        if self.values and self.kinds:
            raise UserError("A value is looked for in all kinds of lines.", "Leave out --only, or --value.")
        return ((path, self.kinds) for path, run in self._named(failed) if self._is_meant(run))

    def _named(self, failed: Callable[[Path, UserError], object]) -> Iterator[tuple[Path, Run]]:
        from appwitness.recording import Recording

        if self.recordings:
            return ((path, Recording.open(path).run) for path in self.recordings)
        return all_in(self.place, failed)

    def _is_meant(self, run: Run) -> bool:
        return (self.campaign is None or run.campaign == self.campaign) and _is_older(run, self.older_than)

    def _outlived(
        self, retention: Retention, failed: Callable[[Path, UserError], object]
    ) -> Iterator[tuple[Path, Collection[str]]]:
        for path, run in self._named(failed):
            if not path.resolve().is_relative_to(retention.folder):
                continue
            if _is_older(run, retention.whole):
                yield path, ()
            elif kinds := [kind for kind, age in retention.kinds.items() if _is_older(run, age)]:
                yield path, kinds


def _is_older(run: Run, than: timedelta | None) -> bool:
    return than is None or datetime.now(UTC) - (run.ended or run.started) > than


def _put_back(plan: ToForget) -> None:
    """Upload a changed recording to the bucket that it came from. Raises StoreError if the bucket cannot be reached;
    nothing in it is forgotten then."""
    from appwitness.fleet.objects import objects
    from appwitness.recording.archive import Fetched

    if plan.given.archive and isinstance(plan.given.archive.file, Fetched):
        place, _, name = plan.given.place.rpartition("/")
        objects(place).put(name, plan.given.archive.file)


def _forget_in_index(recordings: Collection[tuple[str, str]], campaign: str | None, db: str | None) -> None:
    """Forget the rows of these recordings (id, first stamp) and of a campaign in the index, if one exists. Rows that
    cannot be told apart from theirs are forgotten too."""
    from appwitness.store import Store

    place = database(db)
    if isinstance(place, Path) and not place.is_file():
        return
    with Store(place) as store:
        if campaign and campaign in store.campaigns():
            store.forget_campaign(campaign)
        store.forget(
            {
                held.name
                for id_, head in recordings
                for held in store.of_id(id_)
                if held.head == head or not (head and held.head)
            }
        )


def share(recording: Path, output: Path) -> Shared:
    """Copy a recording to the new folder `output`, with every personal value replaced by a token of the same shape.

    A body in which a value could still be found is left out, with a gap in its place. Raises UserError while the
    recording is in progress or if `output` is not empty, DamagedRecording if it does not match its stamps.
    """
    from appwitness.care import shared

    return shared(recording, output, signer())
