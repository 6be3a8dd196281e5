"""Finds numbers with separators between their digits: `+86 138-0013-8000`, `(310) 555 0123`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from appwitness.events import Value
from appwitness.match import variants
from appwitness.match.hits import Hit, Spot
from appwitness.match.look import JoinedLeaves
from appwitness.match.native.tables import WordTable
from appwitness.match.search import Search
from appwitness.match.variants.entering import words_of

_End = tuple[re.Match[bytes], list[re.Match[bytes]], int]
"""A run of digits and separators, its groups of digits, and the index of the last group that may belong to a number."""
SPLIT_NUMBER = re.compile(rb"[+(0-9](?:[0-9() .\-/]|\xc2\xa0){6,60}[0-9]")
GROUP = re.compile(rb"[0-9]+")
NO_DIGIT = re.compile(rb"[^0-9]")
DIGITS_OF_A_NUMBER = range(7, 18)


class SplitNumbers:
    """Finds numbers by their last eight digits."""

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self.patterns = 0

    def add(self, slot: int, value: Value) -> None:
        """Look for a number from now on, if the value is one."""
        kind = variants.kind_of(value)
        forms = variants.FORMS[kind](value.text)
        numbers = {form.encode() for name, form in forms if variants.is_grouped(kind, name, form)}
        self._table.put(words_of(number[-8:] for number in numbers), slot)
        self.patterns += len(numbers)

    def find(self, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
        """Every number with separators between its digits."""
        return _split(self._table, look.numeric, search) if self._table else iter(())


def _split(table: WordTable, look: JoinedLeaves, search: Search) -> Iterator[Hit]:
    for run, groups, last in _ends(table, look):
        leaf_number = look.leaf_at(run.start())
        leaf = look.leaves[leaf_number]
        base = run.start() - look.starts[leaf_number]
        for first in _firsts(run[0], groups, last):
            start = groups[first].start() - (run[0][groups[first].start() - 1 : groups[first].start()] in (b"+", b"("))
            text = run[0][max(0, start) : groups[last].end()]
            numbers = sorted({NO_DIGIT.sub(b"", text), NO_DIGIT.sub(b"", text.replace(b"(0)", b""))})
            for slot, which, _ in table.find(words_of(number[-8:] for number in numbers)):
                variant = search.known.forms_of(slot).digits.get(numbers[which])
                one_more = last + 1 < len(groups) and len(groups[last + 1][0]) == 1
                if variant is not None and not (variant.unchecked and one_more):
                    spot = Spot(leaf, base + max(0, start), base + groups[last].end())
                    yield from search.hit(slot, variant._replace(name="separated"), spot)


def _ends(table: WordTable, look: JoinedLeaves) -> Iterator[_End]:
    """Groups of digits that a number in the table may end with, by the last eight digits up to there; one lookup for
    all."""
    ends: list[_End] = []
    words: list[bytes] = []
    sure: list[_End] = []
    for run in SPLIT_NUMBER.finditer(look.joined):
        if look.leaves[look.leaf_at(run.start())].text is None:
            continue
        groups = list(GROUP.finditer(run[0]))
        digits, size = NO_DIGIT.sub(b"", run[0]), 0
        for last, group in enumerate(groups):
            size += len(group[0])
            if not last or size < DIGITS_OF_A_NUMBER.start or run[0][group.end() : group.end() + 1].strip():
                continue
            if b"(0)" in run[0]:
                sure.append((run, groups, last))
                continue
            ends.append((run, groups, last))
            words += (digits[max(0, size - 8) : size], digits[size - DIGITS_OF_A_NUMBER.start : size])
    hit = {start // 2 for _, start, _ in table.find(words_of(words))}
    yield from (ends[number] for number in sorted(hit))
    yield from sure


def _firsts(run: bytes, groups: list[re.Match[bytes]], last: int) -> Iterator[int]:
    """The groups that a number ending with group `last` may begin with. A blank must precede the number: after a
    hyphen or a slash it would be part of something longer."""
    digits = len(groups[last][0])
    for first in range(last - 1, max(-1, last - 9), -1):
        digits += len(groups[first][0])
        if digits >= DIGITS_OF_A_NUMBER.stop:
            return
        if first and not run[groups[first - 1].end() : groups[first].start()].startswith(b" "):
            continue
        if digits in DIGITS_OF_A_NUMBER:
            yield first
