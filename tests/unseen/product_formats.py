"""Further containers: formats of messengers, games, crash reports and maps."""

from __future__ import annotations

import base64
import html
import json
import random
import struct
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

import lz4.block
import msgpack

from tests.unseen import Sent, world
from tests.unseen.containers import Pack, container, doc, field, frame, mqtt, numbers, proto, varint
from tests.unseen.language_dumps import lz_string
from tests.unseen.locales import rmc
from tests.unseen.rarer import b64

# --- containers ---


def utf(text: str) -> bytes:
    """DataOutputStream.writeUTF."""
    return struct.pack(">H", len(text.encode())) + text.encode()


def ion(fields: dict[str, Any]) -> bytes:
    """A list of strings in Amazon's Ion."""
    inner = b"".join(b"\x8e" + _ion_size(len(v.encode())) + v.encode() for v in fields.values())
    return b"\xe0\x01\x00\xea\xbe" + _ion_size(len(inner)) + inner


def _ion_size(size: int) -> bytes:
    return bytes((size >> 7, size & 127 | 128)) if size > 127 else bytes((size | 128,))


def lz4_of_messagepack(fields: dict[str, Any]) -> bytes:
    """MessagePack for C#, as games pack it: an extension 99 of the length unpacked and an LZ4 block."""
    plain = msgpack.packb({**fields, "n": "x" * 80})
    packed = lz4.block.compress(plain, store_size=False)
    return bytes(msgpack.packb(msgpack.ExtType(99, b"\xd2" + struct.pack(">i", len(plain)) + packed)))


def abx(fields: dict[str, Any]) -> bytes:
    """Android's binary XML: interned names and texts behind their lengths."""
    out = b"ABX\0\x10\x32\xff\xff" + utf("map")
    for key, value in fields.items():
        out += b"\x2f\xff\xff" + utf(key) + utf(value)
    return out + b"\x33\x00\x00\x11"


