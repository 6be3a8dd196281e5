"""kill -9 of the recorder, the proxy or the app during a real run: what was recorded correlates and verifies."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.events import FILES
from appwitness.recording import Recording, verify

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(240)]
CHANCE = random.Random()


def start(path: Path, plan: str = "refuse", **settings: str) -> subprocess.Popen[bytes]:
    arguments = ["observe", "--device", "lab:circle", "--plan", plan, "--output", str(path)]
    return subprocess.Popen(
        [sys.executable, "-m", "appwitness.cli", *arguments, "--db", str(path.with_suffix(".sqlite"))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | settings,
    )


def until(condition, seconds: float = 60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("did not come about in time")


def lines(path: Path, kind: str = "access") -> list[bytes]:
    try:
        return [line for line in (path / FILES[kind]).read_bytes().split(b"\n")[:-1] if line]
    except FileNotFoundError:
        return []


def contacts_read(path: Path) -> list[dict[str, object]]:
    """Accesses to the address book; the app asks for its permission before."""
    return [access for access in map(json.loads, lines(path)) if access["data"] == "device_contacts"]


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]


def judged(path: Path):
    result = CliRunner().invoke(
        main, ["report", str(path), "--db", str(path.with_suffix(".sqlite")), "--format", "json"]
    )
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("turn", range(4))
def test_the_recorder_is_killed(tmp_path, turn):
    path = tmp_path / "r"
    process = start(path)
    try:
        until(lambda: lines(path, "phase") or process.poll() is not None)
        time.sleep(CHANCE.uniform(0, 2.5))
        acknowledged = {kind: lines(path, kind) for kind in FILES}
    finally:
        process.kill()
        process.communicate()
        # The app outlives its recorder; nobody needs this one any more.
        for started in lines(path, "phase")[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(json.loads(started)["pid"], signal.SIGKILL)
    assert verify(path).ok
    judged(path)
    recording = Recording.open(path)
    for kind, before in acknowledged.items():
        assert [read.raw for read in recording.read(kind) if read.event][: len(before)] == before


def test_the_proxy_is_killed(tmp_path):
    path = tmp_path / "r"
    # The user does the next thing after 2 s, so that the app still sends when another proxy is there.
    process = start(path, "accept", JAVA_TOOL_OPTIONS="-Dlab.quiet_ms=2000")
    until(lambda: lines(path, "phase"))
    proxy = next(pid for pid in children(process.pid) if b"capture.py" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(proxy, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert verify(path).ok
    report = judged(path)
    (gap,) = [gap for gap in report["gaps"] if gap["where"] == "proxy" and gap["why"] == "detached"]
    assert gap["until"] > gap["at"], "another one took its place"
    assert lines(path, "upload"), "and the app went on"


def test_the_app_is_killed(tmp_path):
    path = tmp_path / "r"
    process = start(path)
    access = until(lambda: contacts_read(path))[0]
    os.kill(access["pid"], signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert verify(path).ok
    report = judged(path)
    assert "read-before-consent" in {finding["rule"] for finding in report["findings"]}
    assert json.loads(lines(path, "phase")[-1])["state"] == "exited"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_down_in_good_order(tmp_path, number):
    path = tmp_path / "r"
    process = start(path)
    access = until(lambda: contacts_read(path))[0]
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert not Path(f"/proc/{access['pid']}").exists()
    assert Recording.open(path).run.ended
    checked = verify(path)
    assert checked.ok
    assert not checked.unsealed


def test_an_interrupted_demo_ends_its_run_and_starts_no_other(tmp_path):
    folder = tmp_path / "recordings"
    process = subprocess.Popen(
        [sys.executable, "-m", "appwitness", "demo", "--output", folder, "--db", tmp_path / "index.sqlite"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    (run,) = until(lambda: [path.parent for path in folder.glob("*/accesses.jsonl") if lines(path.parent)])
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert list(folder.iterdir()) == [run]
    assert Recording.open(run).run.ended
    assert verify(run).ok
