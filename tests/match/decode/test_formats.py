"""Tests of single formats: paths and places in them, what must not be taken for one, bounds, damage."""

from __future__ import annotations

import io
import json
import plistlib
import random
import sqlite3
import struct
import tarfile
import tracemalloc
import zlib
from datetime import UTC, datetime

import cramjam
import lz4.block
import lz4.frame
import pytest

from appwitness.events import Upload
from appwitness.match import decode
from appwitness.match.decode.messages import sqlite_files, wire_frames
from tests.match.encoders import ENCODERS, bson, thrift_structure, varint, xor

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = [(f"Ann {i}", f"+86138001{i:05}", b"\xff" + bytes(range(i % 200)), 31.5 + i, 9_000_000 + i) for i in range(300)]


def texts(decoded):
    return {(leaf.path, leaf.text) for leaf in decoded.leaves}


def database_of(*statements, rows=(), insert="", page_size=512, charset="UTF-8"):
    opened = sqlite3.connect(":memory:")
    opened.execute(f"pragma page_size={page_size}")
    opened.execute(f"pragma encoding='{charset}'")
    for statement in statements:
        opened.execute(statement)
    if insert:
        opened.executemany(insert, rows)
    opened.commit()
    return opened.serialize()


PEOPLE = """create table people ("full name" TEXT, phone VARCHAR(20, 3) default (1 + 2), photo BLOB, lat REAL,
 id INTEGER PRIMARY KEY, CONSTRAINT one UNIQUE (phone))"""


@pytest.mark.parametrize(
    ("page_size", "charset"), [(512, "UTF-8"), (4096, "UTF-16le"), (65536, "UTF-16be"), (65536, "UTF-8")]
)
def test_every_row_of_a_database_is_read(page_size, charset):
    body = database_of(
        PEOPLE,
        "create index by_name on people ('full name')",
        rows=ROWS,
        insert="insert into people values (?, ?, ?, ?, ?)",
        page_size=page_size,
        charset=charset,
    )
    decoded = decode.leaves_of(body)
    have = texts(decoded)
    for index, (name, phone, _, lat, number) in enumerate(ROWS):
        path = f"$.people[{index}]"
        assert {(f'{path}["full name"]', name), (f"{path}.phone", phone), (f"{path}.id", str(number))} <= have
        assert (f"{path}.lat", f"{lat:.15g}") in have or len(f"{lat:.15g}") <= 4
    assert decoded.cut == ()
    if charset == "UTF-8":
        for leaf in decoded.leaves:
            if leaf.exact:
                assert body[leaf.start : leaf.end] == leaf.data


