"""Figures held against goals: met, short, not measured, failed; as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.bench.figures import Broken, Figure, Given, Goal, NotMeasured, Row, document, exit_code, held, text, total

GOALS = {
    "time": Goal(goal=1.5, unit="x", yardstick="a bare search", better="lower"),
    "recall": Goal(goal=0.98, unit="share", yardstick="none", better="higher"),
    "speed": Goal(goal=9, unit="MB/s", yardstick="none", better="higher"),
}


def rows(*given: Given, part: str | None = None) -> dict[str, Row]:
    return {row.figure: row for row in held("fake", given, GOALS, part=part)}


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("time", 1.4, "met"),
        ("time", 1.5, "met"),
        ("time", 1.6, "short"),
        ("recall", 0.97, "short"),
        ("recall", 0.98, "met"),
        ("recall", 1.0, "met"),
        ("speed", 0.0, "short"),
    ],
)
def test_a_figure_is_held_against_its_goal(name, value, verdict):
    row = rows(Figure(name, value))[name]
    assert (row.verdict, row.value) == (verdict, value)
    assert exit_code([row]) == (verdict == "short")


def test_what_could_not_be_measured_has_a_reason_and_is_not_short():
    one = rows(Figure("speed", 9.0), NotMeasured("time", "six minutes"), Figure("recall", 1.0))
    assert {name: row.verdict for name, row in one.items()} == {
        "speed": "met",
        "time": "not_measured",
        "recall": "met",
    }
    rest = rows(Figure("speed", 9.0), NotMeasured(None, "not installed"))
    assert [(row.figure, row.reason) for row in rest.values() if row.value is None] == [
        ("time", "not installed"),
        ("recall", "not installed"),
    ]
    assert exit_code(one.values()) == exit_code(rest.values()) == 0


def test_what_a_benchmark_should_have_given_has_failed_unless_a_part_of_it_was_run():
    assert rows(Figure("time", 1.0))["recall"].verdict == "failed"
    part = rows(Figure("time", 1.0), part="another part")["recall"]
    assert (part.verdict, part.reason) == ("not_measured", "another part")


def test_what_goals_yml_does_not_have_or_is_given_twice_has_failed():
    assert rows(Figure("size", 1.0))["size"].verdict == "failed"
    assert rows(NotMeasured("size", "why not"))["size"].verdict == "failed"
    assert [row.verdict for row in held("fake", [Figure("time", 1), Figure("time", 1)], GOALS)][:2] == ["met", "failed"]


def test_a_benchmark_that_breaks_keeps_what_it_gave():
    def breaking() -> Iterator[Given]:
        yield Figure("time", 1.0)
        raise Broken("exit code 3")

    found = list(held("fake", breaking(), GOALS, part="another part"))
    assert [(row.figure, row.verdict, row.reason) for row in found] == [
        ("time", "met", None),
        ("recall", "failed", "exit code 3"),
        ("speed", "failed", "exit code 3"),
    ]
    assert exit_code(found) == 1


def test_a_benchmark_that_breaks_after_its_last_figure_has_failed():
    def breaking() -> Iterator[Given]:
        yield from (Figure(name, 1.0) for name in GOALS)
        raise Broken("exit code 3")

    assert exit_code(held("fake", breaking(), GOALS)) == 1


def test_rows_for_people():
    found = rows(Figure("time", 2.5), Figure("recall", 1.0), NotMeasured("speed", "no disk"))
    assert text(found["time"]).split() == ["time", "2.5", "x", "a", "bare", "search", "<=", "1.5", "SHORT"]
    assert text(found["recall"]).split() == ["recall", "1", "share", "none", ">=", "0.98", "met"]
    assert text(found["speed"]).split() == ["speed", "not", "measured:", "no", "disk"]
    assert text(rows(Figure("speed", 12345.6))["speed"]).split() == [
        "speed",
        "12,346",
        "MB/s",
        "none",
        ">=",
        "9",
        "met",
    ]
    assert total(found.values()) == "1 met, 1 short, 1 not measured"


def test_rows_for_programs():
    found = rows(Figure("time", 2.5), Figure("speed", 12), NotMeasured("recall", "no recording"))
    assert json.loads(document(found.values())) == [
        {
            "bench": "fake",
            "figure": "time",
            "value": 2.5,
            "unit": "x",
            "yardstick": "a bare search",
            "goal": 1.5,
            "met": False,
            "reason": None,
        },
        {
            "bench": "fake",
            "figure": "speed",
            "value": 12,
            "unit": "MB/s",
            "yardstick": "none",
            "goal": 9,
            "met": True,
            "reason": None,
        },
        {
            "bench": "fake",
            "figure": "recall",
            "value": None,
            "unit": "share",
            "yardstick": "none",
            "goal": 0.98,
            "met": None,
            "reason": "no recording",
        },
    ]
