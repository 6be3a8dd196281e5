"""Ways to send a whole document: encodings, charsets, formats of text and bytes, archives, places in a request."""

from __future__ import annotations

import base64
import bz2
import csv
import email.message
import gzip
import hashlib
import html
import io
import itertools
import json
import lzma
import plistlib
import quopri
import random
import sqlite3
import struct
import tarfile
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import brotli
import bson
import cbor2
import cramjam
import fastavro
import lz4.block
import lz4.frame
import msgpack
import yaml
import zstandard
from thrift.protocol import TBinaryProtocol, TCompactProtocol, TJSONProtocol
from thrift.Thrift import TMessageType, TType
from thrift.transport import TTransport
from werkzeug.http import dump_options_header

from appwitness.events import Value
from tests.unseen import Sent, letters, way, world
from tests.unseen.notations import point

Pack = Callable[[dict[str, Any], random.Random], Sent | bytes | None]
"""Fields into an upload; the fields are texts, a place two numbers."""


def container(name: str, pack: Pack, type_: str | None = None, fits: Callable[[Value], bool] = lambda _: True) -> None:
    """Register a container for every type of value, and for places as numbers of its own."""

    def make(value: Value, chance: random.Random) -> Sent | None:
        if not fits(value):
            return None
        sent = pack(world.fields_of(value, chance), chance)
        return Sent(sent, type_) if isinstance(sent, bytes) else sent

    way(name, make)


def numbers(name: str, pack: Callable[[float, float, random.Random], Sent | bytes | None]) -> None:
    """Register a container for places as binary numbers."""

    def make(value: Value, chance: random.Random) -> Sent | None:
        if value.type != "location":
            return None
        sent = pack(*point(value.text), chance)
        return Sent(sent) if isinstance(sent, bytes) else sent

    way(f"place: {name}", make)


def doc(fields: dict[str, Any], chance: random.Random) -> bytes:
    return world.dumps(world.document(fields, chance))


# --- content encodings ---


def _named_gzip(data: bytes) -> bytes:
    file = io.BytesIO()
    with gzip.GzipFile("events.json", "wb", fileobj=file, mtime=1) as opened:
        opened.write(data)
    return file.getvalue()


CODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", world.gz),
    "deflate": ("deflate", zlib.compress),
    "deflate, raw": ("deflate", lambda data: zlib.compress(data, wbits=-15)),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "zstd without size": ("zstd", lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data)),
    "gzip, then br": ("gzip, br", lambda data: brotli.compress(world.gz(data))),
    "gzip twice": ("gzip", lambda data: world.gz(world.gz(data))),
    "br, not said": ("", brotli.compress),
    "zstd, not said": ("", zstandard.compress),
    "gzip, not said": ("", world.gz),
    "raw deflate, not said": ("", lambda data: zlib.compress(data, wbits=-15)),
    "gzip called br": ("br", world.gz),
    "identity called gzip": ("gzip", bytes),
    "lz4": ("lz4", lz4.frame.compress),
    "lz4 frames without sizes": ("", lambda data: lz4.frame.compress(data, store_size=False, content_checksum=True)),
    "lz4 block behind its size": ("", lz4.block.compress),
    "lz4 block behind its size, highest first": (
        "",
        lambda data: struct.pack(">I", len(data)) + lz4.block.compress(data, store_size=False),
    ),
    "snappy": ("snappy", lambda data: bytes(cramjam.snappy.compress(data))),
    "snappy block": ("snappy", lambda data: bytes(cramjam.snappy.compress_raw(data))),
    "compress": ("", bz2.compress),
    "xz": ("", lzma.compress),
    "lzma": ("", lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE)),
    "gzip with a name": ("", _named_gzip),
    "gzip behind a head": ("", lambda data: b"\x02\x00\x00\x10LOG1" + world.gz(data)),
    "zlib behind a head": ("", lambda data: struct.pack(">I", len(data)) + zlib.compress(data)),
}


def _coded(said: str, code: Callable[[bytes], bytes]) -> Pack:
    def pack(fields: dict[str, Any], chance: random.Random) -> Sent:
        headers = (("Content-Encoding", said),) if said else ()
        return Sent(code(doc(fields, chance)), "application/json", headers=headers)

    return pack


for _name, (_said, _code) in CODED.items():
    container(f"content: {_name}", _coded(_said, _code))
container("gzip called octet-stream in a form", lambda f, c: Sent(world.gz(form(f, c)), "text/plain"))

# --- charsets ---


def _charset(name: str, said: str, *, mark: bytes = b"") -> Pack:
    def pack(fields: dict[str, Any], chance: random.Random) -> Sent | None:
        try:
            body = mark + doc(fields, chance).decode().encode(name)
        except UnicodeEncodeError:
            return None
        return Sent(body, f"application/json; charset={said}" if said else "application/json")

    return pack


container("charset: utf-16le, marked", _charset("utf-16le", "", mark=b"\xff\xfe"))
container("charset: utf-16be, marked", _charset("utf-16be", "utf-16", mark=b"\xfe\xff"))
container("charset: utf-16be", _charset("utf-16be", "utf-16be"))
container("charset: utf-16le, not said", _charset("utf-16le", ""))
container("charset: utf-32", _charset("utf-32", "utf-32"))
container("charset: utf-32be, not said", _charset("utf-32be", ""))
container("charset: gb18030", _charset("gb18030", "gb18030"))
container("charset: gbk, not said", _charset("gbk", ""))
container("charset: gb2312 called utf-8", _charset("gb2312", "utf-8"))
container("charset: big5", _charset("big5", "big5"), fits=lambda v: v.text.isascii())
container("charset: shift_jis", _charset("shift_jis", "Shift_JIS"))
container("charset: latin-1", _charset("latin-1", "iso-8859-1"))
container("charset: latin-1, not said", _charset("latin-1", ""))
container("charset: windows-1252", _charset("cp1252", "windows-1252"))
container("charset: euc-kr", _charset("euc-kr", "euc-kr"))
container("charset: koi8-r", _charset("koi8-r", "koi8-r"))
container("charset: utf-8, marked", _charset("utf-8", "utf-8", mark=b"\xef\xbb\xbf"))

# --- JSON in every shape ---

