"""What `import appwitness` offers: names that are imported late, also those that are rooms, and typed."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import appwitness
from appwitness.api.names import PLACE


def test_what_is_typed_is_what_is_there():
    """What type checkers import, and the table for everybody else."""
    there = {name: getattr(importlib.import_module(PLACE[name]), name) for name in appwitness.__all__}
    source = Path(appwitness.__file__).read_text("utf-8")
    assert "TYPE_CHECKING = False" in source
    typed: dict[str, object] = {}
    exec(source.replace("TYPE_CHECKING = False", "TYPE_CHECKING = True"), typed)
    assert {name: each for name, each in typed.items() if name[0] != "_" and name != "TYPE_CHECKING"} == there


@pytest.mark.parametrize("name", appwitness.__all__)
def test_each_name_is_there_and_says_what_it_is(name):
    assert getattr(appwitness, name).__doc__
    assert name in dir(appwitness)


def test_there_is_no_other_name():
    with pytest.raises(AttributeError, match="no attribute 'observed'"):
        _ = appwitness.observed


def said(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_it_imports_nothing_but_the_table_of_names_until_one_is_used():
    loaded = said("import sys, appwitness; print(*(m for m in sys.modules if m.startswith('appwitness.')))")
    assert loaded == "appwitness.api appwitness.api.names"


@pytest.mark.parametrize(
    "before",
    ["", "import appwitness.gate.waivers", "from appwitness.gate import baseline", "from appwitness import gate"],
)
def test_a_verb_that_is_a_room_too_can_be_called_whatever_was_imported_first(before):
    calls = "print(callable(appwitness.gate), appwitness.gate.__name__, appwitness.gate.Held.__name__)"
    assert said(f"{before}\nimport appwitness\n{calls}") == "True appwitness.gate Held"


@pytest.mark.slow
def test_programs_are_checked_against_its_types(tmp_path):
    (tmp_path / "right.py").write_text(
        "import appwitness\n"
        "report: appwitness.Report = appwitness.report('x', laws=['eu'])\n"
        "levels: list[str] = [finding.level for finding in report.findings]\n"
        "with appwitness.observe(plan='refuse', duration_s=5, unpin=True) as run:\n"
        "    run.mark('general_policy', 'refused')\n"
        "outcome: str = appwitness.gate('x', fail_on='high').outcome\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import appwitness\n"
        "appwitness.gate('x', fail_on='hihg')\n"
        "appwitness.report('x', law='eu')\n"
        "appwitness.observe(plan='no')\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [*command, "right.py", "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"MYPYPATH": "", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if ": error:" in line] == ["wrong.py"] * 3
