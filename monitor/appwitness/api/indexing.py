"""The index as a whole: built anew when another version of appwitness made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from appwitness.api.home import database

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import JudgedRecording, Judging
    from appwitness.store import Store

    type Watch = Callable[[Sequence[Path], Iterator[JudgedRecording]], Iterator[JudgedRecording]]
    """Gets the recordings of an index and what came of each; gives that on."""


class UpgradedIndex(NamedTuple):
    """What came of building an index anew."""

    recordings: int
    """In the new one."""
    lost: frozenset[Path]
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

    def read(paths: Sequence[Path], store: Store) -> set[Path]:
        """Those that cannot be read."""
        each_once = tuple(dict.fromkeys(paths))
        judged = correlate_many(each_once, store, judging.known, jobs)
        return {one.path for one in watch(each_once, judged) if one.error}

    lost: set[Path] = set()
    if not old.is_current:
        new = beside(place)
        with judging.open(new) as store:
            lost |= read(old.paths, store)
        if aside := swap(place, new, keep=bool(lost)):
            kept(aside)
    for each in before:
        with judging.open(place) as store:
            missing = read(old_index(each).paths, store)
        lost |= missing
        if missing:
            kept(str(each))
        else:
            each.unlink()
    with judging.open(place) as store:
        return UpgradedIndex(len(store.recordings()), frozenset(lost))
