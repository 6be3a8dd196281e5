"""What templates call: the choices of filters in the reader's language, and short names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from appwitness.findings import LEVELS, Match
from appwitness.reports.reasons import said
from appwitness.reports.words import Words

Choices = list[tuple[object, str]]
"""Values, and how each is called."""


def choices(words: Words) -> dict[str, Any]:
    """Name -> function or value for templates."""

    def called(prefix: str) -> Callable[[Iterable[str]], Choices]:
        return lambda values: [(value, words(f"{prefix}_{value}")) for value in values]

    return {
        "same": lambda values: [(value, value) for value in values],
        "counted": lambda values: [(value, f"{value} ({count:,})") for value, count in values],
        "plans": called("plan"),
        "run_states": called("run"),
        "level_choices": called("level")(LEVELS),
        "titles": lambda rules: [(rule, words.of(title)) for rule, title in rules.items()],
        "data_choices": lambda values: [(value, f"{words.data(value)} ({count:,})") for value, count in values],
        "outcome_choices": lambda values: [
            (value, f"{words(f'outcome_{value}', count='…')} ({count:,})") for value, count in values
        ],
        "statuses": _statuses,
        "said": lambda reason: said(reason, words),
        "path_of": _path,
        "short": lambda source: ".".join(source.split(".")[-2:]),
        "leaf_of": _leaf,
    }


def _statuses(values: Iterable[tuple[int, int]]) -> Choices:
    """Classes of response statuses, each with the statuses that there are."""
    found = sorted(values)
    classes = dict.fromkeys(status // 100 for status, _ in found)
    many = {kind: sum(count for status, count in found if status // 100 == kind) for kind in classes}
    shown: Choices = []
    for kind in classes:
        shown.append((f"{kind}xx", f"{kind}xx ({many[kind]:,})"))
        shown += [(status, f"{status} ({count:,})") for status, count in found if status // 100 == kind]
    return shown


def _path(url: str | None) -> str:
    """Path and query of a URL; the whole text where it is no URL."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path) or "/" if parts.netloc else url


def _leaf(leaves: Sequence[Mapping[str, Any]], match: Match) -> int | None:
    """The number of the leaf in which a match stands."""
    there = (leaf["number"] for leaf in leaves if match.type in leaf["data"] and leaf["path"] == match.path)
    return next(there, None)
