"""`python -m tests.bench` on a tiny benchmark: what goes to standard output, what beside it, and the exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.figures import Goal

FAKE = """
import subprocess
import sys
from pathlib import Path

from tests.bench.figures import Figure, NotMeasured


def measure():
    print("printed")
    times = {times}
    place = Path(__file__).with_suffix(".runs")
    runs = int(place.read_text()) if place.exists() else 0
    place.write_text(str(runs + 1))
    subprocess.run(["echo", "echoed"], check=True)
    yield Figure("time", times[min(runs, len(times) - 1)])
    yield Figure("lost", {lost} if runs == 0 else 0)
    yield NotMeasured("speed", "no disk")
    sys.exit({code})
"""
GOALS = {
    "fake": {
        "time": Goal(goal=1.5, unit="x", yardstick="a bare search", better="lower"),
        "lost": Goal(goal=0, unit="lines", yardstick="none", better="lower"),
        "speed": Goal(goal=9, unit="MB/s", yardstick="none", better="higher"),
    }
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch, capfd):
    def run(*arguments: str, times: Sequence[float] = (1.0,), lost: int = 0, code: int = 0) -> tuple[int, str, str]:
        name = f"fake_{os.urandom(4).hex()}"
        (tmp_path / f"{name}.py").write_text(FAKE.format(times=list(times), lost=lost, code=code))
        monkeypatch.syspath_prepend(tmp_path)
        ended = main(arguments, {"fake": name}, GOALS)
        return ended, *capfd.readouterr()

    return run


def test_rows_go_to_standard_output_and_talk_beside_it(run):
    code, out, err = run()
    assert code == 0
    assert [line.split() for line in out.splitlines() if line] == [
        ["==", "fake"],
        ["time", "1", "x", "a", "bare", "search", "<=", "1.5", "met"],
        ["lost", "0", "lines", "none", "<=", "0", "met"],
        ["speed", "not", "measured:", "no", "disk"],
        ["2", "met,", "0", "short,", "1", "not", "measured"],
    ]
    assert "printed" in err
    assert "echoed" in err


@pytest.mark.parametrize(("arguments", "expected"), [([], 1), (["--report"], 0), (["--json"], 1)])
def test_what_is_short_decides_the_exit_code(run, arguments, expected):
    code, out, _ = run("fake", *arguments, times=[2.0])
    assert code == expected
    assert ("SHORT" in out) == ("--json" not in arguments)


def test_what_is_short_without_a_reason_is_measured_once_more(run):
    code, out, _ = run(times=[2.0, 1.2])
    assert code == 0
    assert "once more, for time:" in out
    assert out.splitlines()[-1] == "2 met, 0 short, 1 not measured"
    code, out, _ = run(times=[2.0, 1.8, 1.0])
    assert code == 1
    assert out.count("SHORT") == 2
    code, out, _ = run(lost=1)
    assert code == 1
    assert "once more" not in out


def test_json_is_one_document(run):
    code, out, err = run("--json")
    assert code == 0
    assert [(entry["figure"], entry["met"]) for entry in json.loads(out)] == [
        ("time", True),
        ("lost", True),
        ("speed", None),
    ]
    assert "2 met" in err


def test_a_benchmark_that_breaks_is_told(run):
    code, out, _ = run(code=3)
    assert code == 1
    assert "FAILED: the benchmark ended with exit code 3" in out


def test_an_unknown_name_is_an_error_that_lists_the_names(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["fake", "nonsense"], {"fake": "fake"}, GOALS)
    assert ended.value.code == 2
    assert "there is no benchmark nonsense; there are: fake" in capsys.readouterr().err
