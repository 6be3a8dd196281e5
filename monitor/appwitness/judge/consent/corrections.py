"""Finds the lines that an operator has since replaced or retracted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from appwitness.events import Consent, Ref
from appwitness.events.seen import Seen
from appwitness.judge.consent.machine import by_operator, in_file


class LineCorrections(NamedTuple):
    """The corrections of a line, and those that it makes itself."""

    all: tuple[Ref, ...] = ()
    """The line itself, the lines that it replaced, and those that replaced it; empty if it is involved in no
    correction."""
    replaced: tuple[Ref, ...] = ()
    """The lines that it replaces."""


NONE = LineCorrections()


class Corrections:
    """What operators said about earlier lines.

    The last word on a line counts: a later correction of the same line supersedes an earlier one. A retracted line
    (`retracts`) never existed, so neither did its corrections: whatever it had replaced or retracted counts again. Only
    an operator's line can correct, and only a line before it in the same file, or a line of another file.
    """

    def __init__(self, lines: Iterable[Seen[Consent]]) -> None:
        named = sorted(lines, key=lambda each: (each.number, each.ref), reverse=True)
        numbers = {each.ref: each.number for each in named}
        files = {each.ref: each.ref.rpartition(":")[0] for each in named}
        self._by: dict[Ref, Ref] = {}
        """A line that no longer counts -> the line that said so."""
        self.unknown: dict[Ref, Ref] = {}
        """A line -> the line that it names, which does not exist."""
        taken_back: set[Ref] = set()
        retracting: set[Ref] = set()
        for ref, _, _, line in named:  # the last first: every line that may correct this one has been seen by then
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
        """Whether the line counts as written; a line that retracts another says nothing else."""
        return ref not in self._by and ref not in self._retracting

    def replaced(self) -> dict[Ref, tuple[Ref, ...]]:
        """Lines that no longer count, each with the lines that corrected it, the latest last."""
        return dict(self._replaced)

    def around(self, ref: Ref) -> LineCorrections:
        """The corrections in which a line is involved."""
        return self._around.get(ref, NONE)

    def _words(self, ref: Ref) -> tuple[Ref, ...]:
        words: list[Ref] = []
        while ref in self._by:
            ref = self._by[ref]
            words.append(ref)
        return tuple(words)
