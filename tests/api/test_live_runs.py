"""Runs in processes of their own: what they tell, how they are stopped, and what is refused before one starts."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from appwitness.api import live_runs
from appwitness.api.live_runs import LiveRuns, RunRequest
from appwitness.recording import Recording, verify
from appwitness.support.errors import UserError

# stand-ins for the program `appwitness observe`, which write what it writes

TOLD = '{"event":"stage","what":"waiting"}\n{"event":"read"}\n{"event":"upload"}\n{"event":"finding","rule":"r"}'
TERM = "signal.signal(signal.SIGTERM, signal.default_int_handler)"  # as `appwitness` has it
WAITS = f"import pathlib, signal, sys, time\n{TERM}\nprint({TOLD!r}, flush=True)\n"
UNTIL_STOPPED = WAITS + "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(0)\n"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_RECORDINGS", str(tmp_path))
    with LiveRuns() as runs:
        yield runs


@pytest.fixture
def program(monkeypatch):
    """Have runs start a program of the test's own."""

    def instead(text):
        def words(_request, output: Path, _judged_by):
            output.mkdir()
            return [sys.executable, "-c", text]

        monkeypatch.setattr(RunRequest, "words", words)

    return instead


def until(runs, run, reached):
    end = time.monotonic() + 60
    while not reached(found := runs.status(run)):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def test_a_run_is_stopped_below_a_shell_that_has_it_ignore_ctrl_c(runs, program):
    program(f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{UNTIL_STOPPED}")
    run = runs.start(RunRequest("lab:circle")).id
    until(runs, run, lambda told: told.findings)
    runs.stop(run)
    assert runs.wait(run, 30).state == "stopped"


def test_a_run_tells_since_a_cursor_and_is_stopped(runs, program):
    program(UNTIL_STOPPED)
    run = runs.start(RunRequest("lab:circle")).id
    told = until(runs, run, lambda told: told.findings)
    assert (told.state, told.phase, told.reads, told.uploads, told.gaps) == ("recording", "waiting", 1, 1, 0)
    assert [event.what["event"] for event in told.events] == ["stage", "read", "upload", "finding"]
    assert runs.status(run, told.cursor).events == runs.status(run, told.cursor).findings == ()
    with pytest.raises(UserError, match="has a run already"):
        runs.start(RunRequest("lab:circle"))
    other = runs.start(RunRequest("lab:skies")).id
    assert [each.id for each in runs.list()] == [other, run]
    until(runs, other, lambda told: told.findings)
    assert runs.stop(run).state == "stopping"
    ended = runs.wait(run, 60)
    assert (ended.state, ended.exit_code, ended.problem) == ("stopped", 0, "")
    assert runs.status(other).state == "recording"
    assert runs.stop(run).state == "stopped"
    assert runs.close(60) == []
    assert runs.status(other).state == "stopped"
    with pytest.raises(UserError, match="shutting down"):
        runs.start(RunRequest("lab:circle"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import sys; print('Error: no adb.', file=sys.stderr); sys.exit(4)", "Error: no adb."),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "The run was killed (signal 9)."),
        ("raise SystemExit(7)", "The run ended with exit code 7."),
    ],
)
def test_a_run_that_fails_says_why_and_the_others_go_on(runs, program, text, problem):
    program(UNTIL_STOPPED)
    other = runs.start(RunRequest("lab:skies")).id
    until(runs, other, lambda told: told.findings)
    program(text)
    failed = runs.wait(runs.start(RunRequest("lab:circle")).id, 60)
    assert (failed.state, failed.problem) == ("failed", problem)
    assert not runs.status(other).over


def test_only_the_newest_events_are_kept_and_the_rest_is_counted(runs, program, monkeypatch):
    monkeypatch.setattr(live_runs, "KEPT_EVENTS", 10)
    program("for number in range(50): print('{\"event\":\"read\"}')\nprint('no json')\nprint('[]')")
    told = runs.wait(runs.start(RunRequest()).id, 60)
    assert (told.reads, len(told.events), told.left_out, told.cursor) == (50, 10, 40, 50)


def test_runs_of_a_list_come_one_after_the_other(runs, program):
    program("import time; time.sleep(0.3)")
    first, second = runs.start_each([RunRequest("lab:circle"), RunRequest("lab:skies")])
    until(runs, first.id, lambda told: told.state == "starting")
    assert runs.status(second.id).state == "waiting"
    assert runs.wait(second.id, 60).state == "ended"
    assert runs.status(first.id).state == "ended"


def test_a_run_that_waits_for_another_can_be_stopped_before_it_starts(runs, program):
    program(UNTIL_STOPPED)
    first, second = runs.start_each([RunRequest("lab:circle"), RunRequest("lab:skies")])
    until(runs, first.id, lambda told: told.findings)
    assert runs.stop(second.id).state == "stopped"
    runs.stop(first.id)
    runs.wait(first.id, 60)
    assert runs.status(second.id).exit_code is None


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (RunRequest(" "), "No device"),
        (RunRequest("emulator-5554"), "Which app"),
        (RunRequest("emulator-5554", app="a.b", apks=(Path("a.apk"),)), "Which app"),
        (RunRequest("emulator-5554", app="--output=/etc"), "is not the name of a package"),
        (RunRequest("lab:circle", app="com.example.a"), "built in"),
        (RunRequest("lab:circle", plan="maybe"), "no plan"),  # type: ignore[arg-type]
        (RunRequest("lab:circle", mode="reverse:http://a.test"), "no mode"),
        (RunRequest("lab:circle", seconds=0), "length of time"),
        (RunRequest("lab:circle", seconds=float("nan")), "length of time"),
    ],
)
def test_what_does_not_go_together_is_refused(runs, request_, says):
    with pytest.raises(UserError, match=says):
        runs.start(request_)
    assert runs.list() == []