def capnp(fields: dict[str, Any]) -> bytes:
    texts = [v.encode() + b"\0" for v in fields.values()]
    return b"".join(struct.pack("<II", 0, 1 + len(t) // 8) + t + b"\0" * (-len(t) % 8) for t in texts)


def in_chunks(body: bytes) -> bytes:
    """A request of HTTP/1.1 as it stands in the connection, ten bytes a chunk."""
    parts = [body[n : n + 10] for n in range(0, len(body), 10)]
    return (
        b"POST /r HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        + b"0\r\n\r\n"
    )


def as_query(fields: dict[str, Any]) -> str:
    return urllib.parse.urlencode(fields)


def nested(fields: dict[str, Any], chance: Any) -> str:
    return doc(fields, chance).decode()


FORMATS: dict[str, Pack] = {
    "data output stream": lambda f, c: b"\0\0\0\x07" + b"".join(utf(v) for v in f.values()),
    "data output stream, utf-16": lambda f, c: b"".join(
        struct.pack(">I", len(v)) + v.encode("utf-16be") for v in f.values()
    ),
    "c#, binary writer": lambda f, c: b"\x01\0" + b"".join(varint(len(v.encode())) + v.encode() for v in f.values()),
    "ion": lambda f, c: ion(f),
    "messagepack for c#, lz4": lambda f, c: lz4_of_messagepack(f),
    "binary xml of android": lambda f, c: abx(f),
    "cap'n proto": lambda f, c: capnp(f),
    "engine.io, several": lambda f, c: Sent(
        ("\x1e".join(("2probe", "42" + json.dumps(["e", f])))).encode(), via="websocket"
    ),
    "engine.io, lengths": lambda f, c: f"{len(json.dumps(['e', f])) + 2}:42{json.dumps(['e', f])}1:2".encode(),
    "socket.io, binary": lambda f, c: Sent(
        ('451-["e",{"_placeholder":true,"num":0}]' + json.dumps(f)).encode(), via="websocket"
    ),
    "firebase, websocket": lambda f, c: Sent(
        json.dumps({"t": "d", "d": {"r": 7, "a": "p", "b": {"p": "/u/1", "d": f}}}).encode(), via="websocket"
    ),
    "meteor": lambda f, c: Sent(json.dumps([json.dumps({"msg": "method", "params": [f]})]).encode(), via="websocket"),
    "action cable": lambda f, c: Sent(
        json.dumps({"command": "message", "data": json.dumps(f)}).encode(), via="websocket"
    ),
    "mqtt in a websocket": lambda f, c: Sent(frame(mqtt("u/1", json.dumps(f).encode()), 0x82), via="websocket"),
    "bencode": lambda f, c: (
        b"d%se" % b"".join(b"%d:%s" % (len(one), one) for k, v in sorted(f.items()) for one in (k.encode(), v.encode()))
    ),
    "chunks of http": lambda f, c: Sent(in_chunks(doc(f, c)), via="tcp"),
    "xml in windows-1252": lambda f, c: (
        '<?xml version="1.0" encoding="windows-1252"?>'
        f"<r>{''.join(f'<{k}>{html.escape(v)}</{k}>' for k, v in f.items())}</r>"
    ).encode("cp1252", "xmlcharrefreplace"),
    "mqtt, protobuf": lambda f, c: Sent(mqtt("u/1", proto(f, c)), via="tcp"),
    "xmpp": lambda f, c: Sent(
        b"<message to='a@b.test'><body>"
        + html.escape(json.dumps(f, ensure_ascii=False)).encode()
        + b"</body></message>",
        via="tcp",
    ),
    "soap": lambda f, c: "<soap:Envelope><soap:Body>{}</soap:Body></soap:Envelope>".format(
        "".join(f"<m:{k}>{html.escape(v)}</m:{k}>" for k, v in f.items())
    ).encode(),
    "xml-rpc": lambda f, c: "<methodCall><params>{}</params></methodCall>".format(
        "".join(f"<param><value><string>{html.escape(v)}</string></value></param>" for v in f.values())
    ).encode(),
    "json-rpc": lambda f, c: json.dumps(
        {"jsonrpc": "2.0", "method": "m", "params": list(f.values()), "id": 1}
    ).encode(),
    "server sent": lambda f, c: f"event: m\nid: 1\ndata: {json.dumps(f)}\n\n".encode(),
    "json, comments": lambda f, c: f"/* v1 */ {json.dumps(f)} // end".encode(),
    "jsonp": lambda f, c: f"cb_7({json.dumps(f)});".encode(),
    "json behind a guard": lambda f, c: b")]}',\n" + json.dumps(f).encode(),
    "json behind a loop": lambda f, c: b"for(;;);" + json.dumps(f).encode(),
    "json without quotes": lambda f, c: (
        "{" + ",".join(f"{k}:{json.dumps(v, ensure_ascii=False)}" for k, v in f.items()) + "}"
    ).encode(),
    "json of single quotes": lambda f, c: ("{" + ",".join(f"'{k}':'{v}'" for k, v in f.items()) + "}").encode(),
    "json sequence": lambda f, c: b"\x1e" + json.dumps({"a": 1}).encode() + b"\n\x1e" + json.dumps(f).encode() + b"\n",
    "columns and rows": lambda f, c: json.dumps({"cols": list(f), "rows": [list(f.values())]}).encode(),
    "name and value": lambda f, c: json.dumps([{"name": k, "value": v} for k, v in f.items()]).encode(),
    "key, type and value": lambda f, c: json.dumps(
        {"ext": [{"k": k, "t": "string", "v": v} for k, v in f.items()]}
    ).encode(),
    "patch": lambda f, c: json.dumps([{"op": "add", "path": f"/{k}", "value": v} for k, v in f.items()]).encode(),
    "form, brackets": lambda f, c: "&".join(
        f"user%5B{k}%5D={urllib.parse.quote(v, safe='')}" for k, v in f.items()
    ).encode(),
    "form of one json, gzip and base64url": lambda f, c: b"p=" + base64.urlsafe_b64encode(world.gz(doc(f, c))),
    "form of one json, zlib and hex": lambda f, c: b"p=" + zlib.compress(doc(f, c)).hex().encode() + b"&v=1",
    "form in json in form": lambda f, c: b"d=" + urllib.parse.quote(json.dumps({"q": as_query(f)}), safe="").encode(),
    "form, blanks left": lambda f, c: "&".join(f"{k}={v}" for k, v in f.items()).replace("+", "%2B").encode(),
    "graph batch": lambda f, c: (
        b"batch="
        + urllib.parse.quote(
            json.dumps([{"method": "POST", "relative_url": "a/1", "body": as_query(f)}]), safe=""
        ).encode()
    ),
    "countly": lambda f, c: (
        b"requests=" + urllib.parse.quote(json.dumps([{"user_details": json.dumps({"custom": f})}]), safe="").encode()
    ),
    "appmetrica": lambda f, c: world.gz(field(3, field(2, json.dumps(f).encode()) + b"\x08\x01")),
    "sentry, attachment": lambda f, c: (
        b'{"event_id":"1"}\n{"type":"attachment","length":7,"filename":"a"}\nxxxxxxx\n{"type":"event"}\n'
        + doc(f, c)
        + b"\n"
    ),
    "gelf": lambda f, c: Sent(
        world.gz(json.dumps({"version": "1.1", **{f"_{k}": v for k, v in f.items()}}).encode()), via="udp"
    ),
    "syslog": lambda f, c: Sent(
        ("<34>1 2026-01-01T00:00:00Z h a - - [x@1 " + " ".join(f'{k}="{v}"' for k, v in f.items()) + "] m").encode(),
        via="udp",
    ),
    "graphite": lambda f, c: Sent(
        ("app.user;" + ";".join(f"{k}={v.replace(' ', '_')}" for k, v in f.items()) + " 1 1773478800").encode(),
        via="udp",
    ),
    "har": lambda f, c: json.dumps({"log": {"entries": [{"request": {"postData": {"text": json.dumps(f)}}}]}}).encode(),
    "crash report": lambda f, c: (
        f"Build: x\nABI: 'arm64'\n\n*** data: {json.dumps(f)}\n    #00 pc 000a1b2c  /system/lib64/libc.so\n".encode()
    ),
    "logcat": lambda f, c: "".join(f"01-01 00:00:00.000  1234  1234 D User: {k}={v}\n" for k, v in f.items()).encode(),
    "html form": lambda f, c: "<form>{}</form>".format(
        "".join(f'<input name="{k}" value="{html.escape(v)}">' for k, v in f.items())
    ).encode(),
    "query, base64 of json, percent twice": lambda f, c: Sent(
        url="https://a.test/i?d=" + urllib.parse.quote(urllib.parse.quote(b64(doc(f, c)), safe=""), safe="")
    ),
    "query, zlib of json": lambda f, c: Sent(
        url="https://a.test/i?d=" + base64.urlsafe_b64encode(zlib.compress(doc(f, c))).decode()
    ),
    "query, lz-string": lambda f, c: Sent(
        url="https://a.test/i?d=" + urllib.parse.quote(lz_string(nested(f, c)), safe="")
    ),
    "path, hex of json": lambda f, c: Sent(url="https://a.test/i/" + doc(f, c).hex() + "/x.gif"),
    "path, gzip in base64url": lambda f, c: Sent(
        url="https://a.test/i/" + base64.urlsafe_b64encode(world.gz(doc(f, c))).decode().rstrip("=") + ".gif"
    ),
    "header, cookie of a query": lambda f, c: Sent(
        headers=(("Cookie", "s=1; u=" + urllib.parse.quote(as_query(f), safe="")),)
    ),
    "header, json behind a name": lambda f, c: Sent(headers=(("X-Client", "v1 " + json.dumps(f)),)),
    "header, pairs": lambda f, c: Sent(
        headers=(("X-Device", "; ".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in f.items())),)
    ),
    "header, zlib in base64": lambda f, c: Sent(headers=(("X-D", b64(zlib.compress(doc(f, c)))),)),
    "protobuf behind a varint, several": lambda f, c: b"".join(
        varint(len(one)) + one for one in (b"\x08\x01", proto(f, c), b"\x08\x02")
    ),
    "protobuf behind four bytes, gzip": lambda f, c: (
        struct.pack(">I", len(world.gz(proto(f, c)))) + world.gz(proto(f, c))
    ),
    "protobuf map": lambda f, c: b"".join(field(5, field(1, k.encode()) + field(2, v.encode())) for k, v in f.items()),
    "protobuf of struct": lambda f, c: b"".join(
        field(1, field(1, k.encode()) + field(2, field(3, v.encode()))) for k, v in f.items()
    ),
    "protobuf any": lambda f, c: field(1, b"type.test/x.Y") + field(2, proto(f, c)),
    "protobuf in json in protobuf": lambda f, c: field(1, json.dumps({"p": b64(proto(f, c))}).encode()),
    "xor of nothing, gzip twice": lambda f, c: world.gz(world.gz(doc(f, c))),
    "gzip behind a head of 16 bytes": lambda f, c: b"HDR1" + struct.pack(">III", 1, 2, 3) + world.gz(doc(f, c)),
    "zlib behind a head of 8 bytes": lambda f, c: struct.pack(">II", 7, 9) + zlib.compress(doc(f, c)),
    "json in utf-16le without a mark": lambda f, c: doc(f, c).decode().encode("utf-16le"),
    "json in utf-16be without a mark": lambda f, c: doc(f, c).decode().encode("utf-16be"),
    "a picture with a text behind it": lambda f, c: (
        b"\x89PNG\r\n\x1a\n" + bytes(64) + b"IEND\xaeB\x60\x82" + json.dumps(f).encode()
    ),
    "text of a png": lambda f, c: png(json.dumps(f).encode()),
    "pdf": lambda f, c: (
        b"%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n"
        + zlib.compress(("BT (" + " ".join(f.values()) + ") Tj ET").encode())
        + b"\nendstream endobj"
    ),
}
for _name, _pack in FORMATS.items():
    container(f"product: {_name}", _pack)


def png(data: bytes) -> bytes:
    """A picture with a compressed text."""
    chunk = b"iTXtUser\0\1\0\0\0" + zlib.compress(data)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\0\0\0\0IEND\xaeB\x60\x82"
    )


