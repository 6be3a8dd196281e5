"""Splits the paths of leaves into steps, to tell what is in one row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from appwitness.match.decode import Leaf
from appwitness.match.hits import parent_of

Tokens = tuple[str | int, ...]
"""A path as its steps: names of members, and indexes in lists."""

WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
"""The words of a key."""
STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[\]]+)')
FORM = re.compile(r"[\w-]+(?:(?:\[[\w-]*\])+|(?:\.[\w-]+)+)")
"""A form key that is a path itself: `contacts[0][name]`, `contact.0.name`."""
ROW_IN_KEY = re.compile(r"([A-Za-z]+)[_-]?(\d{1,4})[_-]([A-Za-z].*)")
"""A key that contains its row: `contact_0_name`."""
NUMBERED = re.compile(r"(\w*[A-Za-z_])(\d{1,6})")
"""A numbered key: `name2` goes with `phone2`, as entries of lists do."""


@lru_cache(maxsize=4096)
def tokens_of(path: str) -> Tokens:
    """A path as its steps; keys that are paths themselves are split as well."""
    steps: list[str | int] = []
    for key, place, name in STEP.findall(path):
        if place:
            steps.append(int(place))
        elif key and FORM.fullmatch(key):
            steps += [int(one) if one.isdecimal() else one for one in re.split(r"[\[\].]+", key) if one]
        elif row := ROW_IN_KEY.fullmatch(key or name):
            steps += [row[1], int(row[2]), row[3]]
        elif numbered := NUMBERED.fullmatch(key or name):
            steps += [numbered[1], int(numbered[2])]
        else:
            steps.append(key or name)
    return tuple(steps)


def xml_rows(leaves: Sequence[Leaf]) -> dict[tuple[str, int], Tokens]:
    """(path, start) of leaves of XML -> their path with the index of their element: elements of the same name have
    no index of their own. A new element begins where its first member comes again."""
    firsts: dict[str, tuple[str, int]] = {}
    rows: dict[tuple[str, int], Tokens] = {}
    for leaf in leaves:
        if leaf.decoding[-1:] != ("xml",):
            continue
        parent = parent_of(leaf.path)
        first, number = firsts.setdefault(parent, (leaf.path, -1))
        if first == leaf.path:
            number += 1
            firsts[parent] = (first, number)
        *before, last = tokens_of(leaf.path)
        rows[leaf.path, leaf.start] = (*before, number, last)
    return rows
