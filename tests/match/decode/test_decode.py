"""Tests of decoding: a table of encodings and the way back, places in the stored bytes, bounds, damage."""

from __future__ import annotations

import base64
import functools
import gzip
import itertools
import json
import random
import zlib
from datetime import UTC, datetime

import brotli
import cramjam
import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from appwitness.events import Upload
from appwitness.match import decode
from appwitness.match.decode.walk import pieces
from appwitness.match.hits import root_of
from tests import fuzz, unseen
from tests.match.encoders import ENCODERS, bson
from tests.strategies import examples

packed_at_no_time = functools.partial(gzip.compress, mtime=0)
"""The same at each call: two workers must come to the same cases."""

AT = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = "Ann-Marie 李华 +8613800138000 <a&b>"


def upload(url=None, headers=(), type_=None, size=0):
    return Upload(at=AT, via="http", url=url, headers=headers, type=type_, size=size)


def found(decoded, text):
    return [leaf for leaf in decoded.leaves if leaf.text is not None and text in leaf.text]


@pytest.mark.parametrize("name", ENCODERS)
def test_the_way_to_each_leaf_leads_from_what_is_stored_step_by_step(name):
    body = gzip.compress(ENCODERS[name].encode(TEXT.encode()))
    sent = upload("https://a.test/v1?q=Ann-Marie", (("Content-Encoding", "gzip"), ("Cookie", "id=0123456789")))
    for leaf in decode.leaves(sent, body).leaves:
        way = decode.way(sent, body, leaf)
        assert (way[-1].path, way[-1].data, way[-1].decoding) == (leaf.path, leaf.data, leaf.decoding)
        for before, after in itertools.pairwise(way):
            assert after.decoding[: len(before.decoding)] == before.decoding
            assert before.start <= after.start <= after.end <= before.end


def test_there_is_no_way_to_a_leaf_of_another_upload():
    leaf = decode.leaves(upload("https://a.test/v1?q=Ann-Marie"), None).leaves[-1]
    assert decode.way(upload("https://a.test/v1?q=Anne-Marie"), None, leaf) == ()


@pytest.mark.parametrize("name", ENCODERS)
def test_what_one_encoder_writes_is_read_back(name):
    encoder = ENCODERS[name]
    decoded = decode.leaves_of(encoder.encode(TEXT.encode()))
    leaves = [leaf for leaf in found(decoded, TEXT) if set(encoder.steps) <= set(leaf.decoding)]
    assert leaves, decoded
    assert decoded.cut == ()


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        ("gzip", packed_at_no_time(b'{"v":"abc"}')),
        ("x-gzip", packed_at_no_time(b'{"v":"abc"}')),
        ("deflate", zlib.compress(b'{"v":"abc"}')),
        ("deflate", zlib.compress(b'{"v":"abc"}', wbits=-15)),
        ("br", brotli.compress(b'{"v":"abc"}')),
        ("zstd", zstandard.compress(b'{"v":"abc"}')),
        ("lz4", lz4.frame.compress(b'{"v":"abc"}')),
        ("snappy", bytes(cramjam.snappy.compress(b'{"v":"abc"}'))),
        ("snappy", bytes(cramjam.snappy.compress_raw(b'{"v":"abc"}'))),
        ("snappy", bytes(cramjam.snappy.compress_raw(bson(b"abc")))),
        ("lz4, snappy", b'{"v":"abc"}'),
        ("gzip, br", brotli.compress(packed_at_no_time(b'{"v":"abc"}'))),
        ("identity", b'{"v":"abc"}'),
        ("gzip", b'{"v":"abc"}'),  # a lie
        ("br", packed_at_no_time(b'{"v":"abc"}')),  # another one
        ("", packed_at_no_time(b'{"v":"abc"}')),  # not said at all
        ("gzip", packed_at_no_time(b'{"v":') + packed_at_no_time(b'"abc"}')),
    ],
)
def test_content_encodings_are_undone_whatever_the_header_says(codings, body):
    decoded = decode.leaves(upload(headers=(("Content-Encoding", codings),), type_="application/json"), body)
    assert [leaf.text for leaf in decoded.leaves if leaf.path == "$.v"] == ["abc"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b'{"u":{"h":[1,2,"x","y"]},"first name":"z"}', {"$.u.h[2]": "x", "$.u.h[3]": "y", '$["first name"]': "z"}),
        (b'{"a":"x"}\n{"a":"y"}\n', {"$[0].a": "x", "$[1].a": "y"}),
        (b'{"a":"x"}{"a":"y"}', {"$[0].a": "x", "$[1].a": "y"}),
        (b')]}\'\n{"a":"x"}', {"$.a": "x"}),
        (b'{"a":"x","b":"cut of', {"$.a": "x", "$.b": "cut of"}),
        (b'{"batch":"[{\\"relative_url\\":\\"me?lat=1.5&q=z\\"}]"}', {"$.batch[0].relative_url.lat": "1.5"}),
        (b'{"13800138000":"Ann"}', {'$["13800138000"]': "13800138000"}),
        (b'callback({"a":"x"});', {"$.a": "x"}),
        (b"a=1&b=x%20y&c=%257Bz%257D", {"$.b": "x y", "$.c": "{z}"}),
        (b"data=a%3D1%26b%3Dx", {"$.data.b": "x"}),
        (b"{13800138000}", {"$": "{13800138000}"}),
        (b'{"a":"x"}=', {"$.a": "x"}),
        (b"<a><b c='x'>y</b></a>", {"$.a.b.c": "x", "$.a.b": "y"}),
        (b"\x08\x96\x01\x12\x07\x0a\x05hello", {"$.2.1": "hello"}),
        (b"\x82\xa1a\x01\xa1b\xa5hello", {"$.b": "hello"}),
        (b"\x00\x00\x00\x00\x09\x12\x07\x0a\x05hello", {"$.2.1": "hello"}),
    ],
)
def test_every_leaf_has_a_path(body, paths):
    decoded = decode.leaves_of(body)
    have = {(leaf.path, leaf.text) for leaf in decoded.leaves}
    assert set(paths.items()) <= have, have


