"""goals.yml has each benchmark, each figure once, and a goal for each; a run says what it never gave."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.bench.__main__ import modules
from tests.bench.figures import GOALS_YML, load

GOALS = load()


def test_every_benchmark_has_goals_and_every_goal_a_benchmark():
    assert GOALS.keys() == modules().keys()


def test_no_name_stands_twice():
    root = yaml.compose(GOALS_YML.read_text("utf-8"))
    assert isinstance(root, yaml.MappingNode)
    for mapping in (root, *(figures for _, figures in root.value)):
        keys = [key.value for key, _ in mapping.value]
        assert len(keys) == len(set(keys)), keys


def test_a_time_is_a_ratio_or_says_for_whom_seconds_count():
    seconds = re.compile(r"[mu]?s|.+/s")
    goals = {f"{bench}: {name}": goal for bench, figures in GOALS.items() for name, goal in figures.items()}
    assert not [name for name, goal in goals.items() if seconds.fullmatch(goal.unit) and not goal.why]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{ goal: 1, unit: x, yardstick: none }", "better"),
        ("{ goal: 1, unit: x, yardstick: none, better: faster }", "better"),
        ("{ goal: null, unit: x, yardstick: none, better: lower }", "goal"),
        ("{ goal: soon, unit: x, yardstick: none, better: lower }", "goal"),
        ("{ goal: 1, unit: x, yardstick: none, better: lower, reason: none }", "reason"),
        ("{ unit: x, yardstick: none, better: lower }", "goal"),
    ],
)
def test_an_entry_that_is_wrong_is_refused(tmp_path, wrong, said):
    file = tmp_path / "goals.yml"
    file.write_text(f"fake:\n  time: {wrong}\n")
    with pytest.raises(ValueError, match=rf"(?s)fake\.time.*{said}"):
        load(file)
