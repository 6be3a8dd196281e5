"""Tests of sifting: of a large text, what is found without decoding it all is what is found with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from monitor.events import Access, Upload, Value, parse
from monitor.judge import decode
from monitor.judge.search import Index, native, sieve
from tests.judge.encoders import ENCODERS, dumps
from tests.judge.test_search import STRONG

CASES = Path(__file__).parents[3] / "shared" / "cases" / "matching"
RECORDINGS = Path(__file__).parents[1] / "recordings"
GUESSED = sieve.GUESSES | {"split"}

pytestmark = pytest.mark.skipif(native.library is None, reason="the search has no compiled part here")


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


def test_every_decoder_is_thought_of():
    """A decoder that is not named here makes every large text slow: give it a test in `compiled/` and name it."""
    assert {one.name for one in decode.DECODERS} <= sieve.COVERED | sieve.NOT_FOR_LEAVES | sieve.GUESSES


FILLING = [
    {"seq": n, "event": "open_list", "at": 1_700_000_000_000 + n * 37, "id": f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}"}
    for n in range(30)
]


def planted(text):
    rows = [*FILLING[:15], {"seq": 15, "extra": {"v": text}, "list": [1, "x", text]}, *FILLING[15:]]
    return dumps({"app": "x", "rows": rows})


def _index(*values):
    index = Index()
    for value in values:
        index.add(value.text, value)
    return index


ALL = _index(*STRONG)


@given(st.sampled_from(STRONG), st.lists(st.sampled_from(sorted(ENCODERS)), max_size=4))
@example(STRONG[0], ["entities", "json"])  # not the entities of the string before the string itself
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_whatever_is_planted_in_a_document_is_found_as_without_sifting(value, chain):
    data = value.text.encode()
    for name in chain:
        encoder = ENCODERS[name]
        assume(not encoder.text_only or decode.pieces.as_text(data) is not None)
        assume(len(data) < 20_000)
        data = encoder.encode(data)
    if decode.pieces.as_text(data) is None:
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
        pytest.param(CASES, id="cases"),
        *(pytest.param(path.parent, id=path.parent.name) for path in sorted(RECORDINGS.glob("*/uploads.jsonl"))),
    ],
)
def test_recordings_say_the_same(recording):
    if not all((recording / name).exists() for name in ("run.json", "uploads.jsonl")):
        pytest.skip(f"no recording at {recording}")
    run = json.loads((recording / "run.json").read_bytes())
    lines = (recording / "accesses.jsonl").read_bytes().splitlines() if (recording / "accesses.jsonl").exists() else []
    index = Index()
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
