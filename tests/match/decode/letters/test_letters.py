"""Tests of rarer letters and numbers: digits of other scripts, ids behind words, digests as numbers."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import struct
import urllib.parse
import uuid
import zlib

import bson
import cbor2
import cramjam
import pytest

from appwitness.events import Upload, Value
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from tests.unseen import START
from tests.unseen.rarer import in_base

GAID = uuid.UUID("7d3f0a52-91c4-4e1b-a6d8-20f5c3b97e61")
DIGEST = hashlib.md5(b"x").digest()
FLICKR = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
SHORT = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CROCKFORDS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DOCUMENT = json.dumps({"phone": "+8613800138000", "name": "李华", "more": ["a", "a", "a", 7]}, ensure_ascii=False)

PACKED = gzip.compress(DOCUMENT.encode())


B64 = base64.b64encode(DOCUMENT.encode()).decode()
DIGITS36 = "0123456789abcdefghijklmnopqrstuvwxyz"
DIGITS62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BLOCKS = hashlib.shake_256(b"2").digest(96)
"""What a cipher might give; in base64, it has some pluses."""


def masked(data):
    return bytes(byte ^ 0x5B for byte in data)


def left_open(text):
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def named(name, data):
    file = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=file) as opened:
        opened.write(data)
    return file.getvalue()


STARS = str.maketrans("+/=", "*-_")
SHA = hashlib.sha256(b"x").digest()
LETTER = "李华，您的包裹已到达>>>???".encode()
MANY = [hashlib.md5(b"%d" % number).digest() for number in range(3)]


def listed(data, between=",", *, signed=True):
    return between.join(str(byte - 256 if signed and byte > 127 else byte) for byte in data).encode()


READ = {
    "arabic digits": ("٣١٫٢٣٨٣٦١".encode(), "width", b"31.238361"),
    "bengali digits": ("৩১.২৩৮৩৬১".encode(), "width", b"31.238361"),
    "myanmar digits": ("၃၁.၂၃၈၃၆၁".encode(), "width", b"31.238361"),
    "thai digits": ("๓๑.๒๓๘๓๖๑".encode(), "width", b"31.238361"),
    "tamil digits": ("௩௧.௨௩௮௩௬௧".encode(), "width", b"31.238361"),
    "charset of xml": (
        '<?xml version="1.0" encoding="windows-1256"?><c n="محمد العتيبي"/>'.encode("cp1256"),
        "cp1256",
        "محمد العتيبي".encode(),
    ),
    "chunks": (
        b"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'5\r\n{"a":\r\n9;x=1\r\n"+8613800\r\n8\r\n138000"}\r\n0\r\n\r\n',
        "chunked",
        b"+8613800138000",
    ),
    "chunks of gzip": (
        b"POST /r HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\ncontent-encoding: gzip\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (PACKED[:9], PACKED[9:]))
        + b"0\r\n\r\n",
        "chunked",
        b"+8613800138000",
    ),
    "keycaps": ("".join(f"{digit}\ufe0f\u20e3" for digit in "13800138000").encode(), "width", b"13800138000"),
    "raised digits": ("¹³⁸⁰⁰¹³⁸⁰⁰⁰".encode(), "width", b"13800138000"),
    "digits in circles": ("①③⑧⓪⓪①③⑧⓪⓪⓪".encode(), "width", b"13800138000"),
    "a table of real numbers": (b"id,mobile\n1.0,13800138000.0,x\n", "real", b"id,mobile\n1.0,13800138000,x\n"),
    "thrift, two reals": (
        b"\x04\0\x01" + struct.pack(">d", 31.238361) + b"\x04\0\x02" + struct.pack(">d", 121.435598) + b"\0",
        "thrift",
        b"121.435598",
    ),
    "minus of mathematics": ("\u221243.210487".encode(), "width", b"-43.210487"),
    "vcard": (
        b"FN;ENCODING=QUOTED-PRINTABLE:Anna=20Kowalska",
        "quoted-printable",
        b"FN;ENCODING=QUOTED-PRINTABLE:Anna Kowalska",
    ),
    "base58 of flickr": (in_base(GAID.int, FLICKR).encode(), "base58", GAID.bytes),
    "short uuid": (in_base(GAID.int, SHORT).encode(), "base57", GAID.bytes),
    "crockford": (in_base(GAID.int, CROCKFORDS).encode(), "base32", GAID.bytes),
    "crockford, lower": (in_base(GAID.int, CROCKFORDS).lower().encode(), "base32", GAID.bytes),
    "behind a word": (b"AND64f051c20ca1dc00", "", b"64f051c20ca1dc00"),
    "behind a longer word": (b"android" + GAID.hex.encode(), "", GAID.hex.encode()),
    "filled with zeros": (b"0000a4c1381581d1", "", b"a4c1381581d1"),
    "filled to sixteen bytes": (b"0" * 16 + b"64f051c20ca1dc00", "", b"64f051c20ca1dc00"),
    "long of java": (str(struct.unpack(">q", DIGEST[:8])[0]).encode(), "long number", DIGEST[:8]),
    "long of guava": (str(struct.unpack("<q", DIGEST[:8])[0]).encode(), "long number", DIGEST[:8]),
    "long, no sign": (str(int.from_bytes(b"\x91" * 8)).encode(), "long number", b"\x91" * 8),
    "long in json": (b'{"h":%d}' % struct.unpack(">q", DIGEST[:8])[0], "long number", DIGEST[:8]),
    "below zero": (str(int.from_bytes(b"\x91" * 32, signed=True)).encode(), "decimal", b"\x91" * 32),
    "below zero, hex": (f"{int.from_bytes(b'\x91' * 16, signed=True):x}".encode(), "decimal", b"\x91" * 16),
    "in braces": (b"{" + str(GAID).upper().encode() + b"}", "hex", GAID.bytes),
    "firebase": (b"zhao,liu@example,org", "separators", b"zhao.liu@example.org"),
    "records": (b"2probe\x1e42" + b'["e",{"n":"\\u674e\\u534e"}]', "json", "李华".encode()),
    "json sequence": (b'\x1e{"a":1}\n\x1e{"n":"\\u674e\\u534e"}\n', "json", "李华".encode()),
    "objective-c": (b'{\n    v = "R58M31QKZTW";\n}', "", b'{\n    v = "R58M31QKZTW";\n}'),
    "java map": (b"{a=1, url=http://x.test/+8613800138000}", "", b"{a=1, url=http://x.test/+8613800138000}"),
    "uuid of an old driver": (
        bson.encode({"u": bson.Binary(GAID.bytes[:8][::-1] + GAID.bytes[8:][::-1], 3)}),
        "bson",
        GAID.bytes,
    ),
    "snappy under one byte": (
        masked(bytes(cramjam.snappy.compress_raw(DOCUMENT.encode()))),
        "snappy block",
        "李华".encode(),
    ),
    "zlib under one byte": (masked(zlib.compress(DOCUMENT.encode())), "deflate", "李华".encode()),
    "a message of websocket, its end left off": (left_open(DOCUMENT), "raw deflate", "李华".encode()),
    "name of a gzip file": (named("867530029921507.log", b"nothing of note"), "gzip", b"867530029921507.log"),
    "uule": (
        b"a+" + base64.b64encode(b"role: 1 latitude_e7: 312383610").rstrip(b"="),
        "base64",
        b"role: 1 latitude_e7: 312383610",
    ),
    "letters of tencent": (base64.b64encode(LETTER).decode().translate(STARS).encode(), "base64", LETTER),
    "letters of tencent, packed": (
        b'{"sig":"%b"}' % base64.b64encode(zlib.compress(LETTER)).decode().translate(STARS).encode(),
        "deflate",
        LETTER,
    ),
    "a digest that was cut, behind a word": (b"dev_" + SHA.hex()[:16].encode(), "hex", SHA[:8]),
    "a digest that was cut, before a clock": (SHA.hex()[:16].encode() + b"-1711111111", "hex", SHA[:8]),
    "ten bytes of a digest between marks": (b"x_" + SHA.hex()[:20].upper().encode() + b"_1", "hex", SHA[:10]),
    "gzip behind a letter": (b"a" + base64.b64encode(PACKED), "gzip", "李华".encode()),
    "zlib behind two": (b"v1" + base64.b64encode(zlib.compress(LETTER)), "deflate", LETTER),
    "fast zlib behind two": (b"v1" + base64.b64encode(zlib.compress(LETTER, 3)), "deflate", LETTER),
    "blocks behind three": (b"a7f" + base64.b64encode(SHA), "base64", SHA),
    "a long without its sign": (str(-struct.unpack(">q", b"\x91" * 8)[0]).encode(), "long number", b"\x91" * 8),
    "bytes of a digest": (listed(SHA), "character codes", SHA),
    "bytes of a digest, no sign": (listed(SHA, " ", signed=False), "character codes", SHA),
    "bytes of an id": (listed(GAID.bytes, "|"), "character codes", GAID.bytes),
    "bytes of gzip": (listed(PACKED), "gzip", "李华".encode()),
    "octal escapes before a blank": (rb"Jos\303\251 Silva", "escapes", "José Silva".encode()),
    "gbk that is also utf-8": ("钱思强".encode("gbk"), "gb18030", "钱思强".encode()),
    "chunks of json": (b'5\r\n{"a":\r\n9\r\n"' + "李华".encode() + b'"}\r\n0\r\n\r\n', "chunked", "李华".encode()),
    "encoded words": (b"=?UTF-8?B?MTM4MDAx?= =?UTF-8?B?MzgwMDA=?= =?UTF-8?B?OTk=?=", "encoded word", b"13800138000"),
    "cbor in cbor": (b"\xd8\x18" + cbor2.dumps(cbor2.dumps({"id": "300e4a648e36f2c7"})), "cbor", b"300e4a648e36f2c7"),
    "hex behind its length": (b"0010" + b"3000000000000001".hex().encode(), "hex", b"\0\x103000000000000001"),
    "base64 of each line": (
        b"\n".join(base64.b64encode(DOCUMENT.encode()[at : at + 31]) for at in range(0, len(DOCUMENT.encode()), 31)),
        "base64",
        b"+8613800138000",
    ),
    "base64 with blanks for pluses": (
        base64.b64encode(BLOCKS).replace(b"+", b" "),
        "base64",
        BLOCKS,
    ),
    "bytes of a degree in hex": (struct.pack(">d", 31.238361).hex().encode(), "bytes of a number", b"31.238361"),
    "bytes of a degree in base64": (
        base64.b64encode(struct.pack("<d", 121.473701)),
        "bytes of a number",
        b"121.473701",
    ),
    "a number of four bytes": (struct.pack(">i", 13912345).hex().encode(), "bytes of a number", b"13912345"),
    "a query that nobody calls one": (
        b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x10mfxgslltmfxgsllt\x04lc4a\x01x\x00\x00\x01\x00\x01",
        "dns",
        b"mfxgslltmfxgslltlc4a",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_it_is_read(name):
    body, step, held = READ[name]
    decoded = decode.leaves_of(body)
    leaves = [leaf for leaf in decoded.leaves if leaf.data == held and (not step or step in leaf.decoding)]
    assert leaves, decoded.leaves
    assert decoded.cut == ()


UNREAD = {
    "a word and a digest of another size": (b"AND64f051c20ca1dc00aa", b"64f051c20ca1dc00"),
    "hex behind hex": (b"ad64f051c20ca1dc00", b"64f051c20ca1dc00"),
    "eight bytes as they are": (struct.pack(">d", 31.238361), "bytes of a number"),
    "a clock": (b"1773478800000", struct.pack(">q", 1773478800000)),
    "mail with its stops": (b"zhao.liu@example.org, and more", "separators"),
    "a list of mail": (b"zhao@example.org,liu@example.org", "separators"),
    "zeros and little": (b"0000a4c1381581", b"a4c1381581"),
    "a version": (b"-43.2", "width"),
    "decimals": (b"at 1380013.0805, 1380013.0.1", "real"),
    "a stream under one byte that is broken": (masked(b"\x78\x9c" + bytes(range(30))), "xor"),
    "half a message of websocket": (left_open(DOCUMENT)[:40], "raw deflate"),
    "words about chunks": (b"\r\ntransfer-encoding: chunked, says RFC 9112\r\n", "chunked"),
}


def test_the_charset_of_a_form_is_that_of_its_values():
    body = b"fio=" + urllib.parse.quote("Ольга Смирнова".encode("koi8-r")).encode() + b"&n=1"
    leaves = decode.leaves_of(body, "application/x-www-form-urlencoded; charset=koi8-r").leaves
    assert ("$.fio", "Ольга Смирнова") in {(leaf.path, leaf.text) for leaf in leaves}


@pytest.mark.parametrize("name", UNREAD)
def test_what_looks_alike_is_not_taken_for_it(name):
    body, taken = UNREAD[name]
    leaves = decode.leaves_of(body).leaves
    assert taken not in ({leaf.data for leaf in leaves} | {step for leaf in leaves for step in leaf.decoding})


def test_a_place_in_the_address_of_a_map_is_found():
    index = ValueIndex()
    index.add("place", Value(type="location", text="31.238361,121.435598"))
    found = decode.leaves_of(
        b'{"u":"https://maps.test/maps/place/x/data=!3m1!4b1!8m2!3d31.238361!4d121.435598"}'
    ).leaves
    assert {hit.variant.name for hit in index.find(found)} == {"coordinates"}
    other = decode.leaves_of(b'{"u":"build3d31.238361 and v4d121.435598"}').leaves
    assert index.find(other) == []


def test_what_was_asked_of_dns_is_read_where_only_the_host_is_known():
    host = b"867530029921507".hex() + ".t.collect.example"
    leaves = decode.leaves(Upload(at=START, via="dns", host=host, size=0), None).leaves
    assert b"867530029921507" in [leaf.data for leaf in leaves]


def test_a_charset_that_xml_goes_on_to_name_is_read_once():
    body = b'<?xml version="1.0" encoding="windows-1252"?>' + 200 * b"<n>Priya</7\x7f\x06\x82n>"
    decoded = decode.leaves_of(body)
    assert {leaf.decoding.count("cp1252") for leaf in decoded.leaves} == {1}
    assert sum(len(leaf.data) for leaf in decoded.leaves) < 20 * len(body)


def test_a_reference_of_thousands_of_digits_is_no_letter():
    decoded = decode.leaves_of(b"<v>&#x34;2&#" + 400 * b"13800138000" + b";</v>")
    assert not decoded.cut
    assert any(b"42&#138" in leaf.data for leaf in decoded.leaves)


UNREAD_TOO = {
    "a word between stars": (b"**important-information**", "base64"),
    "a name before a line": (b"some_configuration_name_", "base64"),
    "sixteen digits of a number": (b"order_1234567890123456", "hex"),
    "half of more hex": (b"dev_" + SHA.hex()[:18].encode(), "hex"),
    "a few small numbers": (b"12,7,200,3,1", "character codes"),
    "numbers that are no bytes": (listed(SHA) + b",300", "character codes"),
    "three numbers": (b"100 200 300", "character codes"),
    "letters with accents": ("Ça déjà été fête, où êtes-vous?".encode(), "latin-1"),
    "names of other letters": ("ÀÉÈÙ Ö".encode(), "gb18030"),
    "long and short numbers": (b"7598709087161800261,12", "long number"),
    "lines of numbers": (b"5\r\nhello\r\n7\r\nx", "chunked"),
    "zeros before a text": (in_base(int.from_bytes(b"com.quark.paypro569"), DIGITS62).encode(), "base58"),
    "a number with a version": (b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x03abc\x00\x00\x01\x00\x02", "dns"),
}


@pytest.mark.parametrize("name", UNREAD_TOO)
def test_what_looks_like_rarer_letters_is_left(name):
    body, step = UNREAD_TOO[name]
    read = [leaf for leaf in decode.leaves_of(body).leaves if step in leaf.decoding]
    assert not [leaf for leaf in read if step != "base64" or leaf.text is not None], read
