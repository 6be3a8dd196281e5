"""A recording that somebody exchanged where recordings are kept is not judged, and takes no other's place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appwitness.correlate import correlate, knowledge
from appwitness.events import Gap, Run
from appwitness.fleet.objects import objects
from appwitness.recording import Recording, packing, verify
from appwitness.store import Store
from appwitness.store.fleet_tables import CommittedRecording, LeasedRun
from appwitness.store.runs import Runs
from tests.fleet.rig import FINDINGS, RECORDED, host, phones, planned, serving, until
from tests.recording.test_recording import AT, RUN
from tests.recordings.written import RECORDINGS

FIRST, SECOND = (f"{run.id}-a1" for run in planned(2))


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    return str(tmp_path / "recordings") if request.param == "folder" else request.getfixturevalue("server").place()


def recorded(tmp_path: Path, runs: Runs, place: str, count: int = 2) -> None:
    runs.plan(planned(count))
    with serving(host(tmp_path, runs, recordings=place, beat_s=0.1), phones(2)):
        until(lambda: runs.progress()[0].recorded == count)


def judged(tmp_path: Path, runs: Runs, place: str) -> tuple[int, int, str]:
    """How many runs were judged, and how many could not be, and why; the index is index.sqlite."""
    here = host(tmp_path, runs, "judge", recordings=place, beat_s=0.1)
    with serving(here, [], judges=1, db=tmp_path / "index.sqlite"):
        until(lambda: not runs.progress()[0].recorded)
    why = runs.reasons()
    return runs.progress()[0].judged, runs.progress()[0].unobservable, why[0][2] if why else ""


def fetched(place: str, name: str, into: Path) -> Path:
    with objects(place).fetched(name) as packed:
        return Path(shutil.copy(packed, into / f"{name}.zip"))


def swap(place: str, into: Path) -> None:
    first, second = (fetched(place, name, into) for name in (FIRST, SECOND))
    objects(place).put(FIRST, second)
    objects(place).put(SECOND, first)


def copy(place: str, into: Path) -> None:
    objects(place).put(SECOND, fetched(place, FIRST, into))


def craft(place: str, into: Path) -> None:
    """The second run's archive says that it is the first one's recording."""
    shutil.copytree(RECORDINGS / RECORDED, into / "made")
    run = json.loads((into / "made/run.json").read_text())
    (into / "made/run.json").write_text(json.dumps({**run, "id": FIRST, "campaign": "night"}))
    packing.write(into / "made", into / "made.zip")
    objects(place).put(SECOND, into / "made.zip")


@pytest.mark.parametrize(("attack", "good"), [(swap, 0), (copy, 1), (craft, 1)])
def test_an_archive_that_was_exchanged_is_not_judged(
    tmp_path: Path, runs: Runs, place: str, attack: Callable[[str, Path], None], good: int
) -> None:
    recorded(tmp_path, runs, place)
    (tmp_path / "attack").mkdir()
    attack(place, tmp_path / "attack")
    done, refused, why = judged(tmp_path, runs, place)
    assert (done, refused) == (good, 2 - good)
    assert "does not belong to its run: it is not the archive that its host made" in why
    with Store(tmp_path / "index.sqlite") as store:
        assert [run.id for run in store.recordings()] == [FIRST][:good]
        assert [len(store.findings(run.id)) for run in store.recordings()] == [FINDINGS][:good]


def test_what_somebody_put_there_before_the_run_was_made_is_not_its_recording(tmp_path: Path, runs: Runs) -> None:
    kept = objects(tmp_path / "recordings")
    shutil.copytree(RECORDINGS / RECORDED, tmp_path / "made")  # of no campaign
    packing.write(tmp_path / "made", tmp_path / "made.zip")
    kept.put(FIRST, tmp_path / "made.zip")
    kept.complete(FIRST)
    recorded(tmp_path, runs, str(tmp_path / "recordings"), 1)
    run = runs.to_judge(60)
    assert run
    assert run.recording != FIRST
    assert (runs.committed(run.recording or "") or RUN_OF).run == run.id


RUN_OF = CommittedRecording("", "", "", "", "")


def test_what_was_forgotten_since_is_explained_and_what_was_changed_is_not(tmp_path: Path, runs: Runs) -> None:
    """Recordings that are stamped, as all that are really made."""

    def command(_run: LeasedRun, _device: object, folder: Path) -> list[str]:
        fields = {"id": folder.name, "campaign": "night", "plan": "accept", "ended": AT}
        said = Run.model_validate({**RUN.model_dump(), **fields})
        with Recording.create(tmp_path / "stamped" / folder.name, said) as recording:
            recording.append_all(Gap(at=AT, where="proxy", subject=str(n), why="tls_refused") for n in range(3))
            recording.stamp(final=True)
        give = 'mkdir -p "$2" && cp -R "$1/." "$2/"'
        return ["sh", "-c", give, "sh", str(tmp_path / "stamped" / folder.name), str(folder)]

    place = str(tmp_path / "recordings")
    runs.plan(planned(2))
    with serving(host(tmp_path, runs, recordings=place, beat_s=0.1, command=command), phones(2)):
        until(lambda: runs.progress()[0].recorded == 2)
    for name in (FIRST, SECOND):
        folder = tmp_path / "stamped" / name
        if name == FIRST:
            Recording.open(folder).forget({"gap": {1}}, before=verify(folder).before)
        else:
            (folder / "gaps.jsonl").write_text("")
        packing.write(folder, tmp_path / f"{name}.zip")
        objects(place).put(name, tmp_path / f"{name}.zip")
    done, refused, why = judged(tmp_path, runs, place)
    assert (done, refused) == (1, 1)
    assert "its stamps do not explain how" in why


def test_a_recording_does_not_take_the_place_of_one_of_a_campaign_with_its_id(tmp_path: Path) -> None:
    known = knowledge()
    with Store(tmp_path / "index.sqlite") as store:
        for name, campaign in (("first", "night"), ("second", None)):
            said = RUN.model_copy(update={"ended": AT, "campaign": campaign})
            Recording.create(tmp_path / name, said).close()
        first, second = (Recording.open(tmp_path / name) for name in ("first", "second"))
        correlate(first, store, known)
        beside = correlate(second, store, known).recording
        assert beside.startswith(f"{RUN.id}~")
        assert [store.address(name) for name in (RUN.id, beside)] == [str(tmp_path / "first"), str(tmp_path / "second")]

        shutil.copytree(tmp_path / "first", tmp_path / "moved")  # the same run
        correlate(Recording.open(tmp_path / "moved"), store, known)
        assert store.address(RUN.id) == str(tmp_path / "moved")
        assert store.address(beside) == str(tmp_path / "second")
