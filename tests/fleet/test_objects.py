"""Recordings in a folder and in a bucket: the same calls, over real HTTP to a server that speaks S3."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appwitness.api.browsing import Browsing
from appwitness.cli.verbs import main
from appwitness.correlate import correlate, knowledge
from appwitness.fleet.objects import Bucket, Folder, objects
from appwitness.recording import Recording, archive, packing, verify
from appwitness.store import Store
from appwitness.support.errors import StoreError, UserError
from appwitness.web.query import Site
from appwitness.web.routes import app
from tests.fleet.buckets import Server
from tests.recording.test_hostile import BODY, made
from tests.web.serving import TOKEN, visitor


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    return str(tmp_path / "recordings") if request.param == "folder" else request.getfixturevalue("server").place()


@pytest.fixture
def packed(tmp_path):
    made(tmp_path / "r-a1").close()
    packing.write(tmp_path / "r-a1", tmp_path / "r-a1.zip")
    return tmp_path / "r-a1.zip"


def test_a_recording_is_there_once_it_is_complete(place, packed):
    kept = objects(place)
    kept.put("r-a1", packed)
    assert not kept.is_complete("r-a1")
    assert list(kept.complete_ones()) == []
    with pytest.raises(UserError, match="There is no complete recording r-a1"), kept.fetched("r-a1"):
        pass
    assert kept.complete("r-a1")
    assert not kept.complete("r-a1")
    assert objects(place).is_complete("r-a1")
    assert list(kept.complete_ones()) == ["r-a1"]
    with kept.fetched("r-a1") as here:
        assert here.read_bytes() == packed.read_bytes()
        assert verify(here).outcome == "intact"


def test_what_an_attempt_left_is_replaced(place, packed, tmp_path):
    kept = objects(place)
    (tmp_path / "half.zip").write_bytes(packed.read_bytes())
    kept.put("r-a1", tmp_path / "half.zip")
    kept.put("r-a1", packed)
    kept.complete("r-a1")
    with kept.fetched("r-a1") as here:
        assert here.read_bytes() == packed.read_bytes()


def test_one_of_many_is_first(place, packed):
    kept = objects(place)
    kept.put("r-a1", packed)
    said: list[bool] = []
    many = [threading.Thread(target=lambda: said.append(objects(place).complete("r-a1"))) for _ in range(8)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert sorted(said) == [False] * 7 + [True]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".x", "a b", "x" * 300])
def test_names_that_lead_elsewhere(place, packed, name):
    for call in (
        lambda: objects(place).put(name, packed),
        lambda: objects(place).complete(name),
        lambda: objects(place).is_complete(name),
    ):
        with pytest.raises(UserError, match="is not the name of a recording"):
            call()


@pytest.mark.parametrize(
    "place",
    ["s3://", "s3:///x", "s3://key:secret@bucket/x", "s3://bucket/x?token=1", "http://bucket/x", "file:///tmp/x"],
)
def test_places_that_there_are_not(place):
    with pytest.raises(UserError, match="is not a place for recordings"):
        objects(place)


def test_which_kind_it_is(tmp_path):
    assert isinstance(objects(tmp_path / "new"), Folder)
    assert oct((tmp_path / "new").stat().st_mode)[-3:] == "700"
    assert all(isinstance(objects(f"{kind}://bucket/a/b"), Bucket) for kind in ("s3", "gs", "az"))


def test_what_else_is_in_a_place_is_no_recording(place, packed, server):
    kept = objects(place)
    kept.put("r-a1", packed)
    kept.complete("r-a1")
    if isinstance(kept, Bucket):
        for key in ("COMPLETE", "a b/COMPLETE", "a/b/COMPLETE", "c/d"):
            server.write(place, key, b"")
    else:
        for name in ("a b.complete", ".complete", "x.txt"):
            (Path(place) / name).touch()
    assert list(kept.complete_ones()) == ["r-a1"]


def test_what_is_beside_an_archive_can_be_looked_at(server, packed):
    place = server.place()
    objects(place).put("r-a1", packed)
    folder = packed.with_suffix("")
    assert server.keys(place) == ["r-a1/r-a1.zip", "r-a1/run.json", "r-a1/seal.jsonl"]
    assert server.read(place, "r-a1/run.json") == (folder / "run.json").read_bytes()


def test_a_large_one_goes_in_parts(server, tmp_path):
    with made(tmp_path / "r-a1", ended=False) as recording:
        for _ in range(3):
            recording.put_body(os.urandom(7 << 20))
    packing.write(tmp_path / "r-a1", tmp_path / "r-a1.zip")
    kept = objects(server.place())
    kept.put("r-a1", tmp_path / "r-a1.zip")
    kept.complete("r-a1")
    with kept.fetched("r-a1") as here:
        assert here.read_bytes() == (tmp_path / "r-a1.zip").read_bytes()
    assert server.etag(kept.place, "r-a1/r-a1.zip").endswith('-3"')  # as S3 marks what came in three parts


def test_the_index_names_it_by_its_address(server, packed, tmp_path):
    kept = objects(server.place())
    kept.put("r-a1", packed)
    kept.complete("r-a1")
    store, known = Store(tmp_path / "index.sqlite"), knowledge()
    with kept.fetched("r-a1") as here:
        outcome = correlate(Recording.open(here), store, known)
    assert outcome.findings
    held = store.held(outcome.recording)
    assert held
    assert held.path == f"{kept.place}/r-a1"
    assert not here.exists()


def test_a_store_that_is_away_and_back(server, packed):
    kept = objects(server.place())
    kept.put("r-a1", packed)
    server.stop()
    with pytest.raises(StoreError, match=r"s3://.*/r-a1 cannot be reached: "):
        kept.complete("r-a1")
    server.start()
    assert kept.complete("r-a1")


def test_a_bucket_that_there_is_not(server: Server, packed: Path):
    with pytest.raises(StoreError, match="cannot be reached: ") as raised:
        objects("s3://there-is-no-such-bucket/x").put("r-a1", packed)
    assert "secret" not in str(raised.value)


def run(*arguments: str) -> tuple[int, str]:
    """The exit code of a verb, and all that it said."""
    done = CliRunner().invoke(main, [*arguments])
    return done.exit_code, done.stdout + done.stderr


def test_verbs_take_its_address(server, packed, tmp_path, monkeypatch):
    place = server.place()
    kept = objects(place)
    for name in ("r-a1", "r-a2"):
        kept.put(name, packed)
    kept.complete("r-a1")

    index = ["--db", str(tmp_path / "index.sqlite")]
    assert run("verify", f"{place}/r-a1")[0] == 0
    code, said = run("report", f"{place}/r-a1", *index)
    assert code == 1
    assert f"{place}/r-a1" in said
    assert run("index", "correlate", f"{place}/r-a1", *index)[0] == 1
    assert run("gate", f"{place}/r-a1", *index)[0] == 1
    for name, told in (
        (f"{place}/r-a2", "There is no complete recording r-a2"),
        (f"{place}/..", "is not the name of a recording"),
        ("s3://r-a1", "s3://r-a1 does not name a recording"),
        ("ftp://host/r-a1", "is not a place for recordings"),
        (f"{place}/r-a1?versionId=1", "is not the name of a recording"),
    ):
        code, said = run("verify", name)
        assert (code, told in said) == (2, True), said
    assert not list(tmp_path.glob("s3*"))


def test_what_is_forgotten_is_gone_from_the_bucket(server, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("APPWITNESS_HOME", str(tmp_path / "home"))
    kept = objects(server.place())
    for name in ("r-a1", "r-a2"):
        kept.put(name, packed)
    kept.complete("r-a1")

    def held(name="r-a1"):
        return server.read(kept.place, f"{name}/{name}.zip")

    assert run("forget", f"{kept.place}/r-a1", "--only", "accesses", "--dry-run")[0] == 0
    assert held() == packed.read_bytes()
    assert run("forget", f"{kept.place}/r-a1", "--only", "accesses", "--yes")[0] == 0
    assert b"getLine1Number" not in held()
    assert BODY in held()
    assert run("forget", "--recordings", kept.place, "--older-than", "1d", "--yes")[0] == 0
    assert BODY not in held()
    assert held("r-a2") == packed.read_bytes()  # which is not complete, so it is no recording yet
    code, said = run("verify", f"{kept.place}/r-a1")
    assert (code, "forgotten" in said) == (0, True), said
    with kept.fetched("r-a1") as here:
        assert archive.member(here, "run.json") == server.read(kept.place, "r-a1/run.json")


def test_pages_show_the_bytes_of_a_recording_in_a_bucket(server, packed, tmp_path):
    kept, known = objects(server.place()), knowledge()
    kept.put("r-a1", packed)
    kept.complete("r-a1")
    with Store(tmp_path / "index.sqlite") as store:
        with kept.fetched("r-a1") as here:
            correlate(Recording.open(here), store, known)
        pages = visitor(app(Site(Browsing(store, known), TOKEN)))

        def shown() -> dict[str, Any]:
            answer = pages.get("/recordings/hostile/uploads/1?format=json")
            assert answer.status_code == 200
            found: dict[str, Any] = answer.json()["decoded"]
            return found

        assert shown()["steps"][0]["size"] == len(BODY)
        server.stop()
        assert shown()["problem"] == "body_gone"
        server.start()
        assert shown()["problem"] is None
