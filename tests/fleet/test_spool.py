"""Recordings on their way: packed, in order, while the store is away, after a kill, never over a bound."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from appwitness.fleet import spool as spools
from appwitness.fleet.commits import digest_of
from appwitness.fleet.hosting import Crew, serve
from appwitness.fleet.judges import By
from appwitness.fleet.objects import objects
from appwitness.fleet.spool import BEGUN, Spool, folder_of
from appwitness.recording import Recording, files, packing
from appwitness.store import Store
from appwitness.store.fleet_tables import LeasedRun
from appwitness.store.runs import Runs
from appwitness.support.errors import UserError
from tests.fleet.rig import FINDINGS, RECORDED, fake, host, phones, planned, serving, until
from tests.recordings.written import RECORDINGS

BEATS: dict[str, Any] = {"beat_s": 0.1, "lease_s": 5.0}


def waiting(tmp_path):
    return sorted(path.name for path in (tmp_path / "spool/host").glob("*.zip"))


def test_devices_go_on_while_the_store_is_away(tmp_path, runs, server):
    runs.plan(planned(4))
    place, db = server.place(), tmp_path / "index.sqlite"
    here = host(tmp_path, runs, recordings=place, **BEATS)
    server.stop()
    with serving(here, phones(2), judges=1, db=db):
        until(lambda: len(waiting(tmp_path)) == 4)
        assert runs.progress()[0].leased == 4  # nobody else makes them meanwhile
        server.start()
        until(lambda: runs.progress()[0].judged == 4)
        assert waiting(tmp_path) == []
    kept = objects(place)
    assert sorted(kept.complete_ones()) == sorted(f"{run.id}-a1" for run in planned(4))
    with Store(db) as store:
        for run in store.recordings():
            held = store.held(run.id)
            assert held
            assert held.path == f"{place}/{run.id}"
            assert len(store.findings(run.id)) == FINDINGS


def test_a_full_spool_begins_no_run_and_says_why(tmp_path, runs, server):
    runs.plan(planned(3))
    here = host(tmp_path, runs, recordings=server.place(), spool_bytes=1, **BEATS)
    server.stop()
    with serving(here, phones(1)):
        until(lambda: any(each.note for each in runs.devices()))
        [device] = runs.devices()
        assert "The spool is full: recordings that wait to be uploaded: 1, " in device.note
        assert (runs.progress()[0].planned, runs.progress()[0].leased) == (2, 1)
        server.start()
        until(lambda: runs.progress()[0].recorded == 3)


def test_a_host_that_was_killed_goes_on_with_what_it_had(tmp_path, runs, server):
    runs.plan(planned(2))
    place = server.place()
    server.stop()
    arguments = [str(tmp_path / "runs.sqlite"), str(tmp_path), place]
    killed = subprocess.Popen([sys.executable, "-m", "tests.fleet.test_spool", *arguments])
    until(lambda: len(waiting(tmp_path)) == 2)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    half = Spool(tmp_path / "spool/host", objects(place)).begin("night-app9-accept-a1")
    half.mkdir()
    half.with_name(f".{half.name}.zip.1234.part").touch()
    half.with_name(f"{half.name}.log").touch()
    server.start()
    with serving(host(tmp_path, runs, recordings=place, **BEATS), phones(1)):
        until(lambda: runs.progress()[0].recorded == 2)
        until(lambda: list((tmp_path / "spool/host").iterdir()) == [])
    assert sorted(objects(place).complete_ones()) == sorted(f"{run.id}-a1" for run in planned(2))


RUN = LeasedRun(**vars(planned(1)[0]), lease="lease", attempts=1)


def packed(spool: Spool, name: str) -> None:
    shutil.copytree(RECORDINGS / RECORDED, spool.begin(name))
    spool.add(name, RUN, "phone-0")


def once(spool: Spool, runs: Runs) -> None:
    """Deliver what waits, and end."""
    for _, each, _ in spool.waiting():
        spool.deliver(each, runs)


def test_what_a_host_that_was_killed_had_packed_does_not_stay_beside_it(tmp_path, server):
    spool = Spool(tmp_path / "spool/host", objects(server.place()))
    packed(spool, "night-app0-accept-a1")
    shutil.copytree(RECORDINGS / RECORDED, spool.folder / "night-app0-accept-a1")
    (spool.folder / "night-app0-accept-a1.log").touch()
    with Spool(spool.folder, objects(server.place())).held():
        left = sorted(path.name for path in spool.folder.iterdir() if not path.name.startswith("."))
    assert left == ["night-app0-accept-a1.zip"]


def test_what_was_uploaded_is_not_uploaded_again(tmp_path, runs, server):
    runs.plan(planned(1))
    kept = objects(server.place())
    spool = Spool(tmp_path / "spool", kept)
    with spool.held():
        packed(spool, f"{RUN.id}-a1")
        kept.put(f"{RUN.id}-a1", next(spool.folder.glob("*.zip")))
        kept.complete(f"{RUN.id}-a1")  # and killed before it said so
        before = server.etag(kept.place, f"{RUN.id}-a1/{RUN.id}-a1.zip")
        (spool.folder / f"{RUN.id}-a1.zip").write_bytes(b"otherwise")
        once(spool, runs)
        assert server.etag(kept.place, f"{RUN.id}-a1/{RUN.id}-a1.zip") == before
        assert runs.progress()[0].recorded == 1
        assert spool.leases == []


def test_the_oldest_goes_first_and_a_second_of_one_run_does_not_count(tmp_path, runs):
    runs.plan(planned(1))
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
    with spool.held():
        for attempt in (2, 1):
            packed(spool, f"{RUN.id}-a{attempt}")
        once(spool, runs)
    assert runs.to_judge(60).recording == f"{RUN.id}-a2"
    assert runs.superseded() == 1


def test_what_waits_is_not_made_again(tmp_path, runs):
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
    with spool.held():
        packed(spool, f"{RUN.id}-a1")
        again = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
        later = replace(RUN, lease="later", attempts=2)
        assert not again.adopt(RUN)
        assert again.adopt(later)
        assert again.leases == [(RUN.id, "later")]


def test_an_archive_of_which_the_digest_is_not_known_yet_is_not_delivered(tmp_path, runs, monkeypatch):
    runs.plan(planned(1))
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))

    def in_between(packed: Path) -> str:
        monkeypatch.setattr(spools, "digest_of", digest_of)
        once(spool, runs)  # as the thread that delivers may at any moment
        return digest_of(packed)

    with spool.held():
        monkeypatch.setattr(spools, "digest_of", in_between)
        packed(spool, f"{RUN.id}-a1")
        assert runs.progress()[0].planned == 1
        once(spool, runs)
    assert runs.progress()[0].recorded == 1
    assert list(spool.folder.iterdir()) == []


def test_one_that_the_disk_has_changed_keeps_nobody_up(tmp_path, runs):
    runs.plan(planned(1))
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
    with spool.held():
        spool.begin("night-app9-accept-a1").with_suffix(".zip").write_bytes(b"nothing")
        packed(spool, f"{RUN.id}-a1")
        once(spool, runs)
        assert [path.name for path in spool.folder.iterdir()] == ["night-app9-accept-a1.damaged"]
    assert list(objects(tmp_path / "kept").complete_ones()) == [f"{RUN.id}-a1"]


def test_two_hosts_do_not_share_a_spool(tmp_path):
    first, second = (Spool(tmp_path / "spool", objects(tmp_path / "kept")) for _ in range(2))
    with first.held(), pytest.raises(UserError, match="Another host of this machine uses"), second.held():
        pass
    with second.held():
        pass


def test_what_is_being_recorded_by_a_run_that_outlived_its_host_stays(tmp_path):
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
    shutil.copytree(RECORDINGS / RECORDED, spool.begin("r"))
    with Recording(spool.folder / "r").sealing(), spool.held():
        assert (spool.folder / "r").exists()
    with spool.held():
        assert not (spool.folder / "r").exists()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_no_host_made_stays_as_it_is(tmp_path, runs, caplog):
    """Whatever it is called: a folder of somebody else may have been named, or something put into ours."""
    runs.plan(planned(2))
    folder = tmp_path / "spool/host"
    first, second = (f"{run.id}-a1" for run in planned(2))
    shutil.copytree(RECORDINGS / RECORDED, folder / "letters")
    shutil.copytree(RECORDINGS / RECORDED, folder / first)
    for name in ("a.log", ".a.part", ".x.zip.1234.part", "diary.zip", "..begun", "....begun"):
        (folder / name).write_bytes(b"mine")
    packing.write(folder / "letters", folder / "night-app7-accept-a1.zip")  # another's recording
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_bytes(b"mine")
    (folder / "link").symlink_to(tmp_path / "other")
    before = contents(folder) | contents(tmp_path / "other")

    here = host(tmp_path, runs, **BEATS)
    with serving(here, phones(1)):
        until(lambda: runs.progress()[0].recorded == 2)
        until(lambda: not list(folder.glob(f".night-*{BEGUN}")))
    assert "left alone because no host created them" in caplog.text
    assert contents(folder) | contents(tmp_path / "other") == before
    # the first run was made under another name, for its folder is somebody else's
    assert sorted(here.objects.complete_ones()) == [f"{planned(1)[0].id}-a2", second]


def test_what_a_host_made_itself_is_removed_when_it_starts_again(tmp_path):
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
    with spool.held():
        shutil.copytree(RECORDINGS / RECORDED, spool.begin("r-a1"))
        packed(spool, "r-a2")
    with spool.held():
        assert sorted(path.name for path in spool.folder.iterdir()) == [".r-a2.begun", "r-a2.zip"]


ELSEWHERE = ["", ".", "..", "../..", "../host", "/any/folder", "a/b", "a\\b", "-rf", "--name", ".hidden", "_x", "a b"]


@pytest.mark.parametrize("name", [*ELSEWHERE, "a\n", "a\0b", "café", "host.lock", "x" * 101])
def test_names_of_hosts_that_could_lead_elsewhere(tmp_path, name):
    with pytest.raises(UserError, match="cannot be the name of a host"):
        folder_of(name, tmp_path)


@pytest.mark.parametrize("name", ["lab-1", "host.example.com", "A_2", "7"])
def test_names_of_hosts(tmp_path, name):
    assert folder_of(name, tmp_path) == tmp_path / name


def test_a_full_disk(tmp_path, monkeypatch):
    spool = Spool(tmp_path / "spool", objects(tmp_path / "kept"))
    with spool.held():
        assert spool.full() is None
        monkeypatch.setattr(files, "has_room", lambda *_: False)
        assert "The disk of" in str(spool.full())


@pytest.mark.parametrize("state", ["packed", "not packed yet"])
def test_a_spool_whose_host_was_killed_for_good_is_told_with_what_to_do(tmp_path, runs, caplog, monkeypatch, state):
    left = Spool(tmp_path / "spools" / "left", objects(tmp_path / "kept"))
    here = Spool(tmp_path / "spools" / "here", objects(tmp_path / "kept"), index="/in dex.sqlite")
    with left.held():
        if state == "packed":
            packed(left, f"{RUN.id}-a1")
        else:
            shutil.copytree(RECORDINGS / RECORDED, left.begin(f"{RUN.id}-a1"))
            with monkeypatch.context() as patch:
                patch.setattr(packing, "write", full)
                with pytest.raises(OSError, match="No space"):
                    left.add(f"{RUN.id}-a1", RUN, "lab")
        left.begin("unfinished-a1").mkdir()
        with here.held():
            assert "which does not run" not in caplog.text
    with here.held():
        assert "spool of the host left, which does not run: 1" in caplog.text
        place = tmp_path / "kept"
        command = f"fleet host --name left --devices none --judges 0 --recordings {place} --db '/in dex.sqlite'"
        assert command in caplog.text


def full(place, *_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fails", ["pack_members", "see_that_it_holds"])
def test_a_finished_run_that_the_disk_has_no_room_for_is_packed_later(tmp_path, runs, monkeypatch, fails):
    runs.plan(planned(1))
    whole = getattr(packing, fails)
    monkeypatch.setattr(packing, fails, full)
    with serving(host(tmp_path, runs, **BEATS), phones(1)):
        until(lambda: list((tmp_path / "spool/host").glob("*-a1/run.json")))
        sleep(0.5)
        assert runs.progress()[0].leased == 1
        monkeypatch.setattr(packing, fails, whole)
        until(lambda: runs.progress()[0].recorded == 1)
    assert list(objects(tmp_path / "recordings").complete_ones()) == [f"{RUN.id}-a1"]
    assert list((tmp_path / "spool/host").iterdir()) == []


def test_a_host_that_ends_while_its_disk_is_full_leaves_a_finished_run_to_the_next(tmp_path, runs, monkeypatch):
    runs.plan(planned(1))
    whole = packing.pack_members
    monkeypatch.setattr(packing, "pack_members", full)
    with serving(host(tmp_path, runs, **BEATS), phones(1)):
        until(lambda: list((tmp_path / "spool/host").glob("*-a1/run.json")))
        until(lambda: '"digest": ""' in "".join(p.read_text() for p in (tmp_path / "spool/host").glob(f".*{BEGUN}")))
    assert (tmp_path / f"spool/host/{RUN.id}-a1/run.json").exists()
    with serving(host(tmp_path, runs, **BEATS), phones(1)):  # there is still no room
        sleep(0.5)
        assert runs.progress()[0].recorded == 0
        monkeypatch.setattr(packing, "pack_members", whole)
        until(lambda: runs.progress()[0].recorded == 1)
    assert list(objects(tmp_path / "recordings").complete_ones()) == [f"{RUN.id}-a1"]
    assert runs.superseded() == 0


def main(db: str, folder: str, place: str) -> None:
    """A host that is going to be killed."""
    with Runs(db) as runs:
        here = host(Path(folder), runs, recordings=place, beat_s=0.1, lease_s=1.0, command=fake())
        serve(here, Crew(phones(1), 0, By("")))


if __name__ == "__main__":
    main(*sys.argv[1:])
