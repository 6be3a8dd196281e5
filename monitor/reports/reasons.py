"""Why something was concluded, in words: the sentences of reasons.yml, filled with the fields of a reason."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from monitor import catalog
from monitor.findings import Reason
from monitor.reports.words import Words

NAMES = frozenset(("variant", "of", "step"))
"""Fields that are names of ours, whose words underscores join."""


def said(reason: Reason, words: Words) -> str:
    """One reason as a sentence."""
    table = _table()
    fields: dict[str, Any] = dict(reason.model_extra or {})
    for name, value in fields.items():
        if name in table["terms"]:
            fields[name] = table["terms"][name][value][words.lang]
        elif name == "type":
            fields[name] = words.data(value)
        elif name in NAMES:
            fields[name] = value.replace("_", " ")
    text: str = table["sentences"][reason.code][words.lang]
    return text.format(**fields)


def all_said(reasons: Iterable[Reason], words: Words) -> str:
    """Reasons one after the other."""
    return words("semicolon").join(said(reason, words) for reason in reasons)


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = catalog.tree(Path(__file__).with_name("reasons.yml"))
    return table
