"""Finds the lines that an operator has since replaced or withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from appwitness.events import Consent, Ref
from appwitness.events.seen import Seen
from appwitness.judge.consent.machine import by_operator, in_file


class LineCorrections(NamedTuple):
    """What has been said of a line, and what it says of others."""

    all: tuple[Ref, ...] = ()
    """The line itself, what it has replaced, and what has replaced it; none when it has to do with no correction."""
    replaced: tuple[Ref, ...] = ()
    """The lines in whose place it stands."""


NONE = LineCorrections()


class Corrections:
    """What operators said of earlier lines.

    The last word on a line counts: a later correction of the same line stands in for an earlier one. A line that was
    taken back (`retracts`) never was, and so what it said of others never was said: what it had replaced is back, and
    what it had taken back, too. Only an operator's line can correct, and only a line before it in its file, or one of
    another file.
    """

    def __init__(self, lines: Iterable[Seen[Consent]]) -> None:
        named = sorted(lines, key=lambda each: (each.number, each.ref), reverse=True)
        numbers = {each.ref: each.number for each in named}
        files = {each.ref: each.ref.rpartition(":")[0] for each in named}
        self._by: dict[Ref, Ref] = {}
        """A line that does not count any more -> the line that said so."""
        self.unknown: dict[Ref, Ref] = {}
        """A line -> the line it names, which there is not."""
        taken_back: set[Ref] = set()
        retracting: set[Ref] = set()
        for ref, _, _, line in named:  # the last first: whoever can say something of this one has spoken
            target = line.retracts or line.corrects
            if target is None or not by_operator(line):
                continue
            if line.retracts:
                retracting.add(ref)
            there = target in numbers and (files[target] != files[ref] or numbers[target] < numbers[ref])
            if not there:
                self.unknown[ref] = target
            elif ref in taken_back:
                continue
            elif target in self._by:
                self._by.setdefault(ref, self._by[target])
            else:
                self._by[target] = ref
                if line.retracts:
                    taken_back.add(target)
        self._retracting = retracting
        self._replaced = {ref: self._words(ref) for ref in self._by if ref not in retracting}
        self._around = {ref: LineCorrections((ref, *words)) for ref, words in self._replaced.items()}
        for ref in {words[-1] for words in self._replaced.values()} - retracting:
            olds = {each for old, words in self._replaced.items() if words[-1] == ref for each in (old, *words[:-1])}
            replaced = tuple(sorted(olds, key=in_file))
            self._around[ref] = LineCorrections((ref, *replaced), replaced)

    def stands(self, ref: Ref) -> bool:
        """Whether the line counts as it is written; one that takes another back says nothing besides."""
        return ref not in self._by and ref not in self._retracting

    def replaced(self) -> dict[Ref, tuple[Ref, ...]]:
        """Lines that do not count any more, each with what was said of it, the latest last."""
        return dict(self._replaced)

    def around(self, ref: Ref) -> LineCorrections:
        """The corrections that a line has to do with."""
        return self._around.get(ref, NONE)

    def _words(self, ref: Ref) -> tuple[Ref, ...]:
        words: list[Ref] = []
        while ref in self._by:
            ref = self._by[ref]
            words.append(ref)
        return tuple(words)
