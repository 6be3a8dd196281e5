"""The walk goes on from what it concluded before: line by line it comes to what it would come to with no memory."""

from __future__ import annotations

from copy import copy

import pytest

from appwitness.correlate.currency import place_of
from appwitness.correlate.walk import MadeBefore, Walk
from appwitness.events import FILES
from appwitness.recording import ReadLine, Recording
from appwitness.store import Store
from tests.recordings.written import RECORDINGS
from tests.test_recordings import CASES, known

STEPS = 40
"""At most, of one recording."""


def in_turn(recording: Recording) -> list[ReadLine]:
    """All lines as they came, in time."""
    order = list(FILES)
    reads = [
        (event.at, read) for kind in FILES for read in recording.read(kind, finished=True) if (event := read.event)
    ]
    reads.sort(key=lambda each: (each[0], order.index(each[1].kind), each[1].position.line))
    return [read for _, read in reads]


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (at % 2)) for at, case in enumerate(CASES)]
)
def test_going_on_is_the_same_as_anew(case: str) -> None:
    recording = Recording.open(RECORDINGS / case)
    reads = in_turn(recording)
    if CASES.index(case) // 2 % 2:  # of every other one the accesses come last
        reads = [read for read in reads if read.kind != "access"] + [read for read in reads if read.kind == "access"]
    stores = Store("sqlite://"), Store("sqlite://")
    for store in stores:
        store.ingest(recording.run.id, recording.run, place_of(recording), [])
    walk = Walk(recording, stores[0], known(case))
    size = max(1, -(-len(reads) // STEPS))
    for first in range(0, len(reads), size):
        walk.take(reads[first : first + size])
        grown = walk.conclude(0, going_on=True)
        saved = stores[0].flows(walk.id), stores[0].findings(walk.id), stores[0].found_gaps(walk.id)
        assert saved == (list(grown.flows), list(grown.findings), list(grown.gaps))
        anew = copy(walk)
        anew.store, anew.made = stores[1], MadeBefore()
        assert anew.conclude(0, going_on=True) == grown
