"""An archive encrypted by age: who reads it, what is said where that cannot be, and what is left of it in plain."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pyrage
import pytest

from appwitness.api.archiving import pack
from appwitness.events import Access
from appwitness.recording import Recording, encryption, packing, verify
from appwitness.support.errors import FileError, UserError
from tests.recording.test_signing import appwitness, home
from tests.recordings.written import RECORDINGS

__all__ = ["home"]


class Keys:
    """Two people who may read, by age and by SSH, and one who may not."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.one, self.other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
        (place / "one").write_text(f"# created: now\n\n{self.one}\n")
        (place / "other").write_text(str(self.other))
        (place / "empty").write_text("# nothing\n")
        key = ("ssh-keygen", "-q", "-t", "ed25519")
        for name, phrase in (("ssh", ""), ("locked", "secret")):
            subprocess.run([*key, "-N", phrase, "-f", place / name], check=True)
        self.to = (str(self.one.to_public()), (place / "ssh.pub").read_text())

    def use(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(encryption.IDENTITY, str(self.place / name))


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Where temporary files go."""
    (tmp_path / "room").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "room"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "room"))
    return tmp_path / "room"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no OpenSSH here")
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(autouse=True)
def _no_identity_is_left(monkeypatch):
    monkeypatch.setenv(encryption.IDENTITY, "")


@pytest.fixture
def folder(tmp_path):
    """A recording with a finding, stamped."""
    shutil.copytree(RECORDINGS / "sent-after-refusal", tmp_path / "r")
    (tmp_path / "r" / "expected.json").unlink()  # of the tests
    with Recording.open(tmp_path / "r") as recording:
        recording.put_body(os.urandom(200_000))
        recording.stamp(final=True)
    return tmp_path / "r"


@pytest.fixture
def sealed(folder, keys):
    packing.write(folder, folder.with_name("r.zip.age"), keys.to)
    return folder.with_name("r.zip.age")


def values(recording: Recording) -> set[bytes]:
    return {value.text.encode() for access in recording.events(Access) for value in access.values}


@pytest.mark.parametrize("name", ["one", "ssh"])
def test_each_of_its_recipients_reads_it(folder, sealed, keys, room, monkeypatch, name):
    assert stat_mode(sealed) == 0o600
    assert not any(value in sealed.read_bytes() for value in values(Recording.open(folder)))
    keys.use(monkeypatch, name)
    opened = Recording.open(sealed)
    assert opened.is_encrypted
    assert values(opened) == values(Recording.open(folder)) != set()
    assert verify(sealed).outcome == "intact"
    (unpacked,) = room.iterdir()
    assert stat_mode(unpacked) == 0o700
    del opened
    assert not list(room.iterdir())


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def changed(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def other(data: bytes, after: bytes, by: int) -> bytes:
    """Another letter of base64 there."""
    at = data.index(after) + by
    return data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]


def whole_chunks(data: bytes) -> bytes:
    """All but the last chunk of what is encrypted: each chunk is authenticated by itself."""
    begins = data.index(b"\n", data.index(b"\n--- ") + 1) + 1 + 16
    return data[: len(data) - (len(data) - begins) % ((1 << 16) + 16)]


WRONG = {
    "no identity": (None, lambda data: data, "is encrypted.", "--identity FILE"),
    "another's": ("other", lambda data: data, "is not encrypted for the identity in", "one of its recipients"),
    "no file": ("none", lambda data: data, "none cannot be read: No such file", "file of your identity"),
    "no key": ("ssh.pub", lambda data: data, "ssh.pub:1: is not an age identity", "age-keygen"),
    "a locked key": ("locked", lambda data: data, "is protected by a passphrase", "without a passphrase"),
    "an empty file": ("empty", lambda data: data, "contains no identity", "age-keygen"),
    "truncated": ("one", lambda data: data[:-1], "is truncated, or was changed", "Get it again"),
    "truncated by a chunk": ("one", whole_chunks, "is truncated, or was changed", "Get it again"),
    "truncated in its head": ("one", lambda data: data[:60], "is truncated, or was changed", "Get it again"),
    "changed": ("one", lambda data: changed(data, -5), "is truncated, or was changed", "Get it again"),
    "changed in who may read": (
        "one",
        lambda data: other(data, b"\n-> ", 12),
        "or its header was",
        "one of its recipients",
    ),
    "changed in its head": (
        "one",
        lambda data: other(data, b"\n--- ", 6),
        "is truncated, or was changed",
        "Get it again",
    ),
    "something behind it": ("one", lambda data: data + b"more", "is truncated, or was changed", "Get it again"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_said_and_nothing_is_left(sealed, keys, room, monkeypatch, name):
    who, change, says, todo = WRONG[name]
    if who:
        keys.use(monkeypatch, who)
    sealed.write_bytes(change(sealed.read_bytes()))
    for read in (Recording.open, verify):
        with pytest.raises(UserError) as raised:
            read(sealed)
        assert says in raised.value.what
        assert todo in raised.value.next_step
        assert raised.value.exit_code == 2
    assert not list(room.iterdir())


def test_what_is_inside_is_not_trusted_because_it_was_encrypted(keys, tmp_path, monkeypatch):
    keys.use(monkeypatch, "one")
    with (tmp_path / "x.zip.age").open("wb") as file:
        encryption.encrypt(io.BytesIO(b"no archive"), file, keys.to)
    with pytest.raises(FileError, match="is not an archive of a recording"):
        Recording.open(tmp_path / "x.zip.age")


@pytest.mark.parametrize("text", ["age1abc", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1", "", "/etc/passwd"])
def test_who_is_no_recipient(text, folder, home):
    appwitness("pack", "r", "--encrypt-to", text, code=2)
    assert {each.name for each in folder.parent.iterdir()} == {"r"}


def test_the_verbs_read_it_and_their_index_is_gone_afterwards(folder, sealed, keys, home, tmp_path):
    shutil.rmtree(folder)
    identity = ("--identity", keys.place / "one")
    assert "is encrypted" in appwitness("report", sealed, code=2)
    assert "intact" in appwitness("verify", sealed, *identity)
    assert "sent-after-refusal" in appwitness("report", sealed, *identity, code=1)
    assert "sent-after-refusal" in appwitness("index", "correlate", sealed, *identity, code=1)
    assert "the index stores values in plain text" in appwitness(
        "index", "correlate", sealed, "another", *identity, code=2
    )
    assert not list(home.glob("*.sqlite*"))
    appwitness("bundle", sealed, "--output", "b.zip", *identity)
    assert "intact" in appwitness("verify", "b.zip")
    appwitness("share", sealed, "--output", "shared", *identity)
    assert "which nothing can be added" in appwitness("mark", "note", "x", "--recording", sealed, code=2)
    said = appwitness("forget", sealed, *identity, "--yes", code=2)
    assert "is encrypted, and does not name its other recipients" in said
    appwitness("index", "correlate", sealed, *identity, "--db", "named.sqlite", code=1)
    assert (tmp_path / "named.sqlite").exists()


def test_several_are_not_read_into_an_index_that_nobody_named(sealed, keys, home):
    identity = ("--identity", keys.place / "one")
    said = appwitness("index", "correlate", RECORDINGS / "sent-after-refusal", sealed, *identity, code=2)
    assert "r.zip.age is encrypted, and the index stores values in plain text" in said
    assert not list(home.glob("*.sqlite"))


def test_pack_encrypts_removes_and_decrypts(folder, keys, home, tmp_path):
    before = {each.relative_to(folder): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    (folder / "mine.txt").write_text("mine")
    said = appwitness("pack", "r", "--encrypt-to", keys.to[0], "--remove")
    assert "r.zip.age: " in said
    assert "because it does not belong to the recording: mine.txt" in said
    assert [each.name for each in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    folder.rmdir()
    appwitness("pack", "r.zip.age", "--identity", keys.place / "one")
    shutil.unpack_archive(tmp_path / "r.zip", tmp_path)
    assert {each.relative_to(folder): each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before
    assert "r.zip cannot be made" in appwitness("pack", "r", "--remove", code=2)
    assert (folder / "run.json").exists()


def test_age_itself_reads_it_and_what_it_writes_is_read(folder, sealed, keys, tmp_path, monkeypatch):
    if shutil.which("age") is None:
        pytest.skip("no age here")
    subprocess.run(["age", "-d", "-i", keys.place / "one", "-o", tmp_path / "r.zip", sealed], check=True)
    assert verify(tmp_path / "r.zip").outcome == "intact"
    for name, armour in (("a", ()), ("b", ("-a",))):
        command = ["age", "-r", keys.to[0], *armour, "-o", tmp_path / f"{name}.age", tmp_path / "r.zip"]
        subprocess.run(command, check=True)
        keys.use(monkeypatch, "one")
        assert verify(tmp_path / f"{name}.age").outcome == "intact"


def test_what_a_killed_process_left_unpacked_is_removed_by_the_next(sealed, keys, room, monkeypatch):
    keys.use(monkeypatch, "one")
    hangs = """import sys, time
from appwitness.recording import Recording
recording = Recording.open(sys.argv[1])
print(recording.path, flush=True)
time.sleep(60)"""
    with subprocess.Popen([sys.executable, "-c", hangs, sealed], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        left = Path(other.stdout.readline().strip()).parent
        Recording.open(sealed)
        assert left.exists()  # it is in use
        other.send_signal(signal.SIGKILL)
    assert left.exists()
    Recording.open(sealed)
    assert not left.exists()


def test_a_recording_of_before_is_not_touched_by_a_run_that_cannot_begin(folder, keys, home):
    observe = ("observe", "--device", "lab:corner", "--output", "r", "--encrypt-to", keys.to[0])
    assert "r is not empty" in appwitness(*observe, code=2)
    assert verify(folder).outcome == "intact"
    assert not folder.with_name("r.zip.age").exists()


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("damage", ["cut off", "one byte", "another", "too little"])
def test_what_cannot_be_read_back_removes_nothing(keys, folder, monkeypatch, encrypted, damage):
    """Whatever went wrong on the way to the disk."""
    before = contents(folder)

    def spoil(file):
        file.flush()
        size = os.fstat(file.fileno()).st_size
        if damage == "cut off":
            os.truncate(file.fileno(), size - 40)
        elif damage == "one byte":
            os.pwrite(file.fileno(), bytes([os.pread(file.fileno(), 1, size // 2)[0] ^ 1]), size // 2)
        elif damage == "another":
            os.pwrite(file.fileno(), b"nothing of the kind", 0)

    def unread(module, name, into):
        real = getattr(module, name)

        def written(*args):
            made = real(*args)
            spoil(args[into])
            return made

        monkeypatch.setattr(module, name, written)

    if damage == "too little":
        monkeypatch.setattr(packing, "add", lambda archive, name, source: archive.writestr(name, b"") or "0" * 64)
    elif encrypted:
        unread(encryption, "encrypt", 1)
    else:
        unread(packing, "pack_members", 3)
    with pytest.raises(UserError, match="The recording is unchanged"):
        pack(folder, encrypt_to=keys.to if encrypted else (), remove=True)
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(("r", ".r"))] == ["r"]


def test_what_no_archive_takes_in_is_not_removed_with_the_rest(keys, folder):
    (folder / "bodies" / "of mine").write_text("a note")
    made = pack(folder, encrypt_to=keys.to, remove=True)
    assert made.left == ("bodies/of mine",)
    assert contents(folder) == {"bodies/of mine": b"a note"}
