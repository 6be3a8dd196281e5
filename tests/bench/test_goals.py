"""goals.yml and the benchmarks name the same figures. No benchmark runs: the names are read from their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.bench.__main__ import modules
from tests.bench.figures import GOALS_YML, load

ROOT = Path(__file__).parents[2]
GOALS = load()


def names(source: str) -> Iterator[re.Pattern[str]]:
    """The name of each figure that a module gives; what stands in braces can be anything."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Figure", "NotMeasured"):
            match call.args[0]:
                case ast.Constant(value=str(name)):
                    yield re.compile(re.escape(name))
                case ast.Constant(value=None):
                    pass
                case ast.JoinedStr(values=parts):
                    texts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)
                    yield re.compile("".join(texts))
                case other:
                    pytest.fail(f"line {other.lineno}: the name of a figure must stand where it is given")


def test_every_benchmark_has_goals_and_every_goal_a_benchmark():
    assert GOALS.keys() == modules().keys()


@pytest.mark.parametrize("bench", GOALS)
def test_the_figures_are_those_that_the_benchmark_gives(bench):
    given = set(names((ROOT / f"{modules()[bench].replace('.', '/')}.py").read_text("utf-8")))
    unknown = [name.pattern for name in given if not any(map(name.fullmatch, GOALS[bench]))]
    assert unknown == [], "given, and not in goals.yml"
    never = [figure for figure in GOALS[bench] if not any(name.fullmatch(figure) for name in given)]
    assert never == [], "in goals.yml, and never given"


def test_no_name_stands_twice():
    root = yaml.compose(GOALS_YML.read_text("utf-8"))
    assert isinstance(root, yaml.MappingNode)
    for mapping in (root, *(figures for _, figures in root.value)):
        keys = [key.value for key, _ in mapping.value]
        assert len(keys) == len(set(keys)), keys


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{ goal: 1, unit: x, yardstick: none }", "better"),
        ("{ goal: 1, unit: x, yardstick: none, better: faster }", "better"),
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