container("ndjson", lambda f, c: b'{"common":{"n":1}}\n' + doc(f, c) + b"\n" + doc({}, c) + b"\n", "text/plain")
container("json, glued", lambda f, c: doc({}, c) + doc(f, c), "application/json")
container("json sequence", lambda f, c: b"\x1e" + doc({}, c) + b"\n\x1e" + doc(f, c) + b"\n", "application/json-seq")
container("jsonp", lambda f, c: b"/**/cb_17(" + doc(f, c) + b");", "text/javascript")
container("json behind a guard", lambda f, c: b")]}',\n" + doc(f, c), "application/json")
container("json behind for(;;)", lambda f, c: b"for (;;);" + doc(f, c), "application/json")
container("json, indented", lambda f, c: json.dumps(world.document(f, c), indent=2).encode(), "application/json")
container("json, cut short", lambda f, c: world.dumps({**f, "rest": ["x", "y"]})[:-6], "application/json")
container("json, single quotes", lambda f, c: repr({**f, "n": 1}).encode(), "application/json")
container("json5", lambda f, c: ("{" + ",".join(f"{k}: '{v}'" for k, v in f.items()) + ", // x\n}").encode())
container("json called a form", lambda f, c: Sent(doc(f, c), "application/x-www-form-urlencoded"))
container("json as a form's key", lambda f, c: Sent(doc(f, c) + b"=", "application/x-www-form-urlencoded"))
container("base64 of the whole", lambda f, c: base64.b64encode(doc(f, c)), "text/plain")
container("base64 of gzip of the whole", lambda f, c: base64.b64encode(world.gz(doc(f, c))), "text/plain")
container("base64 in lines of the whole", lambda f, c: base64.encodebytes(world.gz(doc(f, c))), "text/plain")
container("hex of the whole", lambda f, c: doc(f, c).hex().encode(), "text/plain")
container("json string of base64", lambda f, c: json.dumps(b64(doc(f, c))).encode())
container(
    "segment batch",
    lambda f, c: world.dumps({"batch": [{"type": "identify", "traits": f}], "sentAt": "2026-03-14T09:00:00Z"}),
)
container(
    "graph batch",
    lambda f, c: world.dumps({"batch": json.dumps([{"method": "POST", "relative_url": "me?" + urlencode(f)}])}),
)
container(
    "graphql",
    lambda f, c: world.dumps(
        {
            "query": "mutation { a("
            + ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in f.items())
            + ") { id } }"
        }
    ),
)
container(
    "json rpc", lambda f, c: world.dumps({"jsonrpc": "2.0", "method": "set", "params": list(f.values()), "id": 1})
)
container("columns and rows", lambda f, c: world.dumps({"columns": list(f), "rows": [list(f.values()), [1, 2]]}))
container("keys are the values", lambda f, c: world.dumps({"people": dict.fromkeys(f.values(), 1), "t": "x"}))

# --- forms ---


def form(fields: dict[str, Any], chance: random.Random) -> bytes:
    return urlencode({"n": "1", **fields, "z": "x y"}).encode()


FORM = "application/x-www-form-urlencoded"
container("form", form, FORM)
container("form called json", form, "application/json")
container("form, brackets", lambda f, c: urlencode({f"user[{k}]": v for k, v in f.items()}).encode(), FORM)
container("form, json in a field", lambda f, c: urlencode({"n": "1", "data": doc(f, c)}).encode(), FORM)
container("form, base64 of json in a field", lambda f, c: urlencode({"n": "1", "data": b64(doc(f, c))}).encode(), FORM)
container("form, base64 not escaped", lambda f, c: b"n=1&data=" + base64.b64encode(doc(f, c)), FORM)
container("form, url-encoded whole", lambda f, c: quote(form(f, c), safe="").encode(), FORM)
container("form in a form", lambda f, c: urlencode({"a": "1", "data": form(f, c).decode()}).encode(), FORM)
container(
    "form in gb18030",
    lambda f, c: urlencode({"n": "1", **f}, encoding="gb18030").encode(),
    FORM + "; charset=GBK",
    fits=lambda value: (
        value.type in ("name", "address", "sms_content")
        and not value.text.isascii()
        and "ã" not in value.text
        and "á" not in value.text
    ),
)
container(
    "form in gb18030, not said",
    lambda f, c: urlencode({"n": "1", **f}, encoding="gb18030").encode(),
    FORM,
    fits=lambda value: (
        value.type in ("name", "address", "sms_content")
        and not value.text.isascii()
        and "ã" not in value.text
        and "á" not in value.text
    ),
)
container("form, semicolons", lambda f, c: ";".join(f"{k}={quote(v)}" for k, v in f.items()).encode(), FORM)
container("form, lines", lambda f, c: "\n".join(f"{k}={v}" for k, v in {"n": "1", **f}.items()).encode(), "text/plain")
container(
    "form, spaces as they are", lambda f, c: "&".join(f"{k}={v}" for k, v in {"n": "1", **f}.items()).encode(), FORM
)

# --- multipart ---

MARK = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def multipart(parts: list[tuple[str, str, bytes]], kind: str = "form-data", mark: str = MARK) -> Sent:
    body = b"".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + data + b"\r\n"
        for name, more, data in parts
    )
    return Sent(body + f"--{mark}--\r\n".encode(), f"multipart/{kind}; boundary={mark}")


