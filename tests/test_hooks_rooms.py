"""The agent's sources: every file stands in its room, no two share a name, and no imports form a circle.

That no room imports from one above it is checked by eslint (hooks/eslint.config.js).
"""

import re
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from hatch_build import agent_sources

ROOT = Path(__file__).parent.parent
HOOKS = ROOT / "hooks"
IMPORT = re.compile(r'^(?:import |export |\}).*?"(\.{1,2}/[^"]+)\.js";', re.MULTILINE)


def imports() -> dict[str, set[str]]:
    """File -> the files that it imports, types included; relative to hooks/, without `.ts`."""
    return {
        name(path): {name((path.parent / found).resolve()) for found in IMPORT.findall(path.read_text("utf-8"))}
        for path in agent_sources(ROOT)
        if path.suffix == ".ts" and not path.name.endswith(".d.ts")
    }


def name(path: Path) -> str:
    return path.relative_to(HOOKS).as_posix().removesuffix(".ts")


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The files of one circle, the first again at the end; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_imports_form_a_circle():
    assert circle(imports()) == []


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, set()),
        ({"a": {"a"}}, {"a"}),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, {"b", "c"}),
    ],
)
def test_circles_are_found(graph, found):
    assert set(circle(graph)) == found


def test_every_import_is_a_file():
    graph = imports()
    assert graph["agent"] >= {"java/daemon", "plan", "out/emit", "watch/sources"}
    assert set().union(*graph.values()) <= set(graph)


def test_every_file_stands_in_its_room():
    rooms = {room for room, _, _ in (file.rpartition("/") for file in imports())}
    assert rooms == {"", "watch", "java", "out", "native"}
    assert {file for file in imports() if "/" not in file} == {"agent", "plan", "event"}


def test_no_two_files_share_a_name():
    names = Counter(file.rpartition("/")[2] for file in imports())
    assert [file for file, count in names.items() if count > 1] == []
