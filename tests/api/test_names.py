"""What `import monitor` offers: names that are imported late, also those that are rooms, and typed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import monitor

ROOT = Path(__file__).parents[2]
SOURCE = Path(monitor.__file__)


def test_what_is_typed_is_what_is_there():
    """The imports for type checkers, and the table for everybody else."""
    blocks = [node for node in ast.parse(SOURCE.read_text("utf-8")).body if isinstance(node, ast.If)]
    typed = next(block for block in blocks if ast.unparse(block.test) == "TYPE_CHECKING")
    imports = [each for each in typed.body if isinstance(each, ast.ImportFrom)]
    names = {(str(each.module), str(name.asname)) for each in imports for name in each.names}
    assert {name for _, name in names} == set(monitor.__all__)
    for module, name in names:
        assert monitor._PLACE[name] == module


@pytest.mark.parametrize("name", monitor.__all__)
def test_each_name_is_there_and_says_what_it_is(name):
    assert getattr(monitor, name).__doc__
    assert name in dir(monitor)


def test_there_is_no_other_name():
    with pytest.raises(AttributeError, match="no attribute 'observed'"):
        _ = monitor.observed


def said(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_it_imports_nothing_until_a_name_is_used():
    assert said("import sys, monitor; print(*(m for m in sys.modules if m.startswith('monitor.')))") == ""


@pytest.mark.parametrize(
    "before", ["", "import monitor.gate.waivers", "from monitor.gate import baseline", "from monitor import gate"]
)
def test_a_verb_that_is_a_room_too_can_be_called_whatever_was_imported_first(before):
    calls = "import monitor; print(callable(monitor.gate), monitor.gate.__name__, monitor.gate.Held.__name__)"
    assert said(f"{before}\n{calls}") == "True monitor.gate Held"


@pytest.mark.slow
def test_programs_are_checked_against_its_types(tmp_path):
    (tmp_path / "right.py").write_text(
        "import monitor\n"
        "report: monitor.Report = monitor.report('x', laws=['eu'])\n"
        "levels: list[str] = [finding.level for finding in report.findings]\n"
        "with monitor.observe(plan='refuse', duration_s=5, unpin=True) as run:\n"
        "    run.mark('general_policy', 'refused')\n"
        "outcome: str = monitor.gate('x', fail_on='high').outcome\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import monitor\nmonitor.gate('x', fail_on='hihg')\nmonitor.report('x', law='eu')\nmonitor.observe(plan='no')\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [*command, "right.py", "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"MYPYPATH": "", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if ": error:" in line] == ["wrong.py"] * 3
