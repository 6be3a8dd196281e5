"""Streams in their thousands behind each other cost what they hold: work is counted, not time."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

import lz4.frame
import pytest

from appwitness.match.decode.packed import archives, compressed, large_streams
from appwitness.match.decode.walk.pieces import DecodeLimits, Room, UploadPiece, walk


class Counted:
    """A machine that counts the bytes that it is given and gives back."""

    def __init__(self, machine, counts):
        self._machine = machine
        self._counts = counts

    def decompress(self, data, *limit, **named):
        """As of the machine."""
        self._counts.append(len(data))
        out = self._machine.decompress(data, *limit, **named)
        self._counts.append(len(self._machine.unused_data or b""))
        return out

    def __getattr__(self, name):
        return getattr(self._machine, name)


@pytest.fixture
def counts(monkeypatch):
    """How many bytes each call was given or gave back."""
    counted: list[int] = []
    make = zlib.decompressobj

    def decompressobj(wbits=15):
        return Counted(make(wbits), counted)

    for module in (compressed, archives, large_streams):
        monkeypatch.setattr(module, "zlib", Zlib(decompressobj))
    return counted


class Zlib:
    """zlib with another decompressobj."""

    error = zlib.error

    def __init__(self, decompressobj):
        self.decompressobj = decompressobj


def leaves(body, limits=None):
    room = Room(limits or DecodeLimits())
    return [leaf.data for leaf in walk([UploadPiece(body, "$", (), 0, len(body), True)], room)], room.named()


MEMBER = gzip.compress(b"a", mtime=0)


def test_members_of_gzip_are_looked_at_once(counts):
    body = MEMBER * 20_000 + gzip.compress(b"the last one")
    found, _ = leaves(body)
    assert found[0] == b"a" * 20_000 + b"the last one"
    assert sum(counts) < 120 * len(body)  # a kilobyte at most for each, where all that follows would be 400 MB


def test_members_beyond_the_budget_are_told(counts):
    body = MEMBER * 20_000
    _, cut = leaves(body, DecodeLimits(work=-3 * len(body)))
    assert any("bytes to look at" in each for each in cut)
    assert sum(counts) < 120 * len(body)


def test_members_of_a_zip_file_are_looked_at_once(counts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4000):
            archive.writestr(str(number), b"abcdefghabcdefgh")
    room = Room(DecodeLimits())
    body = file.getvalue()
    found = archives.archive(UploadPiece(body, "$", (), 0, len(body), True), room)
    assert [each.data for each in found or ()].count(b"abcdefghabcdefgh") == 4000
    assert sum(counts) < 40 * len(body)


def zip_file(names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"some text")
    return file.getvalue()


def tar_file(names):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 9
            archive.addfile(member, io.BytesIO(b"some text"))
    return file.getvalue()


@pytest.mark.parametrize(("kind", "make"), [("zip", zip_file), ("tar", tar_file)])
def test_more_members_than_are_read_are_told(monkeypatch, kind, make):
    monkeypatch.setattr(archives, "MEMBERS", 10)
    _, cut = leaves(make([f"a{number}" for number in range(20)]))
    assert any(f"{kind} at $: more than 10" in each for each in cut)


def test_streams_inside_other_bytes_that_are_not_tried_are_told():
    _, cut = leaves((gzip.compress(b"a text of some length") + b"\0\1") * 12)
    assert any("streams inside other bytes" in each for each in cut)
    assert leaves((gzip.compress(b"a text of some length") + b"\0\1") * 4)[1] == ()


@pytest.mark.parametrize("cut_at", [1 << 20, 1000, len(MEMBER), len(MEMBER) + 1, 7])
def test_a_large_gzip_of_many_members_is_looked_at_once(counts, cut_at):
    body = MEMBER * 5_000
    blocks = (body[at : at + cut_at] for at in range(0, len(body), cut_at))
    assert b"".join(large_streams.UNPACK["gzip"](blocks)) == b"a" * 5_000
    assert sum(counts) < 120 * len(body)


def test_what_follows_a_large_gzip_is_not_kept(counts):
    rest = (b"\0" * 1000 for _ in range(1000))
    blocks = (block for many in ((MEMBER,), rest) for block in many)
    assert b"".join(large_streams.UNPACK["gzip"](blocks)) == b"a"
    assert sum(counts) < 10_000


@pytest.mark.parametrize(("name", "pack"), [("bz2", bz2.compress), ("xz", lzma.compress), ("lz4", lz4.frame.compress)])
@pytest.mark.parametrize("cut_at", [1 << 20, 1000, 7])
def test_many_streams_of_another_kind_are_looked_at_once(monkeypatch, name, pack, cut_at):
    counted: list[int] = []
    module, machine = {
        "bz2": (bz2, "BZ2Decompressor"),
        "xz": (lzma, "LZMADecompressor"),
        "lz4": (lz4.frame, "LZ4FrameDecompressor"),
    }[name]
    make = getattr(module, machine)
    monkeypatch.setattr(module, machine, lambda **given: Counted(make(**given), counted))
    body = pack(b"a") * 500
    blocks = (body[at : at + cut_at] for at in range(0, len(body), cut_at))
    assert b"".join(large_streams.UNPACK[name](blocks)) == b"a" * 500
    assert sum(counted) < 120 * len(body)
