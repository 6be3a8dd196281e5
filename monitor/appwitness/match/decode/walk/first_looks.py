"""Derives the possible first characters of regular expressions, so that most need not be tried on a piece."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

ALL = frozenset(range(256))
_CATEGORIES = {
    name: frozenset(byte for byte in range(256) if re.match(sign, bytes((byte,))))
    for name, sign in (
        *(("CATEGORY_DIGIT", rb"\d"), ("CATEGORY_NOT_DIGIT", rb"\D"), ("CATEGORY_SPACE", rb"\s")),
        *(("CATEGORY_NOT_SPACE", rb"\S"), ("CATEGORY_WORD", rb"\w"), ("CATEGORY_NOT_WORD", rb"\W")),
    )
}


def first_bytes(pattern: re.Pattern[bytes]) -> frozenset[int]:
    """The bytes with which a match of an expression may begin.

    This uses the parser of Python's own `re`, which is not public: without it nothing is known, and everything is
    tried.
    """
    try:
        parsed = import_module("re._parser").parse(pattern.pattern, pattern.flags)
    except (ImportError, AttributeError):
        return ALL
    found, empty = _first(parsed, either_case=bool(pattern.flags & re.IGNORECASE))
    return ALL if empty else found


def _first(items: Iterable[Any], *, either_case: bool) -> tuple[frozenset[int], bool]:
    """The bytes that a sequence may begin with, and whether it may be empty."""
    found: frozenset[int] = frozenset()
    ahead = ALL
    for kind, given in items:
        match str(kind):
            case "AT" | "ASSERT_NOT":
                continue
            case "ASSERT":
                way, inner = given
                heads, empty = _first(inner, either_case=either_case)
                if way == 1 and not empty and not found:
                    ahead &= heads
                continue
            case "BRANCH":
                parts = [_first(one, either_case=either_case) for one in given[1]]
                heads, empty = frozenset().union(*(one for one, _ in parts)), any(none for _, none in parts)
            case "SUBPATTERN":
                heads, empty = _first(given[3], either_case=either_case or bool(given[1] & re.IGNORECASE))
            case "ATOMIC_GROUP":
                heads, empty = _first(given, either_case=either_case)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                heads, empty = _first(given[2], either_case=either_case)
                empty = empty or not given[0]
            case _:
                heads, empty = _bytes_of(kind, given, either_case=either_case), False
        found |= heads
        if not empty:
            return found & ahead, False
    return found & ahead, True


def _bytes_of(kind: Any, given: Any, *, either_case: bool) -> frozenset[int]:
    """The bytes that one item of an expression stands for, or more than those."""
    match str(kind):
        case "LITERAL":
            found = frozenset((given,))
        case "NOT_LITERAL":
            return ALL if either_case else ALL - {given}
        case "RANGE":
            found = frozenset(range(given[0], given[1] + 1))
        case "CATEGORY":
            return _CATEGORIES.get(str(given), ALL)
        case "IN":
            members = [_bytes_of(*one, either_case=either_case) for one in given if str(one[0]) != "NEGATE"]
            found = frozenset().union(*members)
            if len(members) < len(given):
                return ALL if either_case else ALL - found
            return found
        case _:
            return ALL
    return found | frozenset(bytes(found).swapcase()) if either_case else found


def heads(pattern: re.Pattern[bytes]) -> list[bytes]:
    """The two to four bytes of a signature, if every match of an expression begins with one.

    This uses the same parser as `first_bytes`: without it, the list is empty.
    """
    try:
        parsed = import_module("re._parser").parse(pattern.pattern, pattern.flags)
    except (ImportError, AttributeError):
        return []
    return sorted({one[:4] for one in _literal(parsed)[0] if len(one) > 1})


def _literal(items: Iterable[Any]) -> tuple[list[bytes], bool]:
    """The possible beginnings of a sequence, as far as they are certain, and whether each is all of it."""
    found = [b""]
    for kind, given in items:
        match str(kind):
            case "LITERAL" | "IN":
                ways = [bytes((byte,)) for byte in sorted(_bytes_of(kind, given, either_case=False))]
                whole = True
                if len(ways) > FEW:
                    return found, False
            case "BRANCH":
                parts = [_literal(one) for one in given[1]]
                ways, whole = [one for part, _ in parts for one in part], all(all_of_it for _, all_of_it in parts)
            case _:
                return found, False
        found = [one + other for one in found for other in ways]
        if not whole:
            return found, False
    return found, True


FEW = 4
"""Maximum number of different bytes that may stand at one position of a signature."""
