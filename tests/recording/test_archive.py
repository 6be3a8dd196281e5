"""A recording as one file: read as the folder is, and refused where it may not be what it says."""

from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from io import FileIO

import pytest

from appwitness.correlate import correlate, knowledge, report_on
from appwitness.correlate.currency import is_current
from appwitness.events import Upload
from appwitness.recording import Recording, archive, files, packing, verify
from appwitness.store import Store
from appwitness.support.errors import FileError, UserError
from tests.recording.test_hostile import BODY, access, made, mark
from tests.recordings.written import RECORDINGS


@pytest.fixture
def folder(tmp_path):
    made(tmp_path / "r").close()
    return tmp_path / "r"


@pytest.fixture
def packed(folder):
    packing.write(folder, folder.with_name("r.zip"))
    return folder.with_name("r.zip")


def test_it_unpacks_to_the_folder_with_any_program(folder, packed, tmp_path):
    with zipfile.ZipFile(packed) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path / "elsewhere")
    there = {each.relative_to(folder): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    again = tmp_path / "elsewhere" / "r"
    assert {each.relative_to(again): each.read_bytes() for each in again.rglob("*") if each.is_file()} == there
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    packing.write(folder, tmp_path / "elsewhere" / "r.zip")
    assert (tmp_path / "elsewhere" / "r.zip").read_bytes() == packed.read_bytes()


def test_it_is_judged_as_the_folder_is(folder, packed, tmp_path):
    known = knowledge()
    found = {}
    for place in (folder, packed):
        store = Store(tmp_path / f"{place.name}.sqlite")
        outcome = correlate(Recording.open(place), store, known)
        said = report_on(Recording.open(place), store, known)
        assert store.path(outcome.recording) == place
        assert said.verified
        assert said.verified.outcome == "intact"
        found[place] = (outcome.flows, outcome.findings)
        assert is_current(Recording.open(place), store, known)
    assert found[folder] == found[packed]
    assert found[packed][1]
    assert verify(packed) == verify(folder)


def test_what_it_is_unpacked_to_is_private_and_goes(packed, monkeypatch, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setenv("TMPDIR", str(room))
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    recording = Recording.open(packed)
    assert stat.S_IMODE(recording.path.stat().st_mode) == 0o700
    [upload] = recording.events(Upload)
    assert recording.body(upload.body or "") == BODY
    del recording
    assert list(room.iterdir()) == []


def test_it_is_unpacked_once_while_somebody_has_it(packed):
    recording = Recording.open(packed)
    assert Recording.open(packed).path == recording.path
    packed.write_bytes(packed.read_bytes())
    assert Recording.open(packed).path != recording.path


KILLED = """
import os, signal, sys
from pathlib import Path
from appwitness.recording import Recording
recording = Recording.open(Path(sys.argv[1]))
if os.fork() == 0:
    del recording
    os._exit(0)
os.wait()
assert recording.path.exists()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_process_left_that_was_killed_is_removed_and_nothing_else(packed, monkeypatch, tmp_path):
    room = tmp_path / "room"
    (room / "appwitness-file").parent.mkdir()
    (room / "appwitness-file").touch()
    (room / "appwitness-link").symlink_to(tmp_path)
    monkeypatch.setenv("TMPDIR", str(room))
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    done = subprocess.run([sys.executable, "-c", KILLED, packed], check=False, stderr=subprocess.PIPE)
    assert done.returncode == -9, done.stderr
    assert len(list(room.iterdir())) == 3
    recordings = [Recording.open(packed), Recording.open(packed)]
    assert len(list(room.iterdir())) == 3
    assert all(each.path.exists() for each in recordings)
    del recordings
    assert sorted(each.name for each in room.iterdir()) == ["appwitness-file", "appwitness-link"]


def test_nothing_is_added_to_it(packed):
    recording = Recording.open(packed)
    before = packed.read_bytes()
    for change in (
        lambda: recording.append(access()),
        lambda: recording.note(mark()),
        lambda: recording.put_body(b"another"),
        lambda: recording.put_token("1-a.tsr", b"token"),
        lambda: recording.update_run(operator="somebody"),
        recording.stamp,
        lambda: recording.forget({"access": [1]}, before=verify(packed).before),
    ):
        with pytest.raises(UserError, match="is an archive, to which nothing can be added"):
            change()
    assert packed.read_bytes() == before


def test_what_was_changed_in_it_is_named(packed):
    data = packed.read_bytes()
    packed.write_bytes(data.replace(BODY, BODY.replace(b"8000", b"8001")))
    [problem] = verify(packed).problems
    assert problem.file.startswith("bodies/")
    packed.write_bytes(data.replace(b"getLine1Number", b"getLine2Number"))
    assert [(each.file, each.line) for each in verify(packed).problems] == [("accesses.jsonl", 1)]


def test_a_file_is_never_written_over_and_never_half(folder, packed, tmp_path):
    before = packed.read_bytes()
    with pytest.raises(UserError, match="cannot be made: File exists"):
        packing.write(folder, packed)
    (folder / "bodies" / "pipe").symlink_to("/etc/passwd")
    with pytest.raises(FileError, match="not a regular file"):
        packing.write(folder, tmp_path / "another.zip")
    assert packed.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["r", "r.zip"]
    with Recording.open(folder).sealing(), pytest.raises(UserError, match="is being recorded"):
        packing.write(folder, tmp_path / "another.zip")


def info(name: str, mode: int = stat.S_IFREG | 0o600, method: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr, made.compress_type = mode << 16, method
    return made


def written(members: Iterable[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for each, data in members:
            opened.writestr(each, data)
    return file.getvalue()


RUN = (info("r/run.json"), b"{}")
SUMS, IN_BUNDLE = (info("SHA256SUMS"), b""), (info("recording/run.json"), b"{}")
A, B = (info("r/bodies/a"), b"a" * 40), (info("r/bodies/b"), b"b" * 40)


def patched(offset: int, value: bytes, data: bytes) -> bytes:
    """The last entry of the directory, with other bytes at an offset in it."""
    at = data.rindex(b"PK\1\2") + offset
    return data[:at] + value + data[at + len(value) :]


def in_itself() -> bytes:
    """A body that is as long as it and all behind it, so that it has the next member inside."""
    data = written([RUN, A, B])
    at = data.rindex(b"PK\1\2", 0, data.rindex(b"PK\1\2"))
    return data[: at + 20] + struct.pack("<II", 100, 100) + data[at + 28 :]


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("no ZIP", lambda: b"anything", "not a zip file"),
    ("empty", lambda: b"", "not a zip file"),
    ("truncated at its end", lambda: written([RUN, A])[:-40], "not a zip file"),
    ("beginning lost", lambda: written([RUN, A])[50:], "is not an archive of a recording"),
    ("no members", lambda: written([]), "0 members"),
    ("no run.json", lambda: written([A]), "has no run.json"),
    ("up", lambda: written([RUN, (info("r/../x"), b"")]), "not in the folder"),
    ("up with a body's name", lambda: written([RUN, (info("r/bodies/.."), b"")]), "not in the folder"),
    ("absolute", lambda: written([RUN, (info("/etc/passwd"), b"")]), "not in the folder"),
    ("drive", lambda: written([RUN, (info("r/C:"), b"")]), "not in the folder"),
    ("backslashes", lambda: written([RUN, (info("r/..\\x"), b"")]), "not in the folder"),
    ("another folder", lambda: written([RUN, (info("s/run.json"), b"")]), "not in the folder"),
    ("no folder", lambda: written([(info("run.json"), b"{}")]), "is encrypted, or no regular file"),
    ("too deep", lambda: written([RUN, (info("r/bodies/x/y"), b"")]), "not in the folder"),
    ("a folder that no recording has", lambda: written([RUN, (info("r/bin/sh"), b"")]), "not in the folder"),
    ("a name with a newline", lambda: written([RUN, (info("r/bodies/a\nb"), b"")]), "not in the folder"),
    ("a long name", lambda: written([RUN, (info("r/bodies/" + "a" * 300), b"")]), "not in the folder"),
    ("a link", lambda: written([RUN, (info("r/bodies/a", stat.S_IFLNK | 0o777), b"/etc")]), "no regular file"),
    ("a pipe", lambda: written([RUN, (info("r/bodies/a", stat.S_IFIFO), b"")]), "no regular file"),
    ("encrypted", lambda: patched(8, b"\x01\0", written([RUN, A])), "is encrypted"),
    (
        "compressed",
        lambda: written([RUN, (info("r/bodies/a", method=zipfile.ZIP_DEFLATED), b"a" * 9999)]),
        "compressed",
    ),
    ("longer than it is", lambda: patched(24, struct.pack("<I", 9999), written([RUN, A])), "compressed"),
    ("two of one name", lambda: written([RUN, A, (info("r/bodies/A"), b"")]), "there twice"),
    ("another name inside", lambda: patched(46, b"r/bodies/c", written([RUN, A])), "another name in its own header"),
    ("one inside another", in_itself, "overlap"),
    ("elsewhere", lambda: patched(42, struct.pack("<I", 7), written([RUN, A])), "not where its directory says"),
    ("behind the end", lambda: patched(42, struct.pack("<I", 1 << 31), written([RUN, A])), "not where its directory"),
    ("a bundle without a recording", lambda: written([RUN, SUMS]), "not in the folder"),
    ("a bundle with a folder", lambda: written([SUMS, IN_BUNDLE, (info("x/y"), b"")]), "not in the folder"),
    (
        "a bundle with a link",
        lambda: written([SUMS, IN_BUNDLE, (info("x", stat.S_IFLNK | 0o777), b"/etc")]),
        "no regular",
    ),
    ("a bundle that goes up", lambda: written([SUMS, IN_BUNDLE, (info(".."), b"")]), "not in the folder"),
    ("a bundle with a file for its folder", lambda: written([SUMS, IN_BUNDLE, (info("recording"), b"")]), "no regular"),
    ("a file for a folder", lambda: written([RUN, (info("r/bodies"), b"")]), "cannot be unpacked: File exists"),
]


@pytest.mark.parametrize(("name", "data", "said"), HOSTILE, ids=[name for name, _, _ in HOSTILE])
def test_a_hostile_archive_is_refused_whole(name, data, said, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "room"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "room"))
    (tmp_path / "room").mkdir()
    (tmp_path / "r.zip").write_bytes(data())
    for read in (Recording.open, verify):
        with pytest.raises(FileError, match=said) as raised:
            read(tmp_path / "r.zip")
        assert raised.value.exit_code == 2
        del raised
    assert not [each for each in (tmp_path / "room").iterdir() if each.is_file()]


def test_more_members_than_are_read(tmp_path, monkeypatch):
    (tmp_path / "r.zip").write_bytes(written([RUN, A, B]))
    monkeypatch.setattr(archive, "MEMBERS", 2)
    with pytest.raises(FileError, match="it has 3 members"):
        verify(tmp_path / "r.zip")
    monkeypatch.setattr(archive, "DIRECTORY_BYTES", 100)
    with pytest.raises(FileError, match="too many members"):
        verify(tmp_path / "r.zip")


class OlderReads:
    """A file as zipfile of CPython 3.12.1 reads it: where later ones ask for so many bytes, it reads to the end."""

    def __init__(self, file: FileIO, unsized: tuple[int | None, ...]) -> None:
        self.file, self.unsized = file, unsized
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int | None = None) -> bytes:
        if size in (None, 22, 22 + 0xFFFF):  # the end of the directory, and that with the longest comment
            return self.file.read(*self.unsized)
        return self.file.read(size)


@pytest.mark.parametrize("unsized", [(), (-1,), (None,)])
def test_it_is_read_in_bounds_as_every_zipfile_reads(unsized, packed, tmp_path, monkeypatch):
    later = zipfile._EndRecData  # type: ignore[attr-defined]  # noqa: SLF001
    monkeypatch.setattr(zipfile, "_EndRecData", lambda file: later(OlderReads(file, unsized)))
    data = packed.read_bytes()
    with_comment = tmp_path / "c.zip"
    with_comment.write_bytes(data[:-2] + struct.pack("<H", 7) + b"comment")
    for place in (packed, with_comment):
        assert verify(place).outcome == "intact"
    (tmp_path / "n.zip").write_bytes(bytes(1 << 20))
    with pytest.raises(FileError, match="not a zip file"):
        verify(tmp_path / "n.zip")

    with archive.BoundedFile(packed) as bounded:
        monkeypatch.setattr(archive, "DIRECTORY_BYTES", 100)
        for refused in (unsized, (101,), (1 << 70,)):
            bounded.seek(-101, os.SEEK_END)
            with pytest.raises(zipfile.BadZipFile, match="too many members"):
                bounded.read(*refused)
            assert bounded.seek(1, os.SEEK_CUR) == len(data) - 100
            assert bounded.read(*unsized) == data[-100:]
            assert bounded.read(*unsized) == bounded.read(100) == b""
        bounded.seek(len(data) + 9)
        assert bounded.read(*unsized) == b""
        bounded.seek(-22, os.SEEK_END)
        assert bounded.read(100) == data[-22:]
    with pytest.raises(FileError, match="too many members"):
        verify(with_comment)


def test_a_full_disk_is_said_before_anything_is_written(packed, monkeypatch):
    monkeypatch.setattr(files, "has_room", lambda *_: False)
    with pytest.raises(FileError, match="does not fit on the disk"):
        verify(packed)


def test_a_pipe_is_no_archive(tmp_path):
    os.mkfifo(tmp_path / "r.zip")
    for read in (Recording.open, verify):
        with pytest.raises(UserError, match="There is no folder"):
            read(tmp_path / "r.zip")


def test_the_verbs_read_it(folder, tmp_path):
    def said(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [*(sys.executable, "-m", "appwitness"), *arguments],
            check=False, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "TMPDIR": f"{tmp_path}/room"},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    (tmp_path / "room").mkdir()
    assert said("pack", "r").startswith(f"{tmp_path / 'r.zip'}: ")
    assert "intact" in said("verify", "r.zip")
    assert "r.zip" in said("report", "r.zip", "--db", "index.sqlite", code=1)
    packing.write(RECORDINGS / "address-book-upload", tmp_path / "other.zip")
    assert "other.zip: " in said("index", "correlate", "-j", "2", "r.zip", "other.zip", "--db", "many.sqlite", code=1)
    assert not list((tmp_path / "room").iterdir())