def test_url_and_headers_are_leaves():
    decoded = decode.leaves(
        upload(
            url="https://anna:pw@x.test/users/13800138000?lat=31.2&q=a%2520b#/p?uid=77777",
            headers=(("Cookie", "a=1; uid=eyJhIjogIuadjiJ9"), ("X-Id", "abc"), ("Content-Length", "3")),
        ),
        None,
    )
    have = {(leaf.path, leaf.text) for leaf in decoded.leaves}
    assert {
        ("url.userinfo", "anna:pw"),
        ("url.path", "13800138000"),
        ("url.query.lat", "31.2"),
        ("url.query.q", "a b"),
        ("url.fragment.uid", "77777"),
        ("headers.cookie.a", "1"),
        ("headers.cookie.uid.a", "李"),
        ("headers.x-id", "abc"),
    } <= have
    assert not any(path.startswith("headers.content-length") for path, _ in have)


def test_a_jwt_is_taken_apart():
    parts = [
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"x"}', b'{"sub":"Ann"}', b"sig")
    ]
    decoded = decode.leaves(upload(headers=(("Authorization", "Bearer " + ".".join(parts)),)), None)
    assert [(leaf.path, leaf.text) for leaf in decoded.leaves if "jwt" in leaf.decoding and leaf.text == "Ann"] == [
        ("headers.authorization.claims.sub", "Ann")
    ]


@pytest.mark.parametrize(
    ("headers", "type_", "body"),
    [
        ((), "application/json; charset=gbk", '{"v":"李华霞说"}'.encode("gb18030")),
        ((), None, '{"v":"李华霞说你好"}'.encode("gb18030")),
        ((), "text/plain; charset=utf-8", '{"v":"李华霞说"}'.encode("utf-16")),
        ((), None, '{"v":"李华霞说"}'.encode("utf-16be")),
        ((), None, '{"v":"李华霞说"}'.encode("utf-32")),
        ((), "application/json; charset=shift_jis", '{"v":"李華説"}'.encode("shift_jis")),
        ((), None, b"\xef\xbb\xbf" + '{"v":"李华霞说"}'.encode()),
    ],
)
def test_charsets_are_declared_or_found(headers, type_, body):
    decoded = decode.leaves(upload(headers=headers, type_=type_), body)
    assert [leaf.text for leaf in decoded.leaves if leaf.path == "$.v" and (leaf.text or "").startswith("李")]


@pytest.mark.parametrize("transfer", ["quoted-printable", "base64", "8bit"])
def test_multipart_parts_and_file_names(transfer):
    value = {"quoted-printable": b"=E6=9D=8E", "base64": base64.b64encode("李".encode()), "8bit": "李".encode()}[
        transfer
    ]
    body = (
        b'--x\r\nContent-Disposition: form-data; name="who"; filename="Ann Lee.txt"\r\n'
        b"Content-Transfer-Encoding: " + transfer.encode() + b"\r\n\r\n" + value + b"\r\n--x--"
    )
    have = {
        (leaf.path, leaf.text) for leaf in decode.leaves(upload(type_="multipart/form-data; boundary=x"), body).leaves
    }
    assert {("$.who", "李"), ("$.who.filename", "Ann Lee.txt")} <= have


