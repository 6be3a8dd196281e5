"""Tests of what is packed: formats that are read, and those that are seen and not read, of which a gap says so."""

from __future__ import annotations

import base64
import gzip
import io
import json
import lzma
import random
import zipfile
from datetime import UTC, datetime

import pytest
import zstandard

from appwitness.events import Upload
from appwitness.match import decode
from appwitness.match.decode.packed import compressed
from appwitness.match.decode.walk.pieces import DecodeLimits, Room, UploadPiece

TEXT = "Ann-Marie +8613800138000"
NOISE = bytes(range(128, 256)) * 2


class Pipe(io.RawIOBase):
    """What cannot be wound back, so that lengths are written behind what they are of."""

    def __init__(self):
        self.written = b""

    def writable(self):
        return True

    def write(self, data):
        self.written += bytes(data)
        return len(data)


def streamed(method):
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", method) as opened:
        for name in ("a.txt", "b.txt"):
            with opened.open(name, "w") as member:
                member.write(f"{name}: {TEXT}".encode())
    return pipe.written


def large():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened, opened.open("a.txt", "w", force_zip64=True) as member:
        member.write(f"a.txt: {TEXT}".encode())
    return file.getvalue()


READ = {
    "lzma alone": (lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE), ("xz",)),
    "zip, streamed": (streamed(zipfile.ZIP_DEFLATED), ("zip",)),
    "zip, streamed and stored": (streamed(zipfile.ZIP_STORED), ("zip",)),
    "zip, lengths of 64 bits": (large(), ("zip",)),
}


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read_without_a_gap(name):
    body, steps = READ[name]
    decoded = decode.leaves_of(body)
    held = [leaf for leaf in decoded.leaves if TEXT in (leaf.text or "") and leaf.decoding[-1:] == steps]
    assert len(held) == (2 if "streamed" in name else 1)
    assert decoded.cut == ()


def test_an_encrypted_member_is_named():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("a.txt", NOISE)
    body = bytearray(file.getvalue())
    body[6] |= 1  # the flag of the member
    decoded = decode.leaves_of(bytes(body))
    assert decoded.cut == ('zip at $["a.txt"]: the member is encrypted; not read',)
    assert "a.txt" in [leaf.text for leaf in decoded.leaves]


def test_a_method_that_is_not_known_is_named():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.txt", TEXT)
    body = file.getvalue().replace(b"\x08\x00", b"\x62\x00")  # PPMd
    (cut,) = decode.leaves_of(body).cut
    assert "method 98, which is not read" in cut


dictionary = zstandard.ZstdCompressionDict(b"phone mail name " * 40)
UNREAD = {
    "7z": b"7z\xbc\xaf\x27\x1c\0\4" + NOISE,
    "RAR": b"Rar!\x1a\x07\x01\0" + NOISE,
    "compress": b"\x1f\x9d\x90" + NOISE,
    "lzip": b"LZIP\x01\x10" + NOISE,
    "lzop": b"\x89LZO\0\r\n\x1a\n" + NOISE,
    "cabinet": b"MSCF\0\0\0\0" + NOISE,
    "LZFSE": b"bvx2\x10\x01\0\0" + NOISE,
    "OpenSSL": b"Salted__" + NOISE,
    "age": b"age-encryption.org/v1\n-> X25519\n" + NOISE,
    "zstd": zstandard.ZstdCompressor(dict_data=dictionary).compress(b"phone mail name " * 9 + TEXT.encode()),
    "gzip": b"\x1f\x8b\x08\x00" + NOISE,
    "xz": b"\xfd7zXZ\0" + NOISE,
}


@pytest.mark.parametrize("name", UNREAD)
@pytest.mark.parametrize("as_field", [False, True])
def test_what_is_seen_and_cannot_be_read_is_named(name, as_field):
    body = json.dumps({"d": base64.b64encode(UNREAD[name]).decode()}).encode() if as_field else UNREAD[name]
    (cut,) = decode.leaves_of(body).cut
    assert name in cut
    assert ("$.d" if as_field else "$") in cut
    assert "read" in cut


