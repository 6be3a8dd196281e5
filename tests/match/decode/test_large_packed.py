"""Tests of packed bodies that are too large to be held: what is read of them, and what a gap says."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
import zlib
from datetime import UTC, datetime

import cramjam
import lz4.frame
import pytest
import zstandard

from appwitness.events import Upload, Value
from appwitness.match import decode
from appwitness.match.decode.packed import large_streams
from appwitness.match.finding import ValueIndex

PHONE = "+8613800138000"
CHANCE = random.Random("large")
ROWS = [{"id": CHANCE.getrandbits(64), "n": "x" * CHANCE.randrange(9)} for _ in range(3000)]
DOCUMENT = json.dumps([*ROWS, {"phone": PHONE}]).encode()
AT_ONCE = 10_000
INDEX = ValueIndex()
INDEX.add(PHONE, Value(type="phone_number", text=PHONE))


def read(body, coding="", **limits):
    headers = (("Content-Encoding", coding),) if coding else ()
    upload = Upload(at=datetime(2026, 1, 1, tzinfo=UTC), via="http", headers=headers, size=len(body))
    return decode.leaves(upload, body, decode.DecodeLimits(at_once=AT_ONCE, **limits), INDEX.narrow)


def holding(decoded):
    return [leaf for leaf in decoded.leaves if leaf.text == PHONE]


def archive(method, *, streamed=False, encrypted=False, names=("a.json", "b.json")):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name in names:
            with opened.open(name, "w", force_zip64=streamed) as member:
                member.write(DOCUMENT)
    made = bytearray(file.getvalue())
    made[6] |= encrypted
    return bytes(made)


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("times", [1, 2])
def test_a_stream_is_known_by_its_beginning_and_read_a_block_at_a_time(name, times, monkeypatch):
    monkeypatch.setattr(large_streams, "BLOCK", 1000)
    body = PACKED[name](DOCUMENT)
    if times == 2:
        body = PACKED[name](body)
    decoded = read(body)
    assert [leaf.decoding for leaf in holding(decoded)] == [(*(name,) * times, "json")]
    assert decoded.cut == ()


def test_several_streams_behind_each_other_are_all_read():
    for pack in (gzip.compress, bz2.compress, lzma.compress, lz4.frame.compress):
        half = len(DOCUMENT) // 2
        assert holding(read(pack(DOCUMENT[:half]) + pack(DOCUMENT[half:])))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("streamed", [False, True])
def test_the_members_of_an_archive_are_read(method, streamed):
    decoded = read(archive(method, streamed=streamed))
    assert decoded.cut == ()
    assert [leaf.path for leaf in holding(decoded)] == ['$["a.json"][3000].phone', '$["b.json"][3000].phone']
    assert {"a.json", "b.json"} <= {leaf.text for leaf in decoded.leaves}


def test_small_members_of_a_large_archive_are_read_too():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("noise.bin", CHANCE.randbytes(2 * AT_ONCE))
        opened.writestr("contact.gz", gzip.compress(f"phone={PHONE}".encode()))
        opened.writestr("empty", b"")
    (leaf,) = holding(read(file.getvalue()))
    assert leaf.path.startswith('$["contact.gz"]')
    assert leaf.decoding[:2] == ("zip", "gzip")


def test_members_that_cannot_be_read_are_named():
    (cut,) = read(archive(zipfile.ZIP_DEFLATED, encrypted=True, names=("a.json",))).cut
    assert "encrypted" in cut
    (cut,) = read(archive(zipfile.ZIP_BZIP2, names=("a.json",))).cut
    assert "method 12" in cut


UNREAD = {
    "7z": (b"7z\xbc\xaf\x27\x1c", ""),
    "Snappy": (bytes(cramjam.snappy.compress(b"x"))[:10], ""),
    "lzip": (b"LZIP\x01", ""),
    "'x-own'": (b"\x01\x02", "x-own"),
    "xz": (b"\xfd7zXZ\0", ""),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_named(name):
    mark, coding = UNREAD[name]
    (cut,) = read(mark + bytes(range(128, 256)) * 200, coding).cut
    assert name in cut
    assert "read" in cut


def test_a_text_is_never_a_stream():
    body = b"words, one after another, and more of them\n" * 400
    for begins in (b"BZh ", b"x^", b"LZIP", b"7z"):
        assert read(begins + body).cut == ()
        assert read(begins + body, "x-own").cut == ()


@pytest.mark.parametrize("name", ["deflate", "bz2", "xz", "lz4", "zip"])
def test_a_bomb_is_unpacked_only_so_far(name):
    plain = bytes(30 << 20)
    if name == "zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("a", plain)
        body = file.getvalue()
    else:
        body = PACKED[name](plain)
    decoded = read(body + bytes(2 * AT_ONCE), output_bytes=1 << 20, spooled_bytes=2 << 20)
    assert any("of unpacked data" in cut for cut in decoded.cut)