@given(
    st.recursive(
        st.text(max_size=12) | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, list | dict)),
    st.booleans(),
)
@settings(max_examples=examples(150), deadline=None)
def test_exact_leaves_are_really_there(value, ascii_only):
    """Whatever the document: the range of an exact leaf holds its bytes, that of any other lies within the body."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    for leaf in decode.leaves_of(body).leaves:
        assert 0 <= leaf.start <= leaf.end <= len(body)
        if leaf.exact:
            assert body[leaf.start : leaf.end] == leaf.data


def test_ranges_of_encoded_leaves_enclose_the_run():
    body = b'{"a":"x","d":"' + base64.b64encode(b"hello there") + b'"}'
    leaf = found(decode.leaves_of(body), "hello there")[0]
    assert body[leaf.start : leaf.end] == base64.b64encode(b"hello there")
    packed = gzip.compress(body)
    leaf = found(decode.leaves_of(packed), "hello there")[0]
    assert (leaf.start, leaf.end, leaf.decoding) == (0, len(packed), ("gzip", "json", "base64"))


# --- bounds ---


SMALL = decode.DecodeLimits(depth=8, output_bytes=1 << 16, leaves=500)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(bytes(1 << 24)),
        zlib.compress(bytes(1 << 24)),
        zstandard.compress(bytes(1 << 24)),
        gzip.compress(gzip.compress(bytes(1 << 24))),
        b'"' * 3 + b"[" * 100_000,
        b"[" + b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" + b'"abcdefghij",' * 5000 + b"1]",
        base64.b64encode(bytes(100_000)),
    ],
    ids=["gzip", "zlib", "zstd", "twice", "quotes", "lists", "objects", "many", "base64"],
)
def test_what_is_too_much_is_cut_and_named(body):
    decoded = decode.leaves_of(body, limits=SMALL)
    assert decoded.cut or body.startswith(b'"""')
    assert sum(len(leaf.data) for leaf in decoded.leaves) <= 4 * (SMALL.output_bytes + len(body))
    assert len(decoded.leaves) <= SMALL.leaves


def failed(decoded):
    return [cut for cut in decoded.cut if "failed with" in cut]


K = 1 << 17


