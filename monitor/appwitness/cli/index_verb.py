"""The verb that cares for the index as a whole: index upgrade."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from appwitness.api.home import database
from appwitness.cli.base import Judging, judging_options, main
from appwitness.cli.judge_verbs import in_turn, jobs_option
from appwitness.cli.terminal import err, out, plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from appwitness.store import Store


@main.group()
def index() -> None:
    """Build the index anew from its recordings."""


@index.command()
@jobs_option
@judging_options
def upgrade(jobs: int, judging: Judging) -> None:
    """Build the index anew when another version of appwitness made it.

    The new one is built beside it from the recordings where they were, judged as the options say, and takes its place
    when it is whole: until then the old one is as it was. What was set aside before, when another verb met an index of
    another version, is read in too. Recordings that cannot be read are named; then the old index is kept. What was
    interrupted goes on when it is started again.
    """
    from appwitness.store.upgrade import beside, old_index, set_aside_before, swap

    place = database(judging.db)
    old, before = old_index(place), set_aside_before(place)

    def read(paths: Iterable[Path], store: Store) -> set[Path]:
        """Those that cannot be read."""
        return {one.path for one in in_turn(paths, store, judging.known, jobs) if one.error}

    lost: set[Path] = set()
    if not old.is_current:
        new = beside(place)
        with judging.open(new) as store:
            lost |= read(old.paths, store)
        if kept := swap(place, new, keep=bool(lost)):
            err.print(f"the old index is kept: {plain(kept)}")
    for each in before:
        with judging.open(place) as store:
            missing = read(old_index(each).paths, store)
        lost |= missing
        if not missing:
            each.unlink()
        else:
            err.print(f"the old index is kept: {plain(str(each))}")
    with judging.open(place) as store:
        out.print(f"the index has {len(store.recordings()):,} recordings; {len(lost):,} could not be read")
    sys.exit(2 if lost else 0)
