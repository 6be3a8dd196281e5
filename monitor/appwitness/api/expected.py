"""Compares what was found in a sample app with devices/lab/expected.yml, for each app and plan."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from appwitness.catalog import yaml_files
from appwitness.events import DataType, Record
from appwitness.findings import LEVELS, Finding, Level
from appwitness.findings.people import told
from appwitness.reports.words import Words

HERE = Path(__file__).parents[1] / "devices/lab/expected.yml"
ITEMS = HERE.with_name("expected_items.yml")


class Expected(Record):
    """One finding, reduced to the fields that do not change from run to run."""

    model_config = ConfigDict(extra="forbid")

    rule: str
    data: DataType | None = None
    recipient: str | None = None
    """Host."""
    level: Level
    went: str | None = None
    """Whose data was sent and which of their details, as reports say it in English; None: the finding is not about
    people."""

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """Sorting key: worst first, then by name."""
        return (LEVELS.index(self.level), self.rule, self.data or "", self.recipient or "", self.went or "")


_Table = dict[str, dict[str, tuple[Expected, ...]]]
_table: TypeAdapter[_Table] = TypeAdapter(_Table)


@cache
def load() -> _Table:
    """App -> plan -> its findings, worst first."""
    apps = _table.validate_python(yaml_files.tree(HERE))
    return {app: {plan: _sorted(those) for plan, those in plans.items()} for app, plans in apps.items()}


@cache
def failing_items() -> dict[str, dict[str, tuple[str, ...]]]:
    """App -> checklist -> the items that its runs under all plans fail, in the list's order."""
    return TypeAdapter(dict[str, dict[str, tuple[str, ...]]]).validate_python(yaml_files.tree(ITEMS))


def shown(findings: Iterable[Finding]) -> tuple[Expected, ...]:
    """Findings in the form and order of the table; two that look alike in the table stay two."""
    return _sorted(
        Expected(
            rule=finding.rule,
            data=finding.data,
            recipient=finding.recipient.host if finding.recipient else None,
            level=finding.level,
            went=told(finding.people, Words("en").data(finding.data or ""), "en") if finding.people else None,
        )
        for finding in findings
    )


def _sorted(those: Iterable[Expected]) -> tuple[Expected, ...]:
    return tuple(sorted(those, key=lambda one: one.order))
