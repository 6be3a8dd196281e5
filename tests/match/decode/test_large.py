"""Tests of bodies that are read a stretch at a time: what is found is what is found in one block, in bounded memory."""

from __future__ import annotations

import base64
import gzip
import json
import mmap
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from appwitness.events import Upload, Value, made
from appwitness.match import decode
from appwitness.match.decode import large
from appwitness.match.finding import ValueIndex
from tests.strategies import examples

VALUES = (
    Value(type="phone_number", text="13800138000"),
    Value(type="email", text="zofia.kowalska@example.org"),
    Value(type="android_id", text="64f051c20ca1dc00"),
    Value(type="location", text="31.238361,121.435598"),
    Value(type="name", text="Anna-Maria Kowalska"),
)
INDEX = ValueIndex()
for one in VALUES:
    INDEX.add(one.text, one)
WRITTEN = {
    "plain": lambda text: text,
    "base64": lambda text: base64.b64encode(f"id={text}".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "json in a string": lambda text: json.dumps({"v": text}),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(json.dumps({"a": text}).encode())).decode(),
}
WORDS = "open close tap scroll home detail pay cart list view item load error retry cache screen banner".split()  # noqa: SIM905
BOUNDARY = "x0y1"


def _lines(chance, texts):
    lines = [" ".join(chance.choices(WORDS, k=chance.randrange(3, 14))) for _ in range(600)]
    for text in texts:
        lines[chance.randrange(len(lines))] += " " + text
    return "\n".join(lines).encode()


def _ndjson(chance, texts):
    rows = [{"event": chance.choice(WORDS), "n": n, "id": f"{chance.getrandbits(128):032x}"} for n in range(300)]
    for text in texts:
        chance.choice(rows)["extra"] = text
    return "\n".join(json.dumps(row) for row in rows).encode()


def _document(chance, texts):
    return json.dumps({"app": "x", "rows": [json.loads(line) for line in _ndjson(chance, texts).splitlines()]}).encode()


def _multipart(chance, texts):
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\n'.encode() + part + b"\r\n"
        for n, part in enumerate((_lines(chance, texts[:1]), _binary(chance, texts[1:2]), _document(chance, texts[2:])))
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _binary(chance, texts):
    data = b"\xff\x00\x01" + chance.randbytes(20_000)
    for text in texts:
        at = chance.randrange(len(data))
        data = data[:at] + b"\x00" + text.encode() + b"\x00" + data[at:]
    return data


KINDS = {"text": _lines, "ndjson": _ndjson, "json": _document, "multipart": _multipart, "binary": _binary}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstandard.ZstdCompressor().compress,
}


MAYBE = "quoted-printable"
"""A base64 text at the end of a line may look like it, if more of them are seen together."""


def _upload(headers=(), hint=""):
    return made(
        Upload,
        {"v": 1, "kind": "upload", "at": "2026-05-01T00:00:00Z", "via": "http", "headers": headers, "type": hint},
    )


def way_of(hit):
    return tuple(step for step in hit.decoding if step != MAYBE)


def _found(body, *, coding, kind, at_once):
    hint = f"multipart/form-data; boundary={BOUNDARY}" if kind == "multipart" else ""
    headers = [["content-encoding", coding]] if coding else []
    upload = _upload(headers, hint)
    decoded = decode.leaves(upload, body, decode.DecodeLimits(at_once=at_once), INDEX.narrow)
    hits = [hit for hit in INDEX.find(decoded.leaves, decoded.passed_over) if hit.strong]
    exact = {(hit.key, hit.leaf.path, way_of(hit), hit.found, hit.start, hit.end) for hit in hits if hit.leaf.exact}
    # In what was unpacked, of a value that is written in several ways only some may be told: it is there all the same.
    return exact | {(hit.key,) for hit in hits}, decoded


@pytest.mark.slow
@given(
    st.integers(0, 2**32),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(PACKED)),
    st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(sorted(WRITTEN))), min_size=3, max_size=6),
    st.sampled_from([(64, 16), (1000, 300), (5000, 999), (64 << 10, 8 << 10)]),
)
@settings(max_examples=examples(120), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_blocks_of_any_size_say_what_one_block_says(seed, kind, coding, planted, sizes):
    texts = [WRITTEN[way](value.text) for value, way in planted]
    body = PACKED[coding](KINDS[kind](random.Random(seed), texts))
    whole, _ = _found(body, coding=coding, kind=kind, at_once=1 << 30)
    before = large.STRETCH, large.PART, large.OVER, large.BLOCK
    large.STRETCH, large.PART = sizes
    large.OVER, large.BLOCK = 400, 1000
    try:
        parts, decoded = _found(body, coding=coding, kind=kind, at_once=100)
    finally:
        large.STRETCH, large.PART, large.OVER, large.BLOCK = before
    assert parts == whole
    assert not decoded.cut


def test_a_mapped_file_is_read_as_its_bytes_are(tmp_path):
    body = _document(random.Random(1), [value.text for value in VALUES])
    file = tmp_path / "body"
    file.write_bytes(body)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        parts, _ = _found(mapped, coding="", kind="json", at_once=1000)
    whole, _ = _found(body, coding="", kind="json", at_once=1 << 30)
    assert parts == whole
    assert len(whole) >= len(VALUES)


def test_what_may_matter_is_bounded():
    body = b"\n".join(f"call 1380013{n:04d} 13800138000".encode() for n in range(4000))
    upload = made(Upload, {"v": 1, "kind": "upload", "at": "2026-05-01T00:00:00Z", "via": "http", "headers": []})
    decoded = decode.leaves(upload, body, decode.DecodeLimits(at_once=1000, kept_bytes=50_000), INDEX.narrow)
    assert any("may matter" in cut for cut in decoded.cut)
    assert sum(len(leaf.data) for leaf in decoded.leaves if leaf.path == "$") <= 60_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_unpacked_only_so_far(coding):
    body = PACKED[coding](bytes(30 << 20))
    upload = _upload([["content-encoding", coding]])
    limits = decode.DecodeLimits(at_once=100, output_bytes=1 << 20, spooled_bytes=2 << 20)
    decoded = decode.leaves(upload, body + bytes(200), limits, INDEX.narrow)
    assert any("of unpacked data" in cut for cut in decoded.cut)


def test_the_work_for_one_upload_is_bounded():
    rows = [base64.b64encode(f"hello {n}".encode()).decode() for n in range(2000)]
    body = json.dumps(rows).encode()
    upload = made(Upload, {"v": 1, "kind": "upload", "at": "2026-05-01T00:00:00Z", "via": "http", "headers": []})
    assert not decode.leaves(upload, body).cut
    cut = decode.leaves(upload, body, decode.DecodeLimits(work=0)).cut
    assert [one for one in cut if "bytes to look at" in one]