def test_no_more_runs_than_the_bound(runs, program, monkeypatch):
    monkeypatch.setattr(live_runs, "MOST_RUNS", 1)
    program(UNTIL_STOPPED)
    runs.start(RunRequest("lab:circle"))
    with pytest.raises(UserError, match="1 runs are in progress"):
        runs.start(RunRequest("lab:skies"))


def test_data_is_cleared_where_that_was_asked_for_and_never_on_the_lab_device(tmp_path):
    asked = RunRequest("R58", app="com.example.shop", clear_data=True)
    assert "--clear-data" in asked.words(tmp_path, ())
    assert "--clear-data" not in replace(asked, clear_data=False).words(tmp_path, ())
    with pytest.raises(UserError, match="built in"):
        RunRequest("lab:circle", clear_data=True).check()


def test_a_name_of_a_device_is_no_option(tmp_path):
    words = RunRequest("--help").words(tmp_path, ())
    assert "--help" not in words
    assert "--device=--help" in words


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_on_the_lab_device_is_watched_and_stopped_and_its_recording_is_whole(runs, tmp_path):
    run = runs.start(RunRequest("lab:circle", plan="refuse")).id
    told = until(runs, run, lambda told: (told.findings and told.uploads) or told.over)
    assert told.state == "recording"
    assert told.reads
    runs.stop(run)
    ended = runs.wait(run, 120)
    assert (ended.state, ended.problem) == ("stopped", "")
    recording = Recording.open(ended.recording)
    assert recording.run.ended
    assert verify(recording.path).ok


@pytest.mark.lab
@pytest.mark.slow
def test_a_run_whose_starter_was_killed_ends_in_order(tmp_path):
    """Nobody reads what it tells, so it stops."""
    text = (
        "from appwitness.api.live_runs import *\nimport time\nruns = LiveRuns()\n"
        "run = runs.start(RunRequest('lab:circle', plan='refuse'))\n"
        "while not runs.status(run.id).reads: time.sleep(0.05)\n"
        "print(run.recording, flush=True)\ntime.sleep(100)"
    )
    env = os.environ | {"APPWITNESS_RECORDINGS": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", text], env=env, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        folder = Path(starter.stdout.readline().strip())
        starter.send_signal(signal.SIGKILL)
    recording = Recording.open(folder)
    end = time.monotonic() + 60
    while not Recording.open(folder).run.ended:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert verify(recording.path).ok
