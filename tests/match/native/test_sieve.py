"""Tests of sifting: of a large text, what is found without decoding it all is what is found with."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from appwitness.events import Access, Upload, Value, parse
from appwitness.match import decode
from appwitness.match.decode.walk import pieces
from appwitness.match.decode.walk.pieces import DecodeLimits, Room, UploadPiece
from appwitness.match.finding import ValueIndex
from appwitness.match.native import sieve
from tests.match.encoders import ENCODERS, dumps
from tests.match.test_finding import STRONG
from tests.recordings.written import RECORDINGS
from tests.strategies import examples

CASES = Path(__file__).parents[4] / "shared" / "cases" / "matching"
GUESSED = {one.name for one in decode.DECODERS if one.sieve == "guess"} | {"split"}


def seen(hits):
    """What is said of hits that are no guesses."""
    return {
        (hit.key, hit.leaf.path, hit.start, hit.end, hit.decoding, hit.variant.name, hit.found)
        for hit in hits
        if not GUESSED.intersection(hit.decoding) and hit.variant.name not in GUESSED
    }


def both(index, body, upload=None):
    """What is found with sifting and without, and whether anything was passed over."""
    index.narrow.least = 0
    if upload is None:
        sifted, full = decode.leaves_of(body, narrow=index.narrow), decode.leaves_of(body)
    else:
        sifted, full = decode.leaves(upload, body, narrow=index.narrow), decode.leaves(upload, body)
    return seen(index.find(sifted.leaves, sifted.passed_over)), seen(index.find(full.leaves)), sifted.passed_over


FILLING = [
    {"seq": n, "event": "open_list", "at": 1_700_000_000_000 + n * 37, "id": f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}"}
    for n in range(30)
]


def planted(text):
    rows = [*FILLING[:15], {"seq": 15, "extra": {"v": text}, "list": [1, "x", text]}, *FILLING[15:]]
    return dumps({"app": "x", "rows": rows})


def _index(*values):
    index = ValueIndex()
    for value in values:
        index.add(value.text, value)
    return index


ALL = _index(*STRONG)


@pytest.mark.slow
@given(st.sampled_from(STRONG), st.lists(st.sampled_from(sorted(ENCODERS)), max_size=4))
@example(STRONG[0], ["entities", "json"])  # not the entities of the string before the string itself
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_whatever_is_planted_in_a_document_is_found_as_without_sifting(value, chain):
    data = value.text.encode()
    for name in chain:
        encoder = ENCODERS[name]
        assume(not encoder.text_only or pieces.as_text(data) is not None)
        assume(len(data) < 20_000)
        data = encoder.encode(data)
    if pieces.as_text(data) is None:
        data = ENCODERS["base64"].encode(data)
    sifted, full, _ = both(ALL, planted(data.decode()))
    if {"quoted-printable", "quopri"}.intersection(chain):  # which may be undone before or after what is around it
        sifted, full = ({(key, variant, found) for key, *_, variant, found in hits} for hits in (sifted, full))
    assert sifted == full


def _values(events):
    for event in events:
        if isinstance(event, Access):
            yield from event.values


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(CASES, id="cases", marks=pytest.mark.slow),
        *(pytest.param(path.parent, id=path.parent.name) for path in sorted(RECORDINGS.glob("*/uploads.jsonl"))),
    ],
)
def test_recordings_say_the_same(recording):
    if not all((recording / name).exists() for name in ("run.json", "uploads.jsonl")):
        pytest.skip(f"no recording at {recording}")
    run = json.loads((recording / "run.json").read_bytes())
    lines = (recording / "accesses.jsonl").read_bytes().splitlines() if (recording / "accesses.jsonl").exists() else []
    index = ValueIndex()
    for value in [*(Value(**one) for one in run.get("persona", ())), *_values(parse(line) for line in lines)]:
        if value.text.strip():
            index.add((value.type, value.text), value)
    passed = 0
    for line in (recording / "uploads.jsonl").read_bytes().splitlines():
        upload = parse(line)
        assert isinstance(upload, Upload)
        body = (recording / "bodies" / upload.body).read_bytes() if upload.body else None
        sifted, full, over = both(index, body, upload)
        assert sifted == full, upload.body
        passed += over
    assert passed or recording != CASES


BARE = _index(
    Value(type="phone_number", text="+8613800138000"),
    Value(type="imei", text="353209110123454"),
    Value(type="location", text="31.171038,121.802325"),
)


@pytest.mark.parametrize(
    "row",
    [
        '{"n":13800138000}',
        '{"n":8613800138000 ,"m":true}',
        '{"n":1.3800138E10}',
        '{"n":353209110123454}',
        '{"lat":31.171038,"lon":121.802325}',
        '{"lat":31.17104,"on":false,"lon":121.80233}',
        '{"a":311710380,"b":1218023250}',
        '{"a":31171038,"none":null,"b":121802325}',
        "[31.171038,121.802325]",
    ],
)
def test_words_without_quotes_are_found_as_without_sifting(row):
    body = planted("x").decode().replace('"x"', row).encode()
    sifted, full, passed = both(BARE, body)
    assert sifted == full
    assert passed
    assert sifted


MAIL, NAME, LAST = "zhao.liu@example.org", "司徒庆梓", "José Ibáñez"
WRITTEN_INDEX = _index(
    Value(type="email", text=MAIL),
    Value(type="name", text=NAME),
    Value(type="name", text=LAST),
    Value(type="device_id_iccid", text="89860166755228864263"),
)
MD5, SHA256 = hashlib.md5(MAIL.encode()).digest(), hashlib.sha256(MAIL.encode()).digest()
IN_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
FULL = json.dumps({"n": NAME, "m": MAIL, "x": "aaa>>>???"}, ensure_ascii=False).encode()


def _longs(order):
    digests = [hashlib.md5(text.encode()).digest() for text in ("p", MAIL, "q")]
    return [struct.unpack(order, digest[:8])[0] for digest in digests]


def _firsts():
    digests = [hashlib.new(name, MAIL.encode()).digest()[:8] for name in ("md5", "sha1", "sha256", "sha512")]
    return [struct.unpack(order, one)[0] for one in digests for order in (">q", "<q")]


def _stars(data):
    return base64.b64encode(data).decode().translate(str.maketrans("+/=", "*-_"))


WRITTEN = {
    "long": _longs(">q")[1],
    "long, the other way round": _longs("<q")[1],
    "long without a sign": str(_longs(">Q")[1]),
    "long, its sign taken off": str(-next(n for n in _firsts() if n < 0)),
    "groups of eight": "-".join(MD5.hex()[at : at + 8] for at in range(0, 32, 8)),
    "groups of sixteen": " ".join(SHA256.hex()[at : at + 16] for at in range(0, 64, 16)),
    "a cut digest beside a mark": f"dev_{MD5.hex()[:16]}-1",
    "code points": " ".join(f"U+{ord(letter):04X}" for letter in NAME),
    "utf-8 as cp1252": LAST.encode().decode("cp1252"),
    "pairs turned round": "98681066572582682436",
    "letters of tencent": _stars(FULL),
    "letters of tencent, packed": _stars(zlib.compress(FULL)),
    "gzip behind a letter": "a" + base64.b64encode(gzip.compress(FULL)).decode(),
    "bytes": ",".join(str(byte - 256 if byte > 127 else byte) for byte in NAME.encode()),
    "bytes of a digest": "|".join(map(str, SHA256)),
}


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_rarer_ways_to_write_are_found_as_without_sifting(name):
    body = json.dumps({"rows": [*FILLING, {"extra": {"v": WRITTEN[name]}}, *FILLING]}, ensure_ascii=False).encode()
    WRITTEN_INDEX.narrow.least = 0
    sifted = decode.leaves_of(body, narrow=WRITTEN_INDEX.narrow)
    found = {(hit.key, hit.variant.name, hit.decoding) for hit in WRITTEN_INDEX.find(sifted.leaves)}
    full = {(hit.key, hit.variant.name, hit.decoding) for hit in WRITTEN_INDEX.find(decode.leaves_of(body).leaves)}
    assert sifted.passed_over
    assert found == full
    assert full


def test_what_looks_like_rarer_ways_is_passed_over():
    WRITTEN_INDEX.narrow.least = 0
    others = (7598709087161800262, "dev_697409a7b3cfd646", "1,2,3,4,5,6,7", "áž Ób", "x*y", "me@elsewhere.test")
    body = json.dumps({"rows": [*FILLING, *({"v": one} for one in others)]}, ensure_ascii=False).encode()
    kept = WRITTEN_INDEX.narrow(UploadPiece(body, "$", (), 0, len(body), True), Room(DecodeLimits()))
    assert [piece.data for piece in kept if piece.path.endswith(".v")] == []


def test_the_sieve_learns_how_formats_begin_from_their_decoders():
    heads = sieve.heads_to_see()
    assert {b"\x1f\x8b\x08", b"(\xb5/\xfd", b"PK\x03\x04", b"Obj\x01", b"\xff\xfe"} <= heads
    assert all(2 <= len(head) <= 4 for head in heads)
    index = _index(Value(type="email", text=MAIL))
    index.narrow.least = 0
    for head in sorted(heads):
        coded = base64.b64encode(head.ljust(4, b"\0") + hashlib.shake_256(head).digest(36)).decode()
        body = json.dumps({"rows": [*FILLING, {"v": coded}]}).encode()
        kept = index.narrow(UploadPiece(body, "$", (), 0, len(body), True), Room(DecodeLimits()))
        assert coded.encode() in [piece.data for piece in kept], head
