"""Why something was concluded, in words: the sentences of reasons.yml, filled with the fields of a reason."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.catalog import yaml_files
from appwitness.findings import Inference, Reason
from appwitness.reports.time_axis import span
from appwitness.reports.words import Words, plain

NAMES = frozenset(("variant", "of", "step"))
"""Fields that are names of ours, whose words underscores join."""
CHOICES = {"signal": "signal", "by": "by", "state": "consent", "scope": "scope"}
"""Fields that are a choice of the contract -> what their names in words.yml begin with."""
EXACT_MS = 10
"""Less than this is told with a decimal."""
UNKNOWN = {"who": "code_unrecorded", "steps": "none", "algorithms": "unknown", "names": "none", "way": "unknown",
           "agent": "unknown"}  # fmt: skip
"""Fields that may be empty -> what is said then, in words.yml."""


def said(reason: Reason, words: Words) -> str:
    """One reason as a sentence."""
    table = _table()
    fields: dict[str, Any] = dict(reason.model_extra or {})
    for name, value in fields.items():
        if name in table["terms"]:
            fields[name] = table["terms"][name][value][words.lang]
        elif name in CHOICES:
            fields[name] = words(f"{CHOICES[name]}_{value}")
        elif name in UNKNOWN and not value:
            fields[name] = words(UNKNOWN[name])
        elif name == "type":
            fields[name] = words.data(value)
        elif name == "label":
            fields[name] = f"{words('space')}“{value}”" if value else ""
        elif name in NAMES:
            fields[name] = value.replace("_", " ")
        elif name.endswith("_ms"):
            fields[name] = f"{value:.1f} ms" if value < EXACT_MS else span(value / 1000)
        elif isinstance(value, list | tuple):
            fields[name] = words("comma").join(map(str, value))
    text: str = table["sentences"][reason.code][words.lang]
    return text.format(**fields)


def all_said(reasons: Iterable[Reason], words: Words) -> str:
    """Reasons one after the other."""
    return words("semicolon").join(said(reason, words) for reason in reasons)


class ReasonStep(NamedTuple):
    """One step of a chain of inferences, in words."""

    says: str
    unless: str
    """What would refute it, as one clause; empty where nothing is named."""


def steps(chain: Iterable[Inference], words: Words) -> list[ReasonStep]:
    """A chain of inferences in words, what is of foreign origin in it harmless."""
    return [ReasonStep(plain(said(each.says, words)), plain(_unless(each, words))) for each in chain]


def _unless(inference: Inference, words: Words) -> str:
    what = words("chain_unless_or").join(said(each, words) for each in inference.unless)
    return words("chain_unless", what=what) if what else ""


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = yaml_files.tree(Path(__file__).with_name("reasons.yml"))
    return table
