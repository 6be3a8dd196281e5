"""Texts that a regular expression finds, the simplest there are, and texts that it does not find."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_CLASSES = {kinds.CATEGORY_DIGIT: "1", kinds.CATEGORY_WORD: "w", kinds.CATEGORY_SPACE: " "}
_NOT = {kinds.CATEGORY_NOT_DIGIT: "a", kinds.CATEGORY_NOT_WORD: "-", kinds.CATEGORY_NOT_SPACE: "a"}

APP = "standin"
"""The app that makes the calls; `${app}` in a pattern."""
_OTHERS = ("content://nobody/none", APP, f"Intent {{ cmp={APP}/.Main }}")
"""Texts that hardly any source looks for: the last two are of those that look for all but the app itself."""


def other(patterns: Iterable[str]) -> str | None:
    """A text that none of the patterns is found in, where one is known."""
    told = [pattern.replace("${app}", APP) for pattern in patterns]
    return next((text for text in _OTHERS if not any(re.search(each, text) for each in told)), None)


def examples(pattern: str) -> list[str]:
    """Texts that the pattern is found in; lookarounds may make it none."""
    made = {"".join(_text(parser.parse(pattern), branch, repeat)) for branch in range(4) for repeat in (0, 1, 3)}
    return sorted((text for text in made if re.search(pattern, text)), key=lambda text: (len(text), text))


def _text(parts: Any, branch: int, repeat: int) -> list[str]:
    return [_part(kind, what, branch, repeat) for kind, what in parts]


def _part(kind: Any, what: Any, branch: int, repeat: int) -> str:
    match kind:
        case kinds.LITERAL:
            return chr(what)
        case kinds.NOT_LITERAL:
            return "a" if what != ord("a") else "b"
        case kinds.ANY:
            return "x"
        case kinds.IN:
            return _one_of(what)
        case kinds.BRANCH:
            return "".join(_text(what[1][branch % len(what[1])], branch, repeat))
        case kinds.SUBPATTERN:
            return "".join(_text(what[3], branch, repeat))
        case kinds.MAX_REPEAT | kinds.MIN_REPEAT | kinds.POSSESSIVE_REPEAT:
            least, most, inner = what
            return "".join("".join(_text(inner, branch, repeat)) for _ in range(max(least, min(repeat, most))))
        case _:  # anchors and lookarounds have no width
            return ""


def _one_of(options: Any) -> str:
    first, rest = options[0], options[1:]
    if first[0] is kinds.NEGATE:
        taken = {chr(what) for kind, what in rest if kind is kinds.LITERAL}
        return next(char for char in "ax1-" if char not in taken)
    kind, what = first
    if kind is kinds.CATEGORY:
        return _CLASSES.get(what) or _NOT[what]
    return chr(what if kind is kinds.LITERAL else what[0])