def simple(fields: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    return [("n", "", b"1"), *((key, "", text.encode()) for key, text in fields.items())]


container("multipart", lambda f, c: multipart(simple(f)))
container(
    "multipart, file of json",
    lambda f, c: multipart([("file", '; filename="e.json"\r\nContent-Type: application/json', doc(f, c))]),
)
container(
    "multipart, gzip file",
    lambda f, c: multipart([("log", '; filename="l.gz"\r\nContent-Type: application/gzip', world.gz(doc(f, c)))]),
)
container(
    "multipart, base64",
    lambda f, c: multipart([("p", "\r\nContent-Transfer-Encoding: base64", base64.encodebytes(doc(f, c)))]),
)
container(
    "multipart, quoted-printable",
    lambda f, c: multipart(
        [
            (
                k,
                "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
                quopri.encodestring(v.encode()),
            )
            for k, v in f.items()
        ]
    ),
)
container(
    "multipart, utf-16 part",
    lambda f, c: multipart(
        [("p", "\r\nContent-Type: text/plain; charset=utf-16le", doc(f, c).decode().encode("utf-16le"))]
    ),
)
container(
    "multipart, file names",
    lambda f, c: multipart([("file", f'; filename="{v}.jpg"', b"\xff\xd8\xff\xe0") for v in f.values()]),
    fits=lambda v: '"' not in v.text,
)
container(
    "multipart, file names, starred",
    lambda f, c: multipart([("file", f"; filename*=UTF-8''{quote(v)}", b"\xff\xd8\xff\xe0") for v in f.values()]),
)
container(
    "multipart in multipart",
    lambda f, c: multipart(
        [("files", "\r\nContent-Type: multipart/mixed; boundary=innerB", multipart(simple(f), mark="innerB").body)]
    ),
)
container("multipart, boundary not said", lambda f, c: multipart(simple(f))._replace(type="application/octet-stream"))
container(
    "multipart, related",
    lambda f, c: multipart(
        [("meta", "\r\nContent-Type: application/json", doc(f, c)), ("img", "", b"\x89PNG\r\n\x1a\n\0\0")],
        kind="related",
    ),
)


def mail(fields: dict[str, Any], chance: random.Random) -> bytes:
    message = email.message.EmailMessage()
    message["Subject"] = "feedback"
    message["To"] = "x@y.test"
    message.set_content("hello\n" + "\n".join(f"{k}: {v}" for k, v in fields.items()))
    message.add_attachment(doc(fields, chance), maintype="application", subtype="json", filename="a.json")
    message.set_boundary("=b7")
    return bytes(message)


container("mail", mail, "message/rfc822")

# --- other text formats ---


def each(fields: dict[str, Any], form: str, between: str = "") -> str:
    """Every field in a form: {k} its key, {v} its text, {h} that for HTML, {q} for a URL, {j} and {u} as JSON."""
    return between.join(
        form.format(
            k=k, v=v, h=html.escape(v), q=quote(v, safe=""), p=quote(v), j=json.dumps(v, ensure_ascii=False), n=at
        )
        for at, (k, v) in enumerate(fields.items())
    )


def written(name: str, before: str, form: str, after: str, between: str = "", type_: str | None = None) -> None:
    """Register a text in which each field stands in a form; the text before it, and the text after it."""
    fits = (lambda v: '"' not in v.text) if '"{v}"' in form else (lambda _: True)
    container(name, lambda f, c: f"{before}{each(f, form, between)}{after}".encode(), type_, fits)


XML = "<f_{n}><k>{k}</k><v>{h}</v></f_{n}>"
MEMBER = "<member><name>{k}</name><value><string>{h}</string></value></member>"
written("xml", "<?xml version='1.0'?>\n<r><n>1</n>", XML, "</r>", type_="text/xml")
container("xml, attributes", lambda f, c: f"<r {each(f, '{k}="{h}"', ' ')}/>".encode())
written("xml, cdata", "<r>", "<v><![CDATA[{v}]]></v>", "</r>")
container("xml, cdata of json", lambda f, c: b"<r><v><![CDATA[" + doc(f, c) + b"]]></v></r>")
for _name, _said in (("utf-16", "utf-16"), ("gb18030", "GBK")):
    _head = f"<?xml version='1.0' encoding='{_said}'?><r>"
    container(
        f"xml in {_name}",
        lambda f, c, head=_head, charset=_name: f"{head}{each(f, XML)}</r>".encode(charset),  # type: ignore[misc]
        "text/xml",
    )
container("xml, entities", lambda f, c: "".join(
    ("<r>", *(f"<v>{''.join(f'&#x{ord(char):x};' for char in v)}</v>" for v in f.values()), "</r>")
).encode())  # fmt: skip
_soap = '<s:Envelope xmlns:s="urn:x"><s:Body><a:p xmlns:a="urn:y">'
written("soap", _soap, XML, "</a:p></s:Body></s:Envelope>")
written(
    "xml-rpc",
    "<methodCall><params>",
    f"<param><value><struct>{MEMBER}</struct></value></param>",
    "</params></methodCall>",
)
written("html", "<!doctype html><html><body>", "<input name='{k}' value='{h}'><br>", "</body></html>")
_preferences = "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<map>\n"
written("android preferences", _preferences, '    <string name="{k}">{h}</string>\n', "</map>")
container("plist", lambda f, c: plistlib.dumps({"n": 1, "d": f}))
container("plist, binary", lambda f, c: plistlib.dumps({"n": 1, "d": [f]}, fmt=plistlib.FMT_BINARY))
container("yaml", lambda f, c: yaml.safe_dump({"n": 1, "d": f}, allow_unicode=True).encode())
container("yaml, escaped", lambda f, c: yaml.safe_dump({"n": 1, "d": f}).encode())
container("toml", lambda f, c: ("n = 1\n[d]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in f.items())).encode())
written("ini", "[d]\n", "{k} = {v}\n", "")


def table(fields: dict[str, Any], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows((("n", *fields, "z"), ("1", *fields.values(), "x"), ("2", *(["-"] * len(fields)), "y")))
    return file.getvalue().encode()


container("csv", lambda f, c: table(f), "text/csv")
container("csv, quoted", lambda f, c: table(f, quoting=csv.QUOTE_ALL), "text/csv")
container("tsv", lambda f, c: table(f, "\t"), "text/tab-separated-values")
container("csv, semicolons", lambda f, c: table(f, ";"))
container("csv, gzip", lambda f, c: world.gz(table(f)))
_log = "03-14 09:00:00.123 I/App(331): start\n03-14 09:00:01.004 D/Net(331): "
written("log lines", _log, "{k}={v}", " done\n", " ", "text/plain")
written("logfmt", "ts=2026-03-14 level=info ", "{k}={j}", "", " ")
written("syslog", "<34>1 2026-03-14T09:00:00Z host app 1 ID [x@1 ", '{k}="{v}"', "] msg", " ")
container("java toString", lambda f, c: f"Bundle[{{{each({'n': '1', **f}, '{k}={v}', ', ')}}}]".encode())
written("kotlin data class", "User(id=7, ", "{k}={v}", ")", ", ")
container("php serialize", lambda f, c: (
    f"a:{len(f)}:{{" + "".join(f's:{len(k.encode())}:"{k}";s:{len(v.encode())}:"{v}";' for k, v in f.items()) + "}"
).encode())  # fmt: skip
written("s-expression", "(user ", '({k} "{v}")', ")", " ")
container("vcard", lambda f, c: "".join(
    ("BEGIN:VCARD\r\nVERSION:3.0\r\n", *(f"X-{k.upper()}:{v}\r\n" for k, v in f.items()), "END:VCARD\r\n")
).encode())  # fmt: skip
_quoted = ";CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:"
container("vcard, quoted-printable", lambda f, c: "".join(
    ("BEGIN:VCARD\r\nVERSION:2.1\r\n",
     *(f"{k.upper()}{_quoted}{''.join(f'={b:02X}' for b in v.encode())}\r\n" for k, v in f.items()), "END:VCARD\r\n")
).encode())  # fmt: skip
container("sql", lambda f, c: "INSERT INTO t VALUES (1, {});".format(
    ", ".join("'" + v.replace("'", "''") + "'" for v in f.values())
).encode())  # fmt: skip

# --- binary formats ---


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def proto(fields: dict[str, Any], chance: random.Random) -> bytes:
    entries = b"".join(field(3, field(1, k.encode()) + field(2, v.encode())) for k, v in fields.items())
    return (
        b"\x08"
        + varint(chance.randrange(1 << 40))
        + field(2, b"event")
        + entries
        + b"\x21"
        + struct.pack("<d", chance.random())
    )


container("protobuf", proto, "application/x-protobuf")
container(
    "protobuf, flat", lambda f, c: b"\x08\x05" + b"".join(field(at, v.encode()) for at, v in enumerate(f.values(), 2))
)
container("protobuf, five deep", lambda f, c: field(1, field(2, field(3, field(4, proto(f, c))))))
container("protobuf, json inside", lambda f, c: field(1, b"x") + field(2, doc(f, c)))
container("protobuf, gzip inside", lambda f, c: field(1, b"x") + field(4, world.gz(proto(f, c))))
container(
    "protobuf behind its length", lambda f, c: varint(len(proto(f, random.Random(1)))) + proto(f, random.Random(1))
)
container("protobuf, base64 in json", lambda f, c: world.dumps({"sourceExtension": b64(proto(f, c))}))
container(
    "protobuf, messages behind their lengths",
    lambda f, c: b"".join(varint(len(m)) + m for m in (proto({}, c), proto(f, c))),
)


def grpc(data: bytes, packed: int = 0) -> bytes:
    return struct.pack(">BI", packed, len(data)) + data


container("grpc", lambda f, c: Sent(grpc(proto(f, c)), "application/grpc"))
container("grpc, several", lambda f, c: Sent(grpc(proto({}, c)) + grpc(proto(f, c)), "application/grpc+proto"))
container(
    "grpc, gzip",
    lambda f, c: Sent(grpc(world.gz(proto(f, c)), 1), "application/grpc", headers=(("grpc-encoding", "gzip"),)),
)
container(
    "grpc, deflate",
    lambda f, c: Sent(grpc(zlib.compress(proto(f, c)), 1), "application/grpc", headers=(("grpc-encoding", "deflate"),)),
)
container(
    "grpc, snappy",
    lambda f, c: Sent(
        grpc(bytes(cramjam.snappy.compress_raw(proto(f, c))), 1),
        "application/grpc",
        headers=(("grpc-encoding", "snappy"),),
    ),
)
container("grpc-web text", lambda f, c: Sent(base64.b64encode(grpc(proto(f, c))), "application/grpc-web-text"))
container("messagepack", lambda f, c: msgpack.packb({"n": 1, "d": [f, {"t": 1.5}]}))
container("messagepack, bytes", lambda f, c: msgpack.packb({"n": 1, "d": {k: v.encode() for k, v in f.items()}}))
container("messagepack, several", lambda f, c: msgpack.packb({"n": 1}) + msgpack.packb(f) + msgpack.packb([1, 2]))
container("messagepack, list", lambda f, c: msgpack.packb(["evt", 17, *f.values(), None]))
container("cbor", lambda f, c: cbor2.dumps({"n": 1, "d": [f, {"t": 1.5}]}))
container("cbor, tagged", lambda f, c: cbor2.dumps(cbor2.CBORTag(55799, {"n": 1, "d": f})))
container("cbor, bytes", lambda f, c: cbor2.dumps({1: {k: v.encode() for k, v in f.items()}}))
container(
    "cbor, indefinite",
    lambda f, c: (
        b"\xbf"
        + b"".join(
            cbor2.dumps(k) + b"\x7f" + cbor2.dumps(v[: len(v) // 2]) + cbor2.dumps(v[len(v) // 2 :]) + b"\xff"
            for k, v in f.items()
        )
        + b"\xff"
    ),
)
container("bson", lambda f, c: bson.encode({"n": 1, "d": [f, {"t": 1.5}]}))
container("bson, binary", lambda f, c: bson.encode({"d": {k: v.encode() for k, v in f.items()}}))


def thrift(
    protocol: Any, fields: dict[str, Any], *, message: bool = True, framed: bool = False, reals: tuple[float, ...] = ()
) -> bytes:
    memory = TTransport.TMemoryBuffer()
    out = protocol(memory)
    if message:
        out.writeMessageBegin("report", TMessageType.CALL, 7)
    out.writeStructBegin("args")
    out.writeFieldBegin("id", TType.I64, 1)
    out.writeI64(1_234_567)
    out.writeFieldEnd()
    out.writeFieldBegin("d", TType.STRUCT, 2)
    out.writeStructBegin("d")
    number = 0
    for number, text in enumerate(fields.values(), 1):
        out.writeFieldBegin("f", TType.STRING, number)
        out.writeString(text)
        out.writeFieldEnd()
    for at, real in enumerate(reals, number + 1):
        out.writeFieldBegin("r", TType.DOUBLE, at)
        out.writeDouble(real)
        out.writeFieldEnd()
    out.writeFieldStop()
    out.writeStructEnd()
    out.writeFieldEnd()
    out.writeFieldBegin("m", TType.MAP, 3)
    out.writeMapBegin(TType.STRING, TType.STRING, len(fields))
    for key, text in fields.items():
        out.writeString(key)
        out.writeString(text)
    out.writeMapEnd()
    out.writeFieldEnd()
    out.writeFieldStop()
    out.writeStructEnd()
    if message:
        out.writeMessageEnd()
    data: bytes = memory.getvalue()
    return struct.pack(">I", len(data)) + data if framed else data


container("thrift, compact", lambda f, c: thrift(TCompactProtocol.TCompactProtocol, f))
container("thrift, compact, bare", lambda f, c: thrift(TCompactProtocol.TCompactProtocol, f, message=False))
container("thrift, binary", lambda f, c: thrift(TBinaryProtocol.TBinaryProtocol, f))
container("thrift, binary, framed", lambda f, c: thrift(TBinaryProtocol.TBinaryProtocol, f, framed=True))
container("thrift, binary, bare", lambda f, c: thrift(TBinaryProtocol.TBinaryProtocol, f, message=False))
container("thrift, json", lambda f, c: thrift(TJSONProtocol.TJSONProtocol, f))


def avro(fields: dict[str, Any], codec: str = "null", *, bare: bool = False, reals: tuple[float, ...] = ()) -> bytes:
    schema = fastavro.parse_schema(
        {
            "type": "record",
            "name": "r",
            "fields": [
                {"name": "n", "type": "long"},
                {"name": "m", "type": {"type": "map", "values": "string"}},
                {"name": "c", "type": {"type": "array", "items": "double"}},
            ],
        }
    )
    file = io.BytesIO()
    record = {"n": 1_700_000_000_123, "m": fields, "c": list(reals)}
    if bare:
        fastavro.schemaless_writer(file, schema, record)
    else:
        fastavro.writer(file, schema, [record] * 3, codec=codec, sync_marker=b"sixteen byte mark"[:16])
    return file.getvalue()


container("avro", lambda f, c: avro(f))
container("avro, deflate", lambda f, c: avro(f, "deflate"))
container("avro, bare", lambda f, c: avro(f, bare=True))
container(
    "length before each",
    lambda f, c: b"\x00\x07" + b"".join(struct.pack(">H", len(v.encode())) + v.encode() for v in f.values()),
)
container("nul behind each", lambda f, c: b"\x01\x02\x93\xfe" + b"\0".join(v.encode() for v in f.values()) + b"\0")
container("fixed fields, padded", lambda f, c: b"\x01\xfe" + b"".join(v.encode().ljust(64, b"\0") for v in f.values()))
container(
    "utf-16 in binary",
    lambda f, c: (
        b"\x93\xfe\x01"
        + c.randbytes(40)
        + b"\x00\x01".join(v.encode("utf-16le") for v in f.values())
        + b"\xfe"
        + c.randbytes(30)
    ),
)
container(
    "java serialized",
    lambda f, c: (
        b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap"
        + b"".join(b"t" + struct.pack(">H", len(v.encode())) + v.encode() for kv in f.items() for v in kv)
        + b"x"
    ),
)
container(
    "between random bytes",
    lambda f, c: c.randbytes(120) + b"".join(b"\x00" + v.encode() + b"\xff" + c.randbytes(20) for v in f.values()),
)


def parcel(fields: dict[str, Any]) -> bytes:
    """android.os.Parcel: length in characters, UTF-16, a zero, padded to four."""
    out = struct.pack("<II", 0x4C444E42, len(fields))
    for text in itertools.chain(*fields.items()):
        units = text.encode("utf-16le") + b"\0\0"
        out += struct.pack("<I", len(units) // 2 - 1) + units + b"\0" * (-len(units) % 4)
    return out


container("parcel", lambda f, c: parcel(f))


def amf(fields: dict[str, Any]) -> bytes:
    return (
        b"\x03"
        + b"".join(
            struct.pack(">H", len(k)) + k.encode() + b"\x02" + struct.pack(">H", len(v.encode())) + v.encode()
            for k, v in fields.items()
        )
        + b"\0\0\x09"
    )


container("amf", lambda f, c: amf(f))

# --- archives and files ---


def archive(name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for one, content in (("readme.txt", b"nothing here"), (name, data)):
            opened.writestr(zipfile.ZipInfo(one), content, method)
    return file.getvalue()


class Unseekable(io.BytesIO):
    """A stream that cannot go back, so that sizes stand behind the members."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def streamed(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = Unseekable()
    with zipfile.ZipFile(file, "w", method) as opened:
        opened.writestr(zipfile.ZipInfo("a.json"), data, method)
    return file.getvalue()


def tar(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as opened:
        for one, content in (("n.txt", b"1"), (name, data)):
            member = tarfile.TarInfo(one)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return file.getvalue()


container("zip", lambda f, c: archive("a.json", doc(f, c)), "application/zip")
container("zip, stored", lambda f, c: archive("a.json", doc(f, c), zipfile.ZIP_STORED))
container("zip, bz2", lambda f, c: archive("a.json", doc(f, c), zipfile.ZIP_BZIP2))
container("zip, lzma", lambda f, c: archive("a.json", doc(f, c), zipfile.ZIP_LZMA))
container("zip, streamed", lambda f, c: streamed(doc(f, c)))
container("zip, streamed and stored", lambda f, c: streamed(doc(f, c), zipfile.ZIP_STORED))
container(
    "zip, names of members", lambda f, c: archive("/".join(f.values()) + ".txt", b"x"), fits=lambda v: "/" not in v.text
)
container("zip in zip", lambda f, c: archive("inner.zip", archive("a.csv", table(f))))
container("zip in base64", lambda f, c: world.dumps({"z": b64(archive("a", doc(f, c)))}))
container("tar", lambda f, c: tar("a.json", doc(f, c)))
container("tar.gz", lambda f, c: world.gz(tar("a.json", doc(f, c))))
container("tar.xz", lambda f, c: lzma.compress(tar("a.json", doc(f, c))))


def database(fields: dict[str, Any], *, wal: bool = False, page: int = 4096, charset: str = "UTF-8") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        opened = sqlite3.connect(path)
        opened.execute(f"pragma page_size={page}")
        opened.execute(f"pragma encoding='{charset}'")
        if wal:
            opened.execute("pragma journal_mode=wal")
        opened.execute("create table people (id integer primary key, k text, v text)")
        opened.executemany(
            "insert into people (k, v) values (?, ?)", [("x" * 10, "nothing")] * 40 + list(fields.items())
        )
        opened.commit()
        data = (path.with_name("a.db-wal") if wal else path).read_bytes()
        opened.close()
    return _without_salts(data) if wal else data


def _without_salts(log: bytes) -> bytes:
    """The log with its random numbers, and the sums over them, set to zero."""
    out = bytearray(log)
    out[16:32] = bytes(16)
    for at in range(32, len(out), 24 + int.from_bytes(out[8:12])):
        out[at + 8 : at + 24] = bytes(16)
    return bytes(out)


container("sqlite", lambda f, c: database(f))
container("sqlite, small pages", lambda f, c: database(f, page=512))
container("sqlite, utf-16", lambda f, c: database(f, charset="UTF-16le"))
container("sqlite, write-ahead log", lambda f, c: database(f, wal=True))
container("sqlite, write-ahead log, utf-16", lambda f, c: database(f, wal=True, charset="UTF-16be"))
container("sqlite, gzip", lambda f, c: world.gz(database(f)))

# --- where in a request ---

URL = "https://in.metrics.test/v1/"


def asked(rest: str) -> Sent:
    return Sent(url=URL + rest)


def headed(name: str, text: str) -> Sent:
    return Sent(headers=((name, text),))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def short(most: int) -> Callable[[Value], bool]:
    return lambda value: len(value.text.encode()) < most


container("query", lambda f, c: asked(f"p.gif?a=1&{urlencode(f)}&z=2"))
container("query, twice", lambda f, c: asked("p?u=" + quote("https://x.test/?" + urlencode(f), safe="")))
container("query, base64", lambda f, c: asked("p?d=" + b64url(doc(f, c))))
container("query, json", lambda f, c: asked("p?d=" + quote(doc(f, c))))
container("query, gzip and base64", lambda f, c: asked("p?d=" + quote(b64(world.gz(doc(f, c))), safe="")))
container("query, semicolons", lambda f, c: asked("p?" + each(f, "{k}={p}", ";")))
container("query without keys", lambda f, c: asked("p?" + each(f, "{p}", "|")))
container("path", lambda f, c: asked(each(f, "{q}", "/") + "/x"))
container("path, base64", lambda f, c: asked(b64url(doc(f, c)).rstrip("=")))
container("path, file name", lambda f, c: asked(each(f, "{q}", "-") + ".png"))
container("matrix parameters", lambda f, c: asked("p;" + each(f, "{k}={q}", ";") + "/x"))
container("fragment", lambda f, c: asked("p#" + urlencode(f)))
container("fragment, route", lambda f, c: asked("p#/home?" + urlencode(f)))
container("user info", lambda f, c: Sent(url=f"https://{each(f, '{q}', ':')}@in.metrics.test/"))
container(
    "host label, hex",
    lambda f, c: Sent(url=f"https://{'.'.join(v.encode().hex()[:62] for v in f.values())}.t.test/p"),
    fits=short(31),
)
container(
    "host label, base32",
    lambda f, c: Sent(url="https://{}.t.test/".format(
        ".".join(base64.b32encode(v.encode()).decode().rstrip("=").lower() for v in f.values())
    )),
    fits=short(38),
)  # fmt: skip
container("cookie", lambda f, c: headed("Cookie", "a=1; " + each(f, "{k}={q}", "; ")))
container("cookie, base64 of json", lambda f, c: headed("Cookie", "a=1; uids=" + b64(doc(f, c))))
container("header", lambda f, c: Sent(headers=tuple((f"X-{k}", quote(v)) for k, v in f.items())))
container("header, as it is", lambda f, c: Sent(headers=tuple((f"X-{k}", v) for k, v in f.items())))
container("header, base64 of json", lambda f, c: headed("X-Client-Data", b64(doc(f, c))))
container("header, json", lambda f, c: headed("X-Device", json.dumps(f)))
container("header, list", lambda f, c: headed("X-Info", dump_options_header("v1", {**f, "n": "1"})))
container("user agent", lambda f, c: headed(
    "User-Agent", f"App/3.1 (Android 13; Pixel 7; {'; '.join(f.values())}) okhttp/4.12"
))  # fmt: skip
container("referer", lambda f, c: headed("Referer", "https://x.test/p?" + urlencode(f)))
container("authorization, basic", lambda f, c: headed(
    "Authorization", "Basic " + b64(":".join(f.values()).encode() + b":pw")
))  # fmt: skip
container("authorization, bearer", lambda f, c: headed("Authorization", "Bearer " + letters.jwt(json.dumps(f))))
container("authorization, oauth", lambda f, c: headed(
    "Authorization", 'OAuth realm="x", ' + each(f, '{k}="{q}"', ", ")
))  # fmt: skip
container("baggage", lambda f, c: headed("baggage", "a=1," + each(f, "{k}={q}", ",")))
_disposition = "attachment; filename*=UTF-8''"
container("content-disposition", lambda f, c: Sent(
    b"\xff\xd8\xff", "image/jpeg", headers=(("Content-Disposition", _disposition + quote("-".join(f.values()))),)
))  # fmt: skip
container("trailing garbage", lambda f, c: doc(f, c) + b"\0\0\0\x17", "application/json")


# --- on the wire ---


def frame(data: bytes, head: int, mask: bytes = b"\x9a\x37\xc4\x01") -> bytes:
    if len(data) < 126:
        size = bytes((0x80 | len(data),))
    elif len(data) < 1 << 16:
        size = b"\xfe" + struct.pack(">H", len(data))
    else:
        size = b"\xff" + struct.pack(">Q", len(data))
    return bytes((head,)) + size + mask + bytes(a ^ b for a, b in zip(data, itertools.cycle(mask), strict=False))


def small_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-15)
    return (machine.compress(data) + machine.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


container("websocket text", lambda f, c: Sent(doc(f, c), via="websocket"))
container("websocket frames", lambda f, c: Sent(frame(doc({}, c), 0x81) + frame(doc(f, c), 0x81), via="tcp"))
container("websocket frames, binary", lambda f, c: Sent(frame(msgpack.packb(f), 0x82), via="tcp"))
container("websocket frames, deflated", lambda f, c: Sent(frame(small_deflate(doc(f, c)), 0xC1), via="tcp"))
container("socket.io", lambda f, c: Sent(b'42/chat,17["update",' + doc(f, c) + b"]", via="websocket"))
container(
    "stomp",
    lambda f, c: Sent(b"SEND\ndestination:/q\ncontent-type:application/json\n\n" + doc(f, c) + b"\0", via="websocket"),
)


def mqtt(topic: str, payload: bytes) -> bytes:
    inner = struct.pack(">H", len(topic)) + topic.encode() + payload
    return b"\x30" + varint(len(inner)) + inner


container("mqtt", lambda f, c: Sent(mqtt("dev/1/up", doc(f, c)), via="tcp"))
container(
    "mqtt, topic",
    lambda f, c: Sent(mqtt("dev/" + "/".join(f.values()), b"\x01"), via="tcp"),
    fits=lambda v: v.text.isascii(),
)
container(
    "statsd",
    lambda f, c: Sent(b"\n".join(b"app.x:1|c|#%s:%s" % (k.encode(), v.encode()) for k, v in f.items()), via="udp"),
)


def dns(labels: list[bytes], name: bytes = b"\x01t\x06tunnel\x04test\x00") -> bytes:
    return b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"".join(bytes((len(one),)) + one for one in labels) + name + b"\0\1\0\1"


def pieces(data: bytes, size: int = 60) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


container("dns, hex", lambda f, c: Sent(dns(pieces(world.dumps(f).hex().encode())), via="dns"))
container(
    "dns, base32", lambda f, c: Sent(dns(pieces(base64.b32encode(world.dumps(f)).rstrip(b"=").lower())), via="dns")
)
container(
    "dns, plain",
    lambda f, c: Sent(dns([v.encode() for v in f.values()]), via="dns"),
    fits=lambda v: len(v.text.encode()) < 63,
)
container("dns over https", lambda f, c: Sent(dns(pieces(world.dumps(f).hex().encode())), "application/dns-message"))
container("sms", lambda f, c: Sent(" ".join(f.values()).encode(), via="sms", url=""))
container(
    "intent",
    lambda f, c: Sent(
        url="intent:#Intent;action=a.b;" + ";".join(f"S.{k}={quote(v, safe='')}" for k, v in f.items()) + ";end",
        via="intent",
    ),
)

# --- places as binary numbers ---


def signed(number: int) -> bytes:
    return varint(number & 0xFFFFFFFFFFFFFFFF)


def zigzag(number: int) -> bytes:
    return varint((number << 1 ^ number >> 63) & 0xFFFFFFFFFFFFFFFF)


def e(number: float, digits: int) -> int:
    return round(number * float(10**digits))


def in_proto(
    code: Callable[[float], bytes], wire: int, gap: bytes = b""
) -> Callable[[float, float, random.Random], bytes]:
    def pack(lat: float, lon: float, chance: random.Random) -> bytes:
        inner = bytes((1 << 3 | wire,)) + code(lat) + gap + bytes((2 << 3 | wire,)) + code(lon)
        return field(1, b"event") + field(4, inner) + b"\x28\x05"

    return pack


for _name, _pack in {
    "protobuf doubles": in_proto(lambda one: struct.pack("<d", one), 1),
    "protobuf floats": in_proto(lambda one: struct.pack("<f", one), 5),
    "protobuf doubles, a text between": in_proto(lambda one: struct.pack("<d", one), 1, field(7, b"gps fix")),
    "protobuf fixed32, E7": in_proto(lambda one: struct.pack("<i", e(one, 7)), 5),
    "protobuf fixed32, E6": in_proto(lambda one: struct.pack("<i", e(one, 6)), 5),
    "protobuf fixed64, E7": in_proto(lambda one: struct.pack("<q", e(one, 7)), 1),
    "protobuf int32, E7": in_proto(lambda one: signed(e(one, 7)), 0),
    "protobuf int32, E6": in_proto(lambda one: signed(e(one, 6)), 0),
    "protobuf sint32, E7": in_proto(lambda one: zigzag(e(one, 7)), 0),
    "protobuf sint32, E6": in_proto(lambda one: zigzag(e(one, 6)), 0),
    "protobuf texts": in_proto(lambda one: varint(len(f"{one:.6f}")) + f"{one:.6f}".encode(), 2),
}.items():
    numbers(_name, _pack)
numbers("protobuf packed doubles", lambda lat, lon, c: field(1, b"x") + field(2, struct.pack("<2d", lat, lon)))
numbers("protobuf packed floats", lambda lat, lon, c: field(1, b"x") + field(2, struct.pack("<2f", lat, lon)))
numbers(
    "protobuf packed sint32, E7", lambda lat, lon, c: field(1, b"x") + field(2, zigzag(e(lat, 7)) + zigzag(e(lon, 7)))
)
numbers(
    "protobuf in two messages",
    lambda lat, lon, c: (
        field(1, b"\x09" + struct.pack("<d", lat)) + field(2, b"name") + field(3, b"\x09" + struct.pack("<d", lon))
    ),
)
numbers("messagepack doubles", lambda lat, lon, c: msgpack.packb({"n": 1, "loc": {"lat": lat, "lon": lon}}))
numbers("messagepack floats", lambda lat, lon, c: msgpack.packb({"p": [lat, lon]}, use_single_float=True))
numbers("messagepack E7", lambda lat, lon, c: msgpack.packb({"p": [e(lat, 7), e(lon, 7)], "n": "x"}))
numbers("cbor doubles", lambda lat, lon, c: cbor2.dumps({"n": 1, "loc": {"lat": lat, "lon": lon}}))
numbers(
    "cbor floats", lambda lat, lon, c: b"\xa2cLat\xfa" + struct.pack(">f", lat) + b"cLon\xfa" + struct.pack(">f", lon)
)
numbers("cbor E7", lambda lat, lon, c: cbor2.dumps([7, "x", e(lat, 7), e(lon, 7)]))
numbers(
    "cbor decimal fractions", lambda lat, lon, c: cbor2.dumps({"p": [Decimal(f"{lat:.6f}"), Decimal(f"{lon:.6f}")]})
)
numbers("bson doubles", lambda lat, lon, c: bson.encode({"n": 1, "loc": {"type": "Point", "coordinates": [lon, lat]}}))
numbers("bson E7", lambda lat, lon, c: bson.encode({"a": e(lat, 7), "b": "gps", "c": e(lon, 7)}))
numbers(
    "thrift doubles, compact",
    lambda lat, lon, c: thrift(TCompactProtocol.TCompactProtocol, {"p": "gps fix"}, reals=(lat, lon)),
)
numbers(
    "thrift doubles, binary",
    lambda lat, lon, c: thrift(TBinaryProtocol.TBinaryProtocol, {"p": "gps fix"}, reals=(lat, lon)),
)
numbers("avro doubles", lambda lat, lon, c: avro({"p": "gps"}, reals=(lat, lon)))
numbers("avro doubles, deflate", lambda lat, lon, c: avro({"p": "gps"}, "deflate", reals=(lat, lon)))
numbers("plist reals", lambda lat, lon, c: plistlib.dumps({"a": lat, "n": "x", "b": lon}, fmt=plistlib.FMT_BINARY))
for _name, _form, _scale in (
    ("doubles, little endian", "<2d", 0),
    ("doubles, big endian", ">2d", 0),
    ("floats, little endian", "<2f", 0),
    ("floats, big endian", ">2f", 0),
    ("int32 E7, little endian", "<2i", 7),
    ("int32 E7, big endian", ">2i", 7),
    ("int32 E6, little endian", "<2i", 6),
    ("int32 E6, big endian", ">2i", 6),
    ("int32 E5, big endian", ">2i", 5),
    ("int64 E7, little endian", "<2q", 7),
    ("int64 E6, big endian", ">2q", 6),
):
    for _swapped in (False, True):
        numbers(
            f"{_name}, longitude first" if _swapped else _name,
            lambda lat, lon, c, code=_form, scale=_scale, swapped=_swapped: (
                b"\x93\xff\x01\xfe"  # type: ignore[misc]
                + struct.pack(
                    code, *((e(one, scale) if scale else one) for one in ((lon, lat) if swapped else (lat, lon)))
                )
                + b"\xfe\x80\x01"
            ),
        )
numbers(
    "doubles with an altitude between",
    lambda lat, lon, c: b"\x93\xff\x01" + struct.pack("<ddd", lat, 12.5, lon) + b"\xfe",
)
numbers(
    "doubles with a time between",
    lambda lat, lon, c: b"\x93\xff\x01" + struct.pack(">dqd", lat, 1_773_478_800_000, lon) + b"\xfe",
)
numbers(
    "floats with a flag between",
    lambda lat, lon, c: b"\x93\xff\x01" + struct.pack("<f", lat) + b"\x01" + struct.pack("<f", lon) + b"\xfe\xfe",
)
numbers("sqlite reals", lambda lat, lon, c: _track(lat, lon))


def _track(lat: float, lon: float) -> bytes:
    opened = sqlite3.connect(":memory:")
    opened.execute("create table track (id integer primary key, lat real, lon real, t int)")
    opened.execute("insert into track (lat, lon, t) values (?, ?, 1773478800)", (lat, lon))
    opened.commit()
    return opened.serialize()


def jpeg(lat: float, lon: float, order: str = ">") -> bytes:
    """A photograph's beginning, with where it was taken."""

    def rationals(degrees: float) -> bytes:
        total = round(abs(degrees) * 3600 * 100)
        return struct.pack(f"{order}6I", total // 360_000, 1, total % 360_000 // 6000, 1, total % 6000, 100)

    mark = b"MM" if order == ">" else b"II"
    head = mark + struct.pack(f"{order}HI", 42, 8)
    main = struct.pack(f"{order}HHHIII", 1, 0x8825, 4, 1, 26, 0)
    entries = 4
    data_at = 26 + 2 + entries * 12 + 4
    gps = struct.pack(f"{order}H", entries)
    gps += struct.pack(f"{order}HHI", 1, 2, 2) + b"NS"[lat < 0 : (lat < 0) + 1] + b"\0\0\0"
    gps += struct.pack(f"{order}HHII", 2, 5, 3, data_at)
    gps += struct.pack(f"{order}HHI", 3, 2, 2) + b"EW"[lon < 0 : (lon < 0) + 1] + b"\0\0\0"
    gps += struct.pack(f"{order}HHII", 4, 5, 3, data_at + 24)
    tiff = head + main + gps + struct.pack(f"{order}I", 0) + rationals(lat) + rationals(lon)
    app1 = b"Exif\0\0" + tiff
    return (
        b"\xff\xd8\xff\xe1"
        + struct.pack(">H", len(app1) + 2)
        + app1
        + b"\xff\xdb\x00\x43\x00"
        + bytes(64)
        + b"\xff\xd9"
    )


numbers("exif of a photograph", lambda lat, lon, c: Sent(jpeg(lat, lon), "image/jpeg"))
numbers("exif of a photograph, Intel", lambda lat, lon, c: Sent(jpeg(lat, lon, "<"), "image/jpeg"))
numbers(
    "exif in multipart",
    lambda lat, lon, c: multipart([("p", '; filename="a.jpg"\r\nContent-Type: image/jpeg', jpeg(lat, lon))]),
)


# --- ids and numbers in binary ---


def binary(name: str, types: str, pack: Callable[[str, random.Random], bytes | None]) -> None:
    wanted = types.split()

    def make(value: Value, chance: random.Random) -> Sent | None:
        body = pack(value.text, chance) if value.type in wanted else None
        return None if body is None else Sent(body, "application/octet-stream")

    way(name, make)


def decimal(text: str) -> int | None:
    pure = text.lstrip("+")
    return int(pure) if pure.isdigit() and len(pure) < 19 else None


def raw(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", "").replace("-", ""))


def when(number: int | None, pack: Callable[[int], bytes]) -> bytes | None:
    return None if number is None else pack(number)


NUMBERS = "phone_number device_id_imei device_id_imsi"
binary(
    "protobuf varint",
    NUMBERS,
    lambda t, c: when(decimal(t), lambda n: field(1, b"e") + b"\x10" + varint(n) + b"\x18\x07"),
)
binary(
    "protobuf sint64",
    NUMBERS,
    lambda t, c: when(decimal(t), lambda n: field(1, b"e") + b"\x10" + zigzag(n) + b"\x18\x07"),
)
binary(
    "protobuf fixed64",
    NUMBERS,
    lambda t, c: when(decimal(t), lambda n: field(1, b"e") + b"\x11" + struct.pack("<Q", n)),
)
binary(
    "protobuf double", NUMBERS, lambda t, c: when(decimal(t), lambda n: field(1, b"e") + b"\x11" + struct.pack("<d", n))
)
binary("messagepack integer", NUMBERS, lambda t, c: when(decimal(t), lambda n: msgpack.packb({"e": 1, "v": n})))
binary("cbor integer", NUMBERS, lambda t, c: when(decimal(t), lambda n: cbor2.dumps({"e": 1, "v": [n]})))
binary("bson integer", NUMBERS, lambda t, c: when(decimal(t), lambda n: bson.encode({"e": 1, "v": bson.Int64(n)})))
binary(
    "thrift i64",
    NUMBERS,
    lambda t, c: when(decimal(t), lambda n: b"\x82\x21\x01\x04send\x1c\x16" + zigzag(n) + b"\0\0"),
)
binary("sqlite integer", NUMBERS, lambda t, c: when(decimal(t), _integers))
binary(
    "long, big endian",
    NUMBERS,
    lambda t, c: when(decimal(t), lambda n: b"\x93\xff\x01\xfe" + struct.pack(">q", n) + b"\xfe\x80\x01"),
)
binary(
    "long, little endian",
    NUMBERS,
    lambda t, c: when(decimal(t), lambda n: b"\x93\xff\x01\xfe" + struct.pack("<q", n) + b"\xfe\x80\x01"),
)
IDS = "mac_address android_id advertising_id oaid"
binary("id bytes in protobuf", IDS, lambda t, c: field(1, b"e") + field(2, raw(t)) + b"\x18\x07")
binary("id bytes in messagepack", IDS, lambda t, c: msgpack.packb({"e": 1, "v": raw(t)}))
binary("id bytes in cbor", IDS, lambda t, c: cbor2.dumps({"e": 1, "v": raw(t)}))
binary("id bytes in bson", IDS, lambda t, c: bson.encode({"e": 1, "v": raw(t)}))
binary("id bytes between others", IDS, lambda t, c: c.randbytes(30) + raw(t) + c.randbytes(30))
binary("fixed64 of an id", "android_id", lambda t, c: field(1, b"e") + b"\x11" + struct.pack("<Q", int(t, 16)))
binary(
    "varint of an id", "mac_address android_id", lambda t, c: field(1, b"e") + b"\x10" + varint(int.from_bytes(raw(t)))
)
binary("cbor uuid", "advertising_id oaid", lambda t, c: cbor2.dumps({"e": 1, "v": uuid.UUID(t)}))
binary("bson uuid", "advertising_id oaid", lambda t, c: bson.encode({"e": 1, "v": bson.Binary(raw(t), 4)}))
DIGESTED = "phone_number email device_id_imei mac_address android_id"


def sha(text: str, name: str = "sha256") -> bytes:
    return hashlib.new(name, (text.lower() if "@" in text else text).encode()).digest()


binary("raw digest in protobuf", DIGESTED, lambda t, c: field(1, b"e") + field(2, sha(t)) + b"\x18\x07")
binary("raw digest in messagepack", DIGESTED, lambda t, c: msgpack.packb({"e": 1, "v": sha(t, "md5")}))
binary("raw digest in cbor", DIGESTED, lambda t, c: cbor2.dumps([sha(t, "sha1")]))
binary("raw digest alone", DIGESTED, lambda t, c: sha(t))
binary("raw digests in a row", DIGESTED, lambda t, c: b"".join(sorted((sha("a"), sha(t), sha("b")))))
binary("raw digest behind a head", DIGESTED, lambda t, c: b"\x01\x00\x00\x20" + sha(t))
binary("raw digest in base64 with a version", DIGESTED, lambda t, c: world.dumps({"q": b64(b"\x01" + sha(t))}))


def _integers(number: int) -> bytes:
    opened = sqlite3.connect(":memory:")
    opened.execute("create table t (id integer primary key, v integer)")
    opened.executemany("insert into t (v) values (?)", [(number,), (7,)])
    opened.commit()
    return opened.serialize()
