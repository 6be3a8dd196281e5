"""A device at work: a run that ends well, badly, never, or with its host."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from appwitness.devices.device_lock import turn_now
from appwitness.fleet import worker
from appwitness.fleet.hosting import Crew, serve
from appwitness.fleet.judges import By
from appwitness.fleet.status import status
from appwitness.fleet.worker import FleetDevice, Worker
from appwitness.recording import packing
from appwitness.store import Store
from appwitness.store.fleet_tables import LeasedRun, Waiting
from appwitness.store.leases import ATTEMPTS
from appwitness.store.runs import Runs
from tests.fleet.rig import FINDINGS, failing, fake, host, phones, planned, serving, until


def served(here, devices, runs, *, judges=0, db=None):
    """Serve until nothing is waiting or under way; what is then told."""

    def over():
        told = status(runs)
        return not any(pool.planned or pool.leased or (judges and pool.recorded) for pool in told.pools)

    serve(here, Crew(devices, judges, By(db)), over=over)
    return status(runs)


def made(tmp_path):
    """A recording, packed."""
    folder = tmp_path / "made"
    subprocess.run(fake(code=0)(LeasedRun(**vars(planned(1)[0])), phones(1)[0], folder), check=True)
    packing.write(folder, tmp_path / "made.zip")
    return tmp_path / "made.zip"


def test_every_run_is_made_judged_and_kept_once(tmp_path, runs):
    runs.plan(planned(6))
    db = tmp_path / "index.sqlite"
    told = served(host(tmp_path, runs, beat_s=0.1), phones(2), runs, judges=1, db=db)
    (pool,) = told.pools
    assert (pool.judged, pool.findings) == (6, 6 * FINDINGS)
    names = {f"{run.id}-a1" for run in planned(6)}
    with Store(db) as store:
        assert {run.id for run in store.recordings()} == names
        assert {len(store.findings(name)) for name in names} == {FINDINGS}
    assert {path.stem for path in (tmp_path / "recordings").glob("*.zip")} == names
    assert list((tmp_path / "spool/host").iterdir()) == []


def test_each_run_says_when_it_begins_and_what_came_of_it(tmp_path, runs, caplog):
    caplog.set_level(logging.INFO, "appwitness.fleet.progress")
    runs.plan(planned(2))
    with serving(host(tmp_path, runs), phones(1), judges=1, db=tmp_path / "index.sqlite"):
        until(lambda: runs.progress()[0].judged == 2)
    said = [record.getMessage() for record in caplog.records if record.name == "appwitness.fleet.progress"]
    for run in planned(2):
        assert f"{run.id} begins on phone-0." in said
        assert f"{run.id} is judged; findings: {FINDINGS}." in said


def test_a_device_makes_first_what_few_can_and_nothing_that_it_cannot(tmp_path, runs, caplog):
    caplog.set_level(logging.INFO, "appwitness.fleet.progress")
    few = planned(1, "few", "kind!=lab and rooted")
    runs.plan([*planned(2), *few, *planned(1, "none", "kind=lab")])
    with serving(host(tmp_path, runs), phones(1, rooted="yes")):
        until(lambda: sum(pool.recorded for pool in runs.progress()) == 3)
    begun = [record.args[0] for record in caplog.records if isinstance(record.args, tuple) and "begins" in record.msg]
    assert begun == [run.id for run in (*few, *planned(2))]


def test_a_host_ends_while_its_server_is_away_and_goes_on_when_it_is_back(tmp_path, postgres):
    with Runs(postgres.create()) as runs:
        runs.plan(planned(2))
        here, stop = host(tmp_path, runs, beat_s=0.1, command=fake(lambda: 0.5)), threading.Event()
        thread = threading.Thread(target=serve, args=(here, Crew(phones(1), 0, By("")), stop.is_set))
        thread.start()
        until(lambda: list(tmp_path.glob("spool/*.busy")))
        postgres.stop(signal.SIGQUIT)
        try:
            until(lambda: list(tmp_path.glob("spool/host/*.zip")))
            postgres.start()
            until(lambda: runs.progress()[0].recorded == 2)
            postgres.stop(signal.SIGQUIT)
            stop.set()
            thread.join(30)
            assert not thread.is_alive()
        finally:
            here.stop.set()
            if postgres.process.poll() is not None:
                postgres.start()
            thread.join()


def test_an_absent_device_makes_runs_once_it_is_there(tmp_path, runs):
    there: list[bool] = []
    runs.plan(planned(1))
    device = replace(phones(1)[0], absent=True)
    with serving(host(tmp_path, runs, check=lambda _: None if there else "It is not there."), [device]):
        until(lambda: any(each.note == "It is not there." for each in runs.devices()))
        assert runs.progress()[0].planned == 1
        there.append(True)
        until(lambda: runs.progress()[0].recorded == 1)


def test_a_device_that_goes_down_rests_until_it_is_well(tmp_path, runs):
    runs.plan(planned(1))
    well = threading.Event()

    def check(device: FleetDevice) -> str | None:
        return None if device.serial == "good" or well.is_set() else "No device answers."

    def command(run, device, folder):
        broken = device.serial == "bad" and not well.is_set()
        return (failing("error: The device went away.", 4) if broken else fake())(run, device, folder)

    here = host(tmp_path, runs, beat_s=0.1, command=command, check=check)
    with serving(here, [FleetDevice("bad", {"kind": "phone"})]):
        until(lambda: [each.state for each in runs.devices()] == ["down"])
        assert runs.devices()[0].note == "No device answers."
        assert runs.progress()[0].planned == 1
        well.set()
        until(lambda: runs.progress()[0].recorded == 1)


def test_another_device_makes_what_one_could_not(tmp_path, runs):
    runs.plan(planned(1))

    def command(run, device, folder):
        return (failing("error: It went away.", 4) if device.serial == "phone-0" else fake())(run, device, folder)

    def check(device: FleetDevice) -> str | None:
        return "It is not there." if device.serial == "phone-0" else None

    here = host(tmp_path, runs, beat_s=0.1, command=command, check=check)
    bad, good = phones(2)
    with serving(here, [bad]):
        until(lambda: [each.state for each in runs.devices()] == ["down"])
    again = host(tmp_path, runs, "other", beat_s=0.1, command=command, check=check)
    assert served(again, [good], runs).pools[0].recorded == 1


@pytest.mark.parametrize(("code", "left"), [(4, 9), (2, 6)])
def test_a_device_on_which_run_after_run_fails_rests(tmp_path, runs, code, left):
    runs.plan(planned(9))
    here = host(tmp_path, runs, beat_s=0.1, command=failing("error: It cannot be.", code))
    with serving(here, phones(1)):
        until(lambda: [each.state for each in runs.devices()] == ["down"])
        assert runs.devices()[0].note == f"{worker.IN_A_ROW} runs in a row failed."
        assert runs.progress()[0].planned == left


@pytest.mark.parametrize(
    ("code", "words", "reason", "attempts"),
    [
        (4, "warning\nerror: No device.\nStart one.", "setup", ATTEMPTS),
        (2, "error: There is no app.", "usage", 1),
        (70, "internal error: TypeError. Please report it.", "fault", ATTEMPTS),
        (137, "", "fault", ATTEMPTS),
    ],
)
def test_what_fails_has_a_reason_in_words(tmp_path, runs, code, words, reason, attempts):
    runs.plan(planned(1))
    here = host(tmp_path, runs, beat_s=0.1, command=failing(words, code))
    told = served(here, phones(1), runs)
    ((why, count, said),) = told.reasons
    assert (why, count) == (reason, 1)
    assert said == {4: "No device. Start one.", 2: "There is no app.", 70: words, 137: "It ended with 137."}[code]


def test_a_run_ends_with_its_host_and_waits_again(tmp_path, runs):
    runs.plan(planned(2))
    here = host(tmp_path, runs, beat_s=0.1, command=fake(lambda: 60.0))
    with serving(here, phones(2)):
        until(lambda: len(list(tmp_path.glob("spool/phone-*.busy"))) == 2)
    (pool,) = status(runs).pools
    assert (pool.planned, pool.leased) == (2, 0)
    assert list((tmp_path / "spool/host").iterdir()) == []
    assert runs.take(Waiting("night", pool.pool), "host", "phone", 60).attempts == 1


def test_a_run_that_does_not_end_is_ended(tmp_path, runs, monkeypatch):
    monkeypatch.setattr(worker, "LONGEST_S", 0.3)
    monkeypatch.setattr(worker, "END_S", 0.3)
    runs.plan(planned(1))
    stubborn = ["sh", "-c", "trap '' TERM; sleep 60 & wait; wait; wait"]
    here = host(tmp_path, runs, beat_s=0.1, command=lambda *_: stubborn)
    told = served(here, phones(1), runs)
    assert told.reasons[0][:2] == ("fault", 1)
    assert "did not end" in told.reasons[0][2]


def test_what_was_complete_is_not_recorded_again(tmp_path, runs):
    (plan,) = planned(1)
    runs.plan([plan])
    here = host(tmp_path, runs, beat_s=0.1, command=failing("error: It is not to run.", 2))
    here.objects.put(f"{plan.id}-a1", made(tmp_path))
    here.objects.complete(f"{plan.id}-a1")  # and then its host was killed
    assert served(here, phones(1), runs).pools[0].recorded == 1
    assert runs.to_judge(60).recording == f"{plan.id}-a1"


def test_a_recording_that_is_not_complete_is_made_again(tmp_path, runs):
    (plan,) = planned(1)
    runs.plan([plan])
    here = host(tmp_path, runs, beat_s=0.1)
    here.objects.put(
        f"{plan.id}-a1", made(tmp_path)
    )  # and then its host was killed, before it said that it is complete
    assert served(here, phones(1), runs).pools[0].recorded == 1


def test_a_device_that_another_process_has_is_left_alone(tmp_path, runs):
    runs.plan(planned(1))
    here = host(tmp_path, runs, beat_s=0.1)
    with turn_now(here.turns, "phone-0") as lock, serving(here, phones(1)):
        assert lock is not None
        until(lambda: [each.note for each in runs.devices()] == ["Another process has it."])
        assert runs.progress()[0].planned == 1


def test_a_run_keeps_the_device_when_its_host_is_killed(tmp_path, runs):
    """The run that goes on has it still: a host that comes back at once must not start another beside it."""
    code = (
        "import sys; from pathlib import Path; from appwitness.store.runs import Runs\n"
        "from appwitness.fleet.hosting import *; from tests.fleet.rig import *\n"
        "folder = Path(sys.argv[1]); runs = Runs(folder / 'runs.sqlite')\n"
        "here = host(folder, runs, beat_s=0.1, command=fake(lambda: 2.0))\n"
        "serve(here, Crew(phones(1), 0, By('')))"
    )
    runs.plan(planned(1))
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    until(lambda: list(tmp_path.glob("spool/*.busy")))
    process.send_signal(signal.SIGKILL)
    process.wait()

    def free() -> bool:
        with turn_now(tmp_path / "turns", "phone-0") as lock:
            return lock is not None

    assert not free()
    until(free)
    assert not list(tmp_path.glob("spool/*.busy"))


def test_a_device_that_is_to_rest_gets_no_run(tmp_path, runs):
    here = host(tmp_path, runs, beat_s=0.05)
    with serving(here, phones(1)):
        until(runs.devices)
        runs.pause("phone-0")
        until(lambda: runs.devices()[0].state == "paused")
        runs.plan(planned(1))
        time.sleep(0.2)
        assert runs.progress()[0].planned == 1
        runs.pause("phone-0", rest=False)
        until(lambda: runs.progress()[0].recorded == 1)


def test_a_recording_that_cannot_be_judged_is_told(tmp_path, runs):
    runs.plan(planned(1))
    db = tmp_path / "index.sqlite"

    def command(run, device, folder):
        sh, flags, text, *said = fake()(run, device, folder)
        return [sh, flags, text.replace("exit", 'sed -i "s/\\(app_type.: \\)null/\\1999/" "$2/run.json"; exit'), *said]

    told = served(host(tmp_path, runs, beat_s=0.1, command=command), phones(1), runs, judges=1, db=db)
    assert told.reasons[0][:2] == ("judging", 1)
    assert "999" in told.reasons[0][2]


def test_a_worker_tells_what_it_does(tmp_path, runs):
    one = Worker(phones(1)[0], host(tmp_path, runs))
    assert (one.slot().state, one.slot().run) == ("ready", None)
