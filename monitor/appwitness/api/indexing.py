"""The index as a whole: built anew when another version of appwitness made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from appwitness.api.home import database

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import JudgedRecording, Judging
    from appwitness.store.upgrade import Old

    type Watch = Callable[[Sequence[Path | str], Iterator[JudgedRecording]], Iterator[JudgedRecording]]
    """Gets the recordings of an index and what came of each; gives that on."""


class UpgradedIndex(NamedTuple):
    """What came of building an index anew."""

    recordings: int
    """In the new one."""
    lost: frozenset[Path | str]
    """Recordings that could not be read."""


def upgrade(
    judging: Judging,
    jobs: int = 1,
    *,
    watch: Watch = lambda _, judged: judged,
    kept: Callable[[str], object] = lambda _: None,
) -> UpgradedIndex:
    """Build the index anew from its recordings, where another version made it; and read in what was set aside before.

    The old one is as it was until the new one is whole. Where a recording cannot be read the old one is kept under
    another name, which `kept` gets. Raises UserError when there is no index, or another program uses it.
    """
    from appwitness.correlate.many import correlate_many
    from appwitness.store.upgrade import beside, old_index, set_aside_before, swap

    place = database(judging.db)
    old, before = old_index(place), set_aside_before(place)

    def read(index: Old, into: str | Path) -> set[Path | str]:
        """Those that cannot be read. The new index has of each what the old one had, unless the user said what."""
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
