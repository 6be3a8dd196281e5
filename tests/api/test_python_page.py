"""docs/python.md: each block of code on it runs as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recordings.written import RECORDINGS

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/python.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
A_RECORDING, A_BUILD, THE_REST, A_RUN, TESTS = BLOCKS


def run(block, folder, *command):
    (folder / "test_page.py").write_text(block, "utf-8")
    done = subprocess.run(
        [sys.executable, *command, "test_page.py"],
        cwd=folder,
        env={**os.environ, "APPWITNESS_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_recording_and_a_build(tmp_path):
    shutil.copytree(RECORDINGS / "sent-after-refusal", tmp_path / "recordings/refuse")
    assert "high proven Personal data was sent after the user refused accesses.jsonl:1" in run(A_RECORDING, tmp_path)
    assert "new sent-after-refusal shop.test True\n" in run(A_BUILD, tmp_path)
    rest = run(THE_REST, tmp_path)
    for told in ("never_stamped\n", "GET api.shop.test\n", "f1: ", "consents.jsonl:"):
        assert told in rest


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_and_tests(tmp_path):
    """On the lab device; its run is then the recording of the tests."""
    assert "NEW high, proven: Personal data was sent after the user refused" in run(A_RUN, tmp_path)
    (made,) = (tmp_path / "recordings").iterdir()
    made.rename(made.with_name("refuse"))
    assert "2 passed" in run(TESTS, tmp_path, "-m", "pytest", "--appwitness-update")
    assert "2 passed" in run(TESTS, tmp_path, "-m", "pytest", "--appwitness-strict", "-k", "recording or nothing")
