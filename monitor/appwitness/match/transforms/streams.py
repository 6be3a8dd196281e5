"""Calls on objects that are fed piece by piece: tells which calls continue which, and how far."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from appwitness.events import Ref
from appwitness.match.decode import Leaf
from appwitness.match.transforms.alike import Alike, order
from appwitness.match.transforms.outputs import SHORTEST, WAYS, Stream, TransformCall

CALLS = 4096
"""Maximum number of calls that are joined if a stream was encrypted piece by piece."""
RIVALS = 256
"""Maximum number of calls with the same short output that are compared for the one that continues longest."""
TAILS = 16
"""Maximum number of calls after the last long piece of a stream that are searched for its short end."""

NEAR = 4
"""Leaves beside that of a piece in which the next piece may stand."""


class OutputPlace(NamedTuple):
    """Where an output stands: the number of the leaf, and the range of bytes in it."""

    leaf: int
    start: int
    end: int
    how: tuple[str, ...] = ()
    """Steps from the leaf to the output, if it is not written there as it is."""


class FoundOutput(NamedTuple):
    """An output in an upload."""

    step: TransformCall
    """The last call that produced it."""
    place: OutputPlace
    """The innermost place."""
    places: list[OutputPlace]
    """For a cipher, all places where its output stands as it is, in no particular order."""


class CallStreams:
    """The calls of each stream, in order of time."""

    def __init__(self) -> None:
        self._calls: dict[Stream, list[tuple[datetime, int, TransformCall]]] = defaultdict(list)

    def add(self, step: TransformCall) -> tuple[list[tuple[datetime, int, TransformCall]], int]:
        """Add a call; returns all calls of its stream, and its index among them."""
        calls = self._calls[step.stream]
        place = bisect_right(calls, order(step), key=lambda call: call[:2])
        calls.insert(place, (*order(step), step))
        return calls, place

    def _around(self, step: TransformCall) -> tuple[list[tuple[datetime, int, TransformCall]], int]:
        calls = self._calls[step.stream]
        return calls, bisect_right(calls, order(step), key=lambda call: call[:2]) - 1

    def longest(
        self, rivals: Sequence[TransformCall], data: bytes, begin: int, before: datetime
    ) -> list[TransformCall]:
        """The longest run that begins with one of these calls, which all have the same output; of equal runs, the
        last."""
        best: list[TransformCall] = []
        size = 0
        for first in [step for step in reversed(rivals) if step.at <= before][:RIVALS]:
            run = self._run(first, data, begin, before)
            length = sum(len(call.outcome) for call in run)
            if length > size:
                best, size = run, length
            if begin + size == len(data):
                break
        return best

    def _run(self, first: TransformCall, data: bytes, begin: int, before: datetime) -> list[TransformCall]:
        """The calls of a stream, from the first on, whose outputs stand in these bytes one after the other."""
        calls, place = self._around(first)
        run: list[TransformCall] = []
        for _, _, call in calls[place : place + CALLS]:
            if call.at > before or not data.startswith(call.outcome, begin):
                break
            run.append(call)
            begin += len(call.outcome)
        while run and not run[-1].outcome:  # its input may have come out later
            run.pop()
        while place and len(run) < CALLS and not calls[place - 1][2].outcome:
            place -= 1
            run.insert(0, calls[place][2])
        return run if len(run) > 1 else []

    def continued(
        self, found: Mapping[Alike, FoundOutput], of: Mapping[Ref, Alike], leaves: Sequence[Leaf], before: datetime
    ) -> list[list[TransformCall]]:
        """Runs of two calls or more that continue each other: calls that follow each other in one stream, with those
        in between that have little or no output; and calls whose outputs stand directly one after the other."""
        runs: list[list[TransformCall]] = []
        taken: set[Ref] = set()
        for one in sorted(found.values(), key=lambda one: order(one.step)):
            if not one.step.cut and one.step.ref not in taken:
                run = self._neighbours(one, found, of, leaves, before)
                taken.update(call.ref for call in run)
                if len(run) > 1:
                    runs.append(run)
        runs += self._adjacent(found, leaves, before)
        longest: dict[Ref, list[TransformCall]] = {}
        for run in sorted(runs, key=len):
            longest.update((call.ref, run) for call in run)
        return [run for run in runs if any(longest[call.ref] is run for call in run)]

    def _neighbours(
        self,
        one: FoundOutput,
        found: Mapping[Alike, FoundOutput],
        of: Mapping[Ref, Alike],
        leaves: Sequence[Leaf],
        before: datetime,
    ) -> list[TransformCall]:
        """The calls before and after one in its stream that are in the upload too, or have no output yet.

        No output counts twice; otherwise, a payload that is sent again and again would become one long text. An output
        that was produced several times must stand in the upload at the place where it is next in order.
        """
        calls, middle = self._around(one.step)
        inside = {of[one.step.ref]}
        run = [one.step]
        for way in (-1, 1):
            place, at = one.place, middle + way
            added: list[TransformCall] = []
            sure = 0
            while 0 <= at < len(calls) and len(run) + len(added) < CALLS:
                call = calls[at][2]
                turn: OutputPlace | None = None
                if call.at > before:
                    break
                if len(call.outcome) >= SHORTEST:
                    alike = of[call.ref]
                    if alike not in found or alike in inside:
                        break
                    turn = _next(found[alike].places, place, way, leaves)
                    if turn is None and alike.is_repeated(before):
                        break
                    turn = turn or place
                    inside.add(alike)
                elif call.outcome:
                    turn = _little(call.outcome, place, way, leaves)
                elif sure == len(added):
                    turn = place
                added.append(call)
                if turn is not None:
                    place, sure = turn, len(added)
                at += way
            if way < 0:
                del added[sure:]  # short outputs before it may be the ends of others
            run = [*reversed(added), *run] if way < 0 else [*run, *added]
        # the input of the last calls came out later, if at all
        end = next((at + 1 for at in reversed(range(len(run))) if run[at].outcome), 0)
        return run[:end]

    def _adjacent(
        self, found: Mapping[Alike, FoundOutput], leaves: Sequence[Leaf], before: datetime
    ) -> Iterator[list[TransformCall]]:
        """Calls of one stream, one after the other, whose outputs stand in the upload without a gap, whatever other
        calls were made in between: two objects may be fed in turns. Each output must be as long as its input, so
        that no input in between can have been held back."""
        begins: dict[tuple[int, int], tuple[Alike, OutputPlace]] = {}
        for alike, one in found.items():
            if not one.step.cut:
                for place in one.places:
                    known = begins.get(place[:2])
                    if known is None or known[1].end < place.end:
                        begins[place[:2]] = alike, place
        ends = {(place.leaf, place.end) for _, place in begins.values()}
        for spot in sorted(begins):
            if spot in ends:
                continue  # it continues another
            chain: list[tuple[Alike, OutputPlace]] = []
            while spot in begins and len(chain) < CALLS:
                alike, place = begins[spot]
                chain.append((alike, place))
                spot = (place.leaf, place.end)
            yield from self._called(chain, leaves, before)

    def _called(
        self, chain: Sequence[tuple[Alike, OutputPlace]], leaves: Sequence[Leaf], before: datetime
    ) -> Iterator[list[TransformCall]]:
        """The calls that produced these outputs, from the last to the first; a call of another stream begins a new
        run."""
        run: list[TransformCall] = []
        for alike, place in reversed(chain):
            even = len(alike.what.source) == len(alike.what.outcome)
            call = alike.last_of(run[0].stream, run[0]) if run and even else None
            if call is None:
                if len(run) > 1:
                    yield run
                call = alike.last(before)
                run = [call, *self._tail(call, leaves[place.leaf].data, place.end, before)] if call else []
            else:
                run.insert(0, call)
        if len(run) > 1:
            yield run

    def _tail(self, last: TransformCall, data: bytes, end: int, before: datetime) -> list[TransformCall]:
        """The call that produced the few bytes that are left of a leaf after an output."""
        rest = data[end:]
        if not 0 < len(rest) < SHORTEST or len(last.source) != len(last.outcome):
            return []
        calls, at = self._around(last)
        added = (call for _, _, call in calls[at + 1 : at + 1 + TAILS])
        return [call for call in added if call.outcome == rest and call.at <= before][:1]


def _next(places: Sequence[OutputPlace], place: OutputPlace, way: int, leaves: Sequence[Leaf]) -> OutputPlace | None:
    """The nearest of several places after a place (`way` 1) or before it (-1), among leaves that were decoded in the
    same way."""
    decoding = leaves[place.leaf].decoding
    alike = (other for other in places if leaves[other.leaf].decoding == decoding)
    if way > 0:
        return min((other for other in alike if other[:2] > place[:2]), default=None)
    return max((other for other in alike if other[:2] < place[:2]), default=None)


def _little(outcome: bytes, place: OutputPlace, way: int, leaves: Sequence[Leaf]) -> OutputPlace | None:
    """The place of a few bytes that are no proof on their own: directly after a place or before it, in its leaf or in
    one that holds nothing else."""
    data, size = leaves[place.leaf].data, len(outcome)
    at = place.end if way > 0 else place.start - size
    if at >= 0 and data.startswith(outcome, at):
        return OutputPlace(place.leaf, at, at + size)
    if (place.end < len(data)) if way > 0 else place.start:
        return None
    spellings = (outcome, *(spell(outcome).rstrip(b"=") for spell in WAYS))
    for number in range(place.leaf + way, place.leaf + way * (1 + NEAR), way):
        if 0 <= number < len(leaves) and leaves[number].data.rstrip(b"=") in spellings:
            return OutputPlace(number, 0, len(leaves[number].data))
    return None