@pytest.mark.parametrize(
    "body",
    [
        b'{"note":"7z Rar! MSCF Salted__ LZIP bvx2 age-encryption.org/v1"}',
        b"Salted__ peanuts are on the shopping list today, and more",
        b"7z\xbc\xaf\x27\x1c",
        NOISE,
        b"\x5d\x00\x00" + NOISE,
        gzip.compress(TEXT.encode(), mtime=0),  # the same at each call, for it is in the name of the case
    ],
)
def test_what_is_none_of_these_has_no_gap(body):
    assert decode.leaves_of(body).cut == ()


def told(coding, body):
    headers = (("Content-Encoding", coding),)
    upload = Upload(at=datetime(2026, 1, 1, tzinfo=UTC), via="http", headers=headers, size=len(body))
    return decode.leaves(upload, body).cut


def test_a_content_encoding_that_is_not_read_is_named_unless_the_body_is_text_all_the_same():
    for coding in ("compress", "dcb", "aes128gcm", "br, x-own"):
        (cut,) = told(coding, NOISE)
        assert repr(coding.rpartition(" ")[2]) in cut
    for coding in ("identity", "utf-8", "gzip"):
        assert told(coding, NOISE) == ()
    assert told("x-own", TEXT.encode()) == ()


@pytest.mark.parametrize("mark", [b"\x89LZO\0", b"7z\xbc\xaf", b"Rar!\x1a", b"MSCF", b"\x1f\x9d\x00", b"bvx-", b"age-"])
def test_half_a_mark_is_no_format(mark):
    assert decode.leaves_of(mark + NOISE).cut == ()


def packed_with_pluses(number):
    """base64 of something packed, with a plus in it."""
    for seed in range(number, number + 500):
        document = json.dumps({"n": random.Random(seed).getrandbits(90), "to": TEXT})
        coded = base64.b64encode(gzip.compress(document.encode(), mtime=0)).decode()
        if "+" in coded[24:] and not coded.endswith("="):
            return coded
    raise AssertionError


INTACT = (
    # what stands after the last plus is UTF-7 of letters by chance
    "H4sIAA3WCWsC/6tWykstUbJSMklX0lEqTi1UsjIyNNNRys1PSc0BCgf76rpbWho6ASXLUouAAkZ6hgZ6FkBuallqHkhjUGppXubhxfkKyfm5Cn6Z"
    "Bak5+WX5CnmpKakF+Uq1AComHqVfAAAA",
    *(packed_with_pluses(1000 * number) for number in range(8)),
)


@pytest.mark.parametrize("number", range(len(INTACT)))
def test_base64_with_pluses_is_read(number):
    coded = INTACT[number]
    for body in (coded, json.dumps({"d": coded}), f"d={coded} end", f"v=1&d={coded}"):
        decoded = decode.leaves_of(body.encode())
        assert decoded.cut == ()
        assert [leaf for leaf in decoded.leaves if "gzip" in leaf.decoding]


def test_a_stream_out_of_a_guess_is_no_gap_and_one_that_was_whole_in_another_reading_neither():
    broken = gzip.compress(TEXT.encode(), mtime=0)[:-12]
    piece = UploadPiece(broken, "$", ("base64",), 0, len(broken), False)
    for steps, wanted in ((("base64",), 1), (("xor",), 0)):
        room = Room(DecodeLimits())
        assert compressed.gzip(piece._replace(decoding=steps), room)
        assert len(room.named()) == wanted
    room = Room(DecodeLimits())
    compressed.gzip(piece, room)
    compressed.gzip(piece._replace(data=gzip.compress(TEXT.encode()), path="$.other"), room)
    assert len(room.named()) == 1
    compressed.gzip(piece._replace(data=gzip.compress(TEXT.encode())), room)
    assert room.named() == ()
