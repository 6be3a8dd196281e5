"""What a benchmark gives, and how it is compared with the goals of goals.yml: `met`, `SHORT`, or not measured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, assert_never

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

GOALS_YML = Path(__file__).parent / "goals.yml"


class Figure(NamedTuple):
    """One thing that was measured."""

    name: str
    """As in goals.yml, which says its unit and its yardstick."""
    value: float


class NotMeasured(NamedTuple):
    """What could not be measured here."""

    name: str | None
    """Of a figure; None: all that the benchmark has not given yet."""
    reason: str


class Broken(Exception):
    """A benchmark ended before it had given all of its figures."""


type Given = Figure | NotMeasured


class Goal(BaseModel):
    """An entry of goals.yml: what a figure is, and what it should come to."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    goal: float | int
    unit: str
    yardstick: str
    """What it is a ratio to, or measured against in the same run; `none` where it is an absolute count."""
    better: Literal["lower", "higher"]
    why: str | None = None
    """Why the goal is what it is, in one sentence."""
    short: str | None = None
    """Where it is known that it is short: what takes it, in one sentence."""

    def met_by(self, value: float) -> bool:
        """Whether a value meets it."""
        return value <= self.goal if self.better == "lower" else value >= self.goal


type Goals = Mapping[str, Mapping[str, Goal]]
"""Benchmark -> figure -> goal."""

Verdict = Literal["met", "short", "not_measured", "failed"]


class Row(NamedTuple):
    """A figure, held against its goal."""

    bench: str
    figure: str
    value: float | None
    goal: Goal | None
    """None: goals.yml has no such figure."""
    verdict: Verdict
    reason: str | None = None
    """Why it was not measured, failed, or is short."""


def load(file: Path = GOALS_YML) -> Goals:
    """The goals of all benchmarks; a ValueError says what is wrong with the file."""
    return TypeAdapter(dict[str, dict[str, Goal]]).validate_python(yaml.safe_load(file.read_text("utf-8")))


def held(bench: str, given: Iterable[Given], goals: Mapping[str, Goal], *, part: str | None = None) -> Iterator[Row]:
    """Each figure that a benchmark gives, as it comes, held against its goal; then those that it should have given.

    With `part`, a reason, only a part of the benchmark runs, and what it does not give was not measured.
    """
    left = dict(goals)
    reason = "the benchmark did not give it"
    try:
        for one in given:
            match one:
                case Figure(name, value):
                    yield _row(bench, name, value, left.pop(name, None))
                case NotMeasured(None, why):
                    yield from (Row(bench, name, None, goal, "not_measured", why) for name, goal in left.items())
                    left.clear()
                case NotMeasured(name, why):
                    goal = left.pop(name or "", None)
                    yield Row(bench, name or "", None, goal, "not_measured" if goal else "failed", why)
    except Broken as error:
        reason, part = str(error), None
        if not left:
            yield Row(bench, "end of the benchmark", None, None, "failed", reason)
    for name, goal in left.items():
        yield Row(bench, name, None, goal, "not_measured" if part else "failed", part or reason)


def _row(bench: str, name: str, value: float, goal: Goal | None) -> Row:
    if goal is None:
        return Row(bench, name, value, None, "failed", "goals.yml does not have it, or it was given twice")
    if not goal.met_by(value):
        return Row(bench, name, value, goal, "short", goal.short)
    return Row(bench, name, value, goal, "met")


def text(row: Row) -> str:
    """A row for people: figure, value and unit, yardstick, goal, verdict."""
    goal = "-"
    if row.goal:
        goal = f"{'<=' if row.goal.better == 'lower' else '>='} {_number(row.goal.goal)}"
    value = "" if row.value is None else f"{_number(row.value)} {row.goal.unit if row.goal else ''}".rstrip()
    yardstick = row.goal.yardstick if row.goal else ""
    measured = f"  {row.figure:<52} {value:>18}  {yardstick:<40} {goal:>8}"
    match row.verdict:
        case "met":
            return f"{measured}  met"
        case "short":
            return f"{measured}  SHORT{f': {row.reason}' if row.reason else ''}"
        case "not_measured":
            return f"  {row.figure:<52} not measured: {row.reason}"
        case "failed":
            return f"  {row.figure:<52} FAILED: {row.reason}"
    assert_never(row.verdict)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"


def total(rows: Iterable[Row]) -> str:
    """How many of each, in one line."""
    count = Counter(row.verdict for row in rows)
    told = [f"{count['met']} met", f"{count['short']} short"]
    told += [f"{count['not_measured']} not measured"] if count["not_measured"] else []
    told += [f"{count['failed']} failed"] if count["failed"] else []
    return ", ".join(told)


def document(rows: Iterable[Row]) -> str:
    """All rows for programs, as one JSON document: `met` is null where nothing was compared with a goal."""
    met: dict[Verdict, bool | None] = {"met": True, "short": False, "failed": False}
    entries = [
        {
            "bench": row.bench,
            "figure": row.figure,
            "value": row.value,
            "unit": row.goal.unit if row.goal else None,
            "yardstick": row.goal.yardstick if row.goal else None,
            "goal": row.goal.goal if row.goal else None,
            "met": met.get(row.verdict),
            "reason": row.reason,
        }
        for row in rows
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False)


def exit_code(rows: Iterable[Row]) -> int:
    """1 when something is short, or a benchmark did not give what it should."""
    return int(any(row.verdict in ("short", "failed") for row in rows))