def test_records_longer_than_a_page_and_tables_without_row_numbers():
    long = "x" * 5000 + " +8613800138000"
    body = database_of(
        "create table notes (k text primary key, v text) without rowid",
        "create table texts (v text)",
        f"insert into texts values ('{long}')",
        "insert into notes values ('Ann', '+8613800138001')",
        f"insert into notes values ('Bob', '{long}')",
    )
    decoded = decode.leaves_of(body)
    assert {
        ("$.texts[0].v", long),
        ("$.notes[0][1]", "+8613800138001"),
        ("$.notes[1][1]", long),
    } <= texts(decoded)
    assert decoded.cut == ()


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("CREATE TABLE t (a, b TEXT)", ["a", "b"]),
        ('CREATE TABLE t ("a b" INT, [c d], `e`, PRIMARY KEY (e))', ["a b", "c d", "e"]),
        ("CREATE TABLE t (_id INTEGER PRIMARY KEY AUTOINCREMENT, x DECIMAL(3, 4))", ["*_id", "x"]),
        ("CREATE TABLE t", []),
        ("", []),
    ],
)
def test_names_of_columns(sql, names):
    assert sqlite_files.columns(sql) == names


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_database_gives_what_is_left_and_says_so(seed):
    chance = random.Random(seed)
    body = bytearray(database_of(PEOPLE, rows=ROWS, insert="insert into people values (?, ?, ?, ?, ?)", page_size=512))
    for _ in range(20):
        body[chance.randrange(100, len(body))] = chance.randrange(256)
    del body[chance.randrange(len(body) // 2, len(body)) :]
    decoded = decode.leaves_of(bytes(body))
    assert not [cut for cut in decoded.cut if "failed with" in cut]
    assert any("sqlite" in cut for cut in decoded.cut) or not any("sqlite" in leaf.decoding for leaf in decoded.leaves)


def test_a_database_whose_records_lie_over_each_other_is_not_read_for_ever():
    """Hundreds of thousands of cells that all point at one record of a megabyte."""
    body = bytearray(
        database_of(
            "create table t (v)", rows=[("x" * 500,)] * 5000, insert="insert into t values (?)", page_size=65536
        )
    )
    for page in range(65536, len(body), 65536):
        if body[page] == 0x0D:
            cells = (65536 - 8) // 2 - 300
            body[page + 3 : page + 5] = struct.pack(">H", cells)
            first = body[page + 8 : page + 10]
            body[page + 8 : page + 8 + 2 * cells] = first * cells
    decoded = decode.leaves_of(bytes(body))
    assert sum(len(leaf.data) for leaf in decoded.leaves) <= 4 * len(body)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_of_a_tar_file(form):
    file = io.BytesIO()
    name = "d/" * 50 + "very long name of Ann.txt"
    with tarfile.open(fileobj=file, mode="w", format=form) as opened:
        for member_name, content in (("a.json", b'{"v":"+8613800138000"}'), (name, b"hello there")):
            member = tarfile.TarInfo(member_name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    body = file.getvalue()
    decoded = decode.leaves_of(body)
    assert ('$["a.json"].v', "+8613800138000") in texts(decoded)
    assert any(leaf.text and "very long name of Ann.txt" in leaf.text for leaf in decoded.leaves)
    leaf = next(leaf for leaf in decoded.leaves if leaf.text == "hello there")
    assert body[leaf.start : leaf.end] == b"hello there"


LIST = {
    "name": "李华",
    "people": [{"phone": "+8613800138000", "id": 13800138000}, {"lat": 31.230416}],
    "raw": b"\x00\x01Ann",
    "13800138001": True,
    "when": datetime(2026, 1, 1),
}


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_property_lists(form):
    body = plistlib.dumps(LIST, fmt=form)
    decoded = decode.leaves_of(body)
    assert {
        ("$.name", "李华"),
        ("$.people[0].phone", "+8613800138000"),
        ("$.people[0].id", "13800138000"),
        ("$.people[1].lat", "31.230416"),
        ('$["13800138001"]', "13800138001"),
    } <= texts(decoded)
    assert any(leaf.path == "$.raw" and leaf.data == b"\x00\x01Ann" for leaf in decoded.leaves)
    for leaf in decoded.leaves:
        if leaf.exact:
            assert body[leaf.start : leaf.end] == leaf.data


def test_a_property_list_that_names_its_objects_again_and_again_ends():
    levels = [b"\xa8" + bytes((i + 1,)) * 8 for i in range(40)] + [b"\x5ahello there"[:11]]
    places, body = [], b"bplist00"
    for one in levels:
        places.append(len(body))
        body += one
    table = b"".join(struct.pack(">H", place) for place in places)
    body += table + bytes(6) + struct.pack(">BBQQQ", 2, 1, len(places), 0, len(body))
    decoded = decode.leaves_of(body)
    assert any("plist" in cut for cut in decoded.cut)
    itself = b"bplist00\xa1\x00\x08" + bytes(30) + bytes(6) + struct.pack(">BBQQQ", 1, 1, 1, 0, 10)
    assert any("plist" in cut for cut in decode.leaves_of(itself).cut)


def test_bson_paths():
    name = b"\x02name\0" + struct.pack("<I", 4) + b"Ann\0"
    inner = b"\x01lat\0" + struct.pack("<d", 31.230416) + b"\x12at\0" + struct.pack("<q", 13800138000)
    document = struct.pack("<I", len(inner) + 5) + inner + b"\0"
    array = b"\x030\0" + document
    array = b"\x04list\0" + struct.pack("<I", len(array) + 5) + array + b"\0"
    body = name + array + b"\x10+8613800138000\0\1\0\0\0" + b"\x0anone\0\x08yes\0\1"
    body = struct.pack("<I", len(body) + 5) + body + b"\0"
    assert {
        ("$.name", "Ann"),
        ("$.list[0].lat", "31.230416"),
        ("$.list[0].at", "13800138000"),
        ('$["+8613800138000"]', "+8613800138000"),
    } <= texts(decode.leaves_of(body))
    assert {("$[0].name", "Ann"), ("$[1].name", "Ann")} <= texts(decode.leaves_of(body + body))


def test_thrift_paths():
    people = b"\x19\x2c" + b"\x18\x03Ann\x27" + struct.pack("<d", 31.230416) + b"\0" + b"\x18\x03Bob\0"
    numbers = b"\x1b\x01\x86\x05phone" + varint(2 * 13800138000)
    body = b"\x82\x21\x01\x04send\x1c" + people + numbers + b"\0\0"
    for sent in (body, struct.pack(">I", len(body)) + body):
        assert {
            ("$.1.1[0].1", "Ann"),
            ("$.1.1[0].3", "31.230416"),
            ("$.1.1[1].1", "Bob"),
            ("$.1.2.phone", "13800138000"),
        } <= texts(decode.leaves_of(sent)), texts(decode.leaves_of(sent))


def websocket(*parts, text=True, deflate=False):
    body = b""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        head = (0x80 if last else 0) | (0 if number else (1 if text else 2) | (0x40 if deflate else 0))
        mask = bytes((7 * number + 1, 200, 3, 99))
        size = bytes((0x80 | len(part),)) if len(part) < 126 else b"\xfe" + struct.pack(">H", len(part))
        body += bytes((head,)) + size + mask + wire_frames.unmask(part, mask)
    return body


def test_websocket_messages():
    message = b'{"v":"+8613800138000"}'
    assert ("$.v", "+8613800138000") in texts(decode.leaves_of(websocket(message)))
    assert ("$.v", "+8613800138000") in texts(decode.leaves_of(websocket(message[:5], message[5:9], message[9:])))
    two = websocket(message) + websocket(b'{"v":"Ann Lee"}' * 20)
    assert {("$[0].v", "+8613800138000"), ("$[1][3].v", "Ann Lee")} <= texts(decode.leaves_of(two))
    packer = zlib.compressobj(wbits=-15)
    packed = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    assert ("$.v", "+8613800138000") in texts(decode.leaves_of(websocket(packed, deflate=True)))


def query(name):
    labels = b"".join(bytes((len(label),)) + label for label in name.encode().split(b"."))
    return b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


@pytest.mark.parametrize("over_tcp", [False, True])
def test_names_that_a_dns_message_asks_for(over_tcp):
    encoded = b'{"phone":"+8613800138000","name":"Ann Lee"}'.hex()
    body = query(f"{encoded[:60]}.{encoded[60:]}.x.adnet.test")
    body = struct.pack(">H", len(body)) + body if over_tcp else body
    for upload in (
        Upload(at=AT, via="dns", size=len(body)),
        Upload(at=AT, via="http", type="application/dns-message", size=len(body)),
    ):
        decoded = decode.leaves(upload, body)
        assert {("$.question[3]", "adnet"), ("$.question.phone", "+8613800138000")} <= texts(decoded)
        for leaf in decoded.leaves:
            assert not leaf.exact or body[leaf.start : leaf.end] == leaf.data


@pytest.mark.parametrize("key", [1, 7, 0x20, 0x42, 0x5A, 0x7F, 0x80, 0xA5, 0xFF])
def test_a_mask_of_one_byte(key):
    document = json.dumps({"v": "李华 +8613800138000"}, ensure_ascii=False).encode()
    assert ("$.v", "李华 +8613800138000") in texts(decode.leaves_of(xor(document, key)))
    lists = xor(b'[["+8613800138000",1]]', key).hex().encode()
    assert ("$[0][0]", "+8613800138000") in texts(decode.leaves_of(lists))


NEW = (
    "lz4",
    "lz4 block",
    "snappy",
    "snappy block",
    "tar",
    "sqlite",
    "bson",
    "thrift",
    "websocket",
    "dns",
    "plist",
    "xor",
)


def test_chance_is_not_taken_for_a_format():
    """Digests, ids and texts, 20,000 of them: none of the formats without a sure sign sees itself in them."""
    chance = random.Random(4)
    wrong = 0
    for size in (4, 8, 12, 16, 20, 24, 32, 48, 64, 256):
        for _ in range(1500):
            decoded = decode.leaves_of(chance.randbytes(size))
            wrong += any({*leaf.decoding} & {*NEW, "xor"} for leaf in decoded.leaves)
    words = ("Ann", "hello", "31.2304", "+8613800138000", "id", "{", "}", "2026-01-01", "q", "w", "百度")
    for _ in range(5000):
        text = " ".join(chance.choices(words, k=chance.randint(1, 9)))
        decoded = decode.leaves_of(text.encode())
        wrong += any({*leaf.decoding} & {*NEW, "xor"} for leaf in decoded.leaves)
    assert wrong <= 2


SMALL = decode.DecodeLimits(depth=8, output_bytes=1 << 16, leaves=500)
BIG = bytes(1 << 22)
RAW_SNAPPY = bytes(cramjam.snappy.compress_raw(BIG))


@pytest.mark.parametrize(
    "body",
    [
        lz4.frame.compress(BIG),
        lz4.frame.compress(lz4.frame.compress(BIG)),
        lz4.block.compress(BIG),
        bytes(cramjam.snappy.compress(BIG)),
        RAW_SNAPPY,
        b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + struct.pack(">I", len(RAW_SNAPPY)) + RAW_SNAPPY,
        b"\xff\xff\xff\xff\x0f" + RAW_SNAPPY,
        b"\xff\xff\xff\x7f" + lz4.block.compress(BIG, store_size=False),
        b"LZ4Block\x26" + struct.pack("<III", 8, 1 << 31, 0) + bytes(8),
    ],
    ids=["lz4", "lz4 twice", "lz4 block", "snappy", "snappy block", "snappy java", "length", "size", "lz4 java"],
)
def test_packed_zeros_stay_within_the_bound(body):
    tracemalloc.start()
    decoded = decode.leaves_of(body, limits=SMALL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(len(leaf.data) for leaf in decoded.leaves) <= 4 * (SMALL.output_bytes + len(body))
    assert peak <= 8 * (SMALL.output_bytes + len(body)) + (1 << 20)


K = 1 << 17


@pytest.mark.parametrize(
    "body",
    [
        (start + pattern * (K // len(pattern)))[:K] + end
        for start, pattern, end in (
            (b"", b"\x04\x22\x4d\x18", b""),
            (b"", b"\xff\x06\x00\x00sNaPpY", b""),
            (b"", b"LZ4Block\x26", b""),
            (b"\x00\x00\x02\x00", b"\x03a\x00\x05\x00\x00\x00", b"\x00"),
            (struct.pack("<I", K + 1), b"\x03a\x00" + struct.pack("<I", 5), b"\x00"),
            (b"", b"\x1c", b"\x00"),
            (b"", b"\x19\xfc\x7f", b"\x00"),
            (b"", b"\x1b\xff\xff\x03\x88", b"\x00"),
            (b"\x82\x21\x01\x04send", b"\x18\x01a", b"\x00"),
            (b"", b"\x82\x80\x01\x02\x03\x04", b""),
            (b"\x01\x80\x01\x02\x03\x04", b"\x00\x80\x01\x02\x03\x04", b""),
            (b"SQLite format 3\x00\x02\x00\x01\x01\x00", b"\x0d\x00\x05", b""),
            (b"bplist00", b"\xa1\x08", struct.pack(">6xBBQQQ", 1, 1, 1000, 0, 100)),
            (b"<plist>", b"<dict>", b""),
            (b"<plist>", b"<key>a</key><string>", b""),
            (b"<plist>", b"<data>", b""),
            (b"!", b"x", b"'"),
            (b"{", b"\x01", b"}"),
        )
    ],
    ids=lambda body: repr(body[:14]),
)
def test_hostile_repetition_is_read_in_one_go(body):
    assert not [cut for cut in decode.leaves_of(body).cut if "failed with" in cut]


@pytest.mark.parametrize(
    "name",
    ["lz4", "lz4 java", "snappy", "snappy java", "tar", "sqlite", "plist", "plist xml", "bson", "thrift", "websocket"],
)
def test_no_damage_of_a_format_makes_it_fail(name):
    chance = random.Random(name)
    whole = ENCODERS[name].encode(b"Ann Lee +8613800138000 " * 4)
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        del damaged[chance.randint(len(damaged) // 2, len(damaged)) :]
        decoded = decode.leaves_of(bytes(damaged), limits=SMALL)
        assert not [cut for cut in decoded.cut if "failed with" in cut], bytes(damaged)


def test_what_follows_a_broken_beginning_is_still_searched():
    for whole in (bson(b"Ann Lee +8613800138000"), thrift_structure(b"Ann Lee +8613800138000")):
        decoded = decode.leaves_of(b"\x07" + whole)
        assert any(b"Ann Lee +8613800138000" in leaf.data for leaf in decoded.leaves)


def test_hex_behind_one_letter_more():
    for before in (b"a", b"a0x"):
        body = before + b"Ann +8613800138000".hex().encode()
        leaf = next(leaf for leaf in decode.leaves_of(body).leaves if leaf.text == "Ann +8613800138000")
        assert (leaf.start, leaf.end) == (len(before), len(body))
    assert not decode.leaves_of(b"\x04a0x31333830303020416e6e20").cut
