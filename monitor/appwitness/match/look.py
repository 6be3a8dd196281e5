"""The leaves of one upload joined, so that one pass searches all of them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from appwitness.match.decode.walk.pieces import Leaf

BETWEEN = b"\xff\xfe\xfd\xfc"
"""Separates leaves; occurs in no text and no pattern."""
DIGIT = re.compile(rb"[0-9]")
DECIMAL = re.compile(rb"[0-9]\.[0-9]{2}")
RUN = re.compile(rb"[A-Za-z0-9+/_-]+")


class JoinedLeaves:
    """Leaves as one run of bytes, with a way back from a position to its leaf."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self.leaves = leaves
        self.joined = BETWEEN.join([leaf.data for leaf in leaves])
        self.starts: list[int] = []
        at = 0
        gap = len(BETWEEN)
        for leaf in leaves:
            self.starts.append(at)
            at += len(leaf.data) + gap
        self.size = at
        self._runs: dict[int, list[tuple[int, int]]] = {}

    def leaf_at(self, position: int) -> int:
        """The number of the leaf that contains a position."""
        return bisect_right(self.starts, position) - 1

    @cached_property
    def binary(self) -> list[Leaf]:
        """The leaves that are not text."""
        return [leaf for leaf in self.leaves if leaf.text is None]

    @cached_property
    def numeric(self) -> JoinedLeaves:
        """Only the leaves that may contain a number in digits."""
        return JoinedLeaves(
            [
                leaf
                for leaf in self.leaves
                if len(leaf.data) > 3 and (DIGIT if leaf.text is not None else DECIMAL).search(leaf.data)
            ]
        )

    def run_around(self, number: int, position: int) -> tuple[int, int]:
        """The run of base64 characters around a position in a leaf."""
        runs = self._runs.get(number)
        if runs is None:
            runs = self._runs[number] = [run.span() for run in RUN.finditer(self.leaves[number].data)]
        at = bisect_right(runs, (position, len(self.leaves[number].data) + 1)) - 1
        return runs[at]
