"""Who may use the proxy, and traffic that does not know of it, in networks made for the test (scenes.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.proxy import scenes

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.mark.parametrize("scene", scenes.NEEDS)
def test_scene(scene: str, tmp_path: Path) -> None:
    reason = scenes.missing(scene)
    if reason:
        pytest.skip(reason)
    command = [sys.executable, "-m", "tests.lab.proxy.scenes", scene, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
