"""A process that used Frida leaves nothing of it behind: no helper and no temporary file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

USES = """
import os, sys, time
from pathlib import Path
from appwitness.agent.frida_device import FridaDevice
from appwitness.agent.target import Target
before = os.environ["TMPDIR"]
FridaDevice.reach(Target())
assert os.environ["TMPDIR"] == before
(folder,) = Path(before).glob("appwitness-frida-*")
def started():
    for link in Path("/proc").glob("[0-9]*/exe"):
        try:
            if str(folder) in os.readlink(link):
                yield link.parent.name
        except OSError:
            pass
until = time.monotonic() + 20
while not (found := list(started())) and time.monotonic() < until:
    time.sleep(0.05)
print(*found, flush=True)
{ends}
"""


@pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="the system does not tell from where a program runs")
@pytest.mark.parametrize("ends", ["", "sys.exit(3)", "raise KeyboardInterrupt"])
def test_nothing_stays(tmp_path, ends):
    made = subprocess.run(
        [sys.executable, "-c", USES.replace("{ends}", ends)],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    started = [int(each) for each in made.stdout.split()]
    assert started, "Frida started no helper: this test, and what it tests, can go"
    assert not list(tmp_path.iterdir())
    until = time.monotonic() + 10
    while any(Path(f"/proc/{each}/exe").exists() for each in started) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [each for each in started if Path(f"/proc/{each}/exe").exists()]