@pytest.mark.parametrize(
    "body",
    [
        pattern * (K // len(pattern))
        for pattern in (
            *(b"{", b"[", b'{"a":', b'"', b"%41", b"%25", b"&", b"=", b"a=b&", b"&#65;", b"<", b"<a>", b">", b" b='c'"),
            *(
                b"\r\n",
                b"a ",
                b"1",
                b"1 ",
                b"12-",
                b"\\u0041",
                b"\\",
                b"hello ",
                b"aBcDeFgHi/",
                b"a=b; ",
                b"--x\r\n",
                b"=41=\r\n",
            ),
            *(b"\x1f\x8b\x08", b"a\x78\x9c", b"\x0a\x02\x0a\x00", b"\x0a\x7f", b"\x91", b"\x81", b"\x9f"),
            *(
                b"PK\x03\x04",
                b"eyJhbGci.",
                b"eyJ",
                b'["\\"a',
                b"<![CDATA[",
                b"A",
                b"\0",
                b"\xff\xfe",
                b"\xef\xbb\xbf",
                b"\xc0\xee",
                b"1.5,2.5 ",
                b"BZh91AY&SY",
            ),
        )
    ],
    ids=lambda body: repr(body[:8]),
)
def test_hostile_repetition_is_read_in_one_go(body):
    """Each of these took time that grows with the square of the body in some decoder; pytest's timeout is the judge."""
    assert not failed(decode.leaves_of(body))
    assert not failed(decode.leaves_of(b"<a " + body))
    text = body[: K // 8].decode("latin-1")
    assert not failed(decode.leaves(upload(f"https://x.test/{text}", (("Cookie", text), ("X-A", text))), None))


THRIFT_LIST = b"\x0f\0\0\0\x01"
THRIFT_TEXT = b"\0\0\0\x0b13800138000"


@pytest.mark.parametrize(
    ("head", "opening", "middle", "closing"),
    [
        (b"", b"\x91", b"\xab13800138000", b""),
        (b"", b"\x81", b"\x6b13800138000", b""),
        (b"", b"[", b'"13800138000"', b"]"),
        (b"", b"\x15\x02\x1c", b"\x18\x0b13800138000", b"\0"),
        (b"", b"\x0c\0\x01", b"\x0b\0\x01" + THRIFT_TEXT, b"\0"),
        (b"\x08\0\x01\0\0\0\x07\x0f\0\x02", THRIFT_LIST, b"\x0b\0\0\0\x01" + THRIFT_TEXT + b"\0", b""),
    ],
    ids=["messagepack", "cbor", "json", "thrift", "thrift of fixed sizes", "its lists"],
)
def test_sixty_levels_are_read_and_four_hundred_are_a_gap(head, opening, middle, closing):
    deep = decode.leaves_of(head + opening * 60 + middle + closing * 61)
    assert any(leaf.data == b"13800138000" for leaf in deep.leaves)
    assert any("nested deeper" in cut for cut in decode.leaves_of(head + opening * 400 + middle + closing * 401).cut)


def test_forty_steps_are_a_gap():
    body = b'{"v":"13800138000"}'
    for _ in range(40):
        body = gzip.compress(body)
    assert any("steps of decoding" in cut for cut in decode.leaves_of(body).cut)


def test_of_many_gaps_twenty_are_named_and_the_rest_is_not_passed_over_in_silence():
    value = b"13800138000"
    for _ in range(40):
        value = gzip.compress(value)
    fields = {f"field{number}": base64.b64encode(value).decode() for number in range(25)}
    cut = decode.leaves_of(json.dumps(fields).encode()).cut
    assert len({note for note in cut if "steps of decoding" in note}) == pieces.MOST_NAMED
    assert cut[pieces.MOST_NAMED :] == (pieces.FURTHER,)
    few = {name: fields[name] for name in list(fields)[: pieces.MOST_NAMED]}
    assert pieces.FURTHER not in decode.leaves_of(json.dumps(few).encode()).cut


def stored(leaf, sent):
    """The bytes that a leaf's place is in."""
    root = root_of(leaf.path)
    if root == "$":
        return (sent.body,)
    if root == "url":
        return (sent.url.encode("utf-8", "replace"),)
    return tuple(value.encode("utf-8", "surrogateescape") for _, value in sent.headers)


def misplaced(sent):
    """Leaves without a path, or with a place that is not in what is stored, or that is not theirs."""
    decoded = decode.leaves(unseen.upload_of(sent), sent.body or None)
    return [
        leaf
        for leaf in decoded.leaves
        if not leaf.path
        or not any(
            0 <= leaf.start <= leaf.end <= len(whole) and (not leaf.exact or whole[leaf.start : leaf.end] == leaf.data)
            for whole in stored(leaf, sent)
        )
    ]


def test_every_leaf_has_a_path_and_a_place_in_what_is_stored():
    cases = [case.sent for case in unseen.cases(seed=8, each=1)]
    assert [(sent, wrong) for sent in cases if (wrong := misplaced(sent))] == []
    samples = fuzz.corpus()
    damaged = (fuzz.mutated(samples, 8, number) for number in range(600))
    sent = [unseen.Sent(one.body, one.type, one.url, one.headers, one.via) for one in damaged]
    assert [(one, wrong) for one in sent if (wrong := misplaced(one))] == []


@given(st.binary(max_size=300))
@settings(max_examples=examples(300), deadline=None)
def test_no_bytes_make_it_fail(data):
    assert not failed(decode.leaves_of(data, limits=SMALL))


@given(st.sampled_from(sorted(ENCODERS)), st.sampled_from(sorted(ENCODERS)), st.integers(0, 2**32))
@settings(max_examples=examples(200), deadline=None)
def test_no_damage_makes_it_fail(first, second, seed):
    chance = random.Random(seed)
    data = b"Ann +8613800138000"
    for name in (first, second):
        encoder = ENCODERS[name]
        if not encoder.text_only or pieces.as_text(data) is not None:
            data = encoder.encode(data)
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    assert not failed(decode.leaves_of(bytes(damaged[: chance.randint(1, len(damaged))]), limits=SMALL))


@given(st.text(max_size=80), st.lists(st.tuples(st.text(max_size=10), st.text(max_size=30)), max_size=4))
@settings(max_examples=examples(100), deadline=None)
def test_no_url_or_header_makes_it_fail(url, headers):
    decode.leaves(upload(url=url, headers=tuple(headers)), b"")


@pytest.mark.slow
@pytest.mark.parametrize("chain", [("quopri", "plist xml", "html"), ("quopri", "html", "html", "html", "json escapes")])
def test_escapes_that_can_be_undone_in_any_order_are_not_undone_in_every_order(chain):
    """774 bytes of this came out as 28,000 leaves."""
    body = TEXT.encode() * 20
    for name in chain:
        body = ENCODERS[name].encode(body)
    for cut in range(0, len(body), 31):
        assert len(decode.leaves_of(body[:cut] + b"=41=\r\n&#65;\\u0041" + body[cut:]).leaves) < 2 * len(body)
