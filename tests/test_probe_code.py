"""The class on which the agent checks itself, as bytes: current with its Java."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.art.rig.build import PACKAGES
from tests.art.rig.packages import PINNED

ROOT = Path(__file__).parents[1]
D8 = PACKAGES / yaml.safe_load(PINNED.read_text("utf-8"))["dexer"]["jar"]


@pytest.mark.skipif(not shutil.which("javac"), reason="needs a Java compiler")
@pytest.mark.skipif(not D8.exists(), reason="needs D8, which make test-art fetches")
def test_its_bytes_are_what_its_java_compiles_to():
    build = ROOT / "hooks/probe/build.py"
    made = subprocess.run([sys.executable, str(build), str(D8)], check=True, capture_output=True, text=True).stdout
    assert made == (ROOT / "hooks/watch/probe_code.ts").read_text("utf-8"), f"run {build}"