PLACES: dict[str, Callable[[float, float, random.Random], Sent | bytes | None]] = {
    "doubles behind a head": lambda a, o, c: b"\x01\x02\x03" + struct.pack("<2d", a, o),
    "doubles, three, with an altitude": lambda a, o, c: struct.pack(">3d", a, o, 12.5),
    "floats with a time before": lambda a, o, c: struct.pack(">q2f", 1773478800000, a, o),
    "int32 E7 of mavlink": lambda a, o, c: (
        b"\xfd\x1c\0\0\x01\x01\x01\x21\0\0" + struct.pack("<I2i2i", 1000, round(a * 1e7), round(o * 1e7), 5000, 100)
    ),
    "int32 semicircles of fit": lambda a, o, c: struct.pack(
        "<I2i", 1041379200, round(a * 2**31 / 180), round(o * 2**31 / 180)
    ),
    "nmea over udp": lambda a, o, c: Sent((rmc(a, o) + "\r\n").encode(), via="udp"),
    "x-geo": lambda a, o, c: Sent(
        headers=(
            (
                "X-Geo",
                "w "
                + b64(
                    b"\x08\x01"
                    + field(
                        5, b"\x0d" + struct.pack("<i", round(a * 1e7)) + b"\x15" + struct.pack("<i", round(o * 1e7))
                    )
                ),
            ),
        )
    ),
    "resp": lambda a, o, c: (
        b"*5\r\n$6\r\nGEOADD\r\n$1\r\nk\r\n"
        + b"".join(b"$%d\r\n%s\r\n" % (len(str(p)), str(p).encode()) for p in (o, a))
        + b"$1\r\nx\r\n"
    ),
    "data output stream": lambda a, o, c: utf("gps") + struct.pack(">2d", a, o) + utf("x"),
}
for _name, _numbers in PLACES.items():
    numbers(f"product: {_name}", _numbers)
