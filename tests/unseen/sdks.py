"""Requests as SDKs, proxies and tools really make them: envelopes, batches, formats of China's vendors, RPC."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import struct
import urllib.parse
import zipfile
import zlib
from io import BytesIO
from typing import Any

import brotli
import bson
import cbor2
import cramjam
import lz4.frame
import msgpack
import zstandard

from tests.unseen import Sent, world
from tests.unseen.containers import FORM, container, doc, e, field, form, grpc, multipart, numbers, proto, varint

JSON = "application/json"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def quoted(data: bytes | str) -> str:
    return urllib.parse.quote(data, safe="")


# --- analytics and crash reports ---


def sensors(fields: dict[str, Any], chance: random.Random) -> Sent:
    events = [{"type": "track", "event": "$AppStart", "properties": fields, "time": 1_773_478_800_123}]
    packed = b64(world.gz(world.dumps(events)))
    return Sent(f"data_list={quoted(packed)}&gzip=1&crc={zlib.crc32(packed.encode())}".encode(), FORM)


def sentry(fields: dict[str, Any], chance: random.Random) -> Sent:
    lines = [
        {"event_id": "9" * 32, "dsn": "https://k@s.test/1"},
        {"type": "event", "length": 1},
        {"user": fields, "tags": {}},
    ]
    return Sent(
        gzip.compress(b"\n".join(map(world.dumps, lines)), mtime=1),
        "application/x-sentry-envelope",
        headers=(("Content-Encoding", "gzip"),),
    )


def umeng(fields: dict[str, Any], chance: random.Random) -> bytes:
    """A compact Thrift structure that carries a zlib stream."""
    packed = zlib.compress(doc(fields, chance))
    return b"\x18\x03" + b"1.0" + b"\x18\x04" + b"abcd" + b"\x15\x02\x18" + varint(len(packed)) + packed + b"\x00"


def growing(fields: dict[str, Any], chance: random.Random) -> Sent:
    """Snappy, then XOR with the last byte of the time in the URL."""
    packed = bytes(cramjam.snappy.compress_raw(doc(fields, chance)))
    return Sent(
        bytes(byte ^ 0x7B for byte in packed), "application/octet-stream", "https://t.test/v3/p?stm=1773478800123"
    )


def matomo(fields: dict[str, Any], chance: random.Random) -> bytes:
    return world.dumps({"requests": ["?idsite=1&rec=1&" + urllib.parse.urlencode(fields), "?idsite=1&rec=1"]})


def amplitude(fields: dict[str, Any], chance: random.Random) -> Sent:
    events = json.dumps([{"event_type": "x", "user_properties": fields}])
    made = {
        "v": "2",
        "client": "k",
        "e": events,
        "upload_time": "1773478800123",
        "checksum": hashlib.md5(events.encode()).hexdigest(),
    }
    return Sent(urllib.parse.urlencode(made).encode(), FORM)


def kinesis(fields: dict[str, Any], chance: random.Random) -> bytes:
    return world.dumps({"StreamName": "s", "Records": [{"Data": b64(doc(fields, chance)), "PartitionKey": "1"}]})


def odata(fields: dict[str, Any], chance: random.Random) -> Sent:
    inner = b"POST /v1/users HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" + doc(fields, chance)
    return multipart(
        [("x", "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary", inner)], kind="mixed"
    )


def otlp(fields: dict[str, Any], chance: random.Random) -> bytes:
    attributes = b"".join(field(1, field(1, k.encode()) + field(2, field(1, v.encode()))) for k, v in fields.items())
    return field(1, field(1, attributes) + field(2, field(1, field(1, b"scope")) + field(2, field(5, b"span"))))


def remote_write(fields: dict[str, Any], chance: random.Random) -> Sent:
    series = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in fields.items())
    return Sent(
        bytes(cramjam.snappy.compress_raw(field(1, series))),
        "application/x-protobuf",
        headers=(("Content-Encoding", "snappy"),),
    )


def adjust(fields: dict[str, Any], chance: random.Random) -> Sent:
    made = {
        "app_token": "abc",
        "partner_params": json.dumps(fields),
        "callback_params": "{}",
        "created_at": "2026-03-14T09:00:00.000Z+0800",
    }
    return Sent(urllib.parse.urlencode(made).encode(), FORM)


def facebook(fields: dict[str, Any], chance: random.Random) -> Sent:
    info = json.dumps(["a2", "com.x", 1, "1.0", "13", "Pixel", "zh_CN", "GMT+8", *fields.values(), 0, 0, "2.75"])
    return multipart([("format", "", b"json"), ("extinfo", "", info.encode()), ("custom_events", "", b"[]")])


def openrtb(fields: dict[str, Any], chance: random.Random) -> bytes:
    made = {
        "id": "1",
        "imp": [{"id": "1", "banner": {"w": 320, "h": 50}}],
        "user": {"ext": {"data": json.dumps(fields)}},
    }
    return world.dumps(made | {"device": {"ua": "Mozilla/5.0", "geo": {"country": "CHN"}}, "app": {"bundle": "com.x"}})


def firelog(fields: dict[str, Any], chance: random.Random) -> bytes:
    inner = proto(fields, chance)
    return world.dumps(
        {"logRequest": [{"logEvent": [{"eventTimeMs": "1773478800123", "sourceExtension": b64(inner)}]}]}
    )


def vast(fields: dict[str, Any], chance: random.Random) -> Sent:
    return Sent(url="https://ad.test/track;ord=17;" + ";".join(f"{k}={quoted(v)}" for k, v in fields.items()) + "?")


container("sdk: sensors", sensors)
container("sdk: sentry", sentry)
container("sdk: thrift with zlib", umeng)
container("sdk: matomo bulk", matomo, JSON)
container("sdk: amplitude", amplitude)
container("sdk: kinesis", kinesis, "application/x-amz-json-1.1")
container("sdk: requests in multipart", odata)
container("sdk: open telemetry", otlp, "application/x-protobuf")
container("sdk: remote write", remote_write)
container("sdk: adjust", adjust)
container("sdk: facebook extinfo", facebook)
container("sdk: bid request", openrtb, JSON)
container("sdk: firelog", firelog, JSON)
container("sdk: ad server path", vast)
container("sdk: mixpanel", lambda f, c: Sent(b"verbose=1&data=" + quoted(b64(doc(f, c))).encode(), FORM))
container("sdk: mixpanel, gzip", lambda f, c: Sent(b"data=" + quoted(b64(world.gz(doc(f, c)))).encode(), FORM))
container(
    "sdk: google analytics",
    lambda f, c: Sent(
        b"v=1&t=event&"
        + urllib.parse.urlencode({f"cd{n}": v for n, v in enumerate(f.values(), 1)}).encode()
        + b"\nv=1&t=x",
        "text/plain",
    ),
)
container(
    "sdk: google analytics 4",
    lambda f, c: Sent(
        ("en=page_view&" + "&".join(f"ep.{k}={quoted(v)}" for k, v in f.items()) + "\r\nen=x").encode(), "text/plain"
    ),
)
container(
    "sdk: influx",
    lambda f, c: (
        "m,host=a "
        + ",".join('{}="{}"'.format(k, v.replace('"', '\\"')) for k, v in f.items())
        + " 1773478800123456789"
    ).encode(),
)
container(
    "sdk: elastic bulk",
    lambda f, c: b'{"index":{"_index":"a"}}\n' + doc(f, c) + b'\n{"index":{}}\n{"a":1}\n',
    "application/x-ndjson",
)
container(
    "sdk: splunk",
    lambda f, c: b"".join(world.dumps({"time": 1773478800.1, "event": one}) for one in ("a", doc(f, c).decode())),
)
container(
    "sdk: loki",
    lambda f, c: world.dumps(
        {
            "streams": [
                {
                    "stream": {"a": "b"},
                    "values": [["1773478800123456789", "level=info " + " ".join(f'{k}="{v}"' for k, v in f.items())]],
                }
            ]
        }
    ),
)
container(
    "sdk: bugsnag", lambda f, c: world.dumps({"events": [{"metaData": {"user": f}, "exceptions": [{"message": "x"}]}]})
)
container(
    "sdk: appcenter",
    lambda f, c: world.dumps(
        {
            "logs": [
                {"type": "event", "typedProperties": [{"type": "string", "name": k, "value": v} for k, v in f.items()]}
            ]
        }
    ),
)
container(
    "sdk: split in two events",
    lambda f, c: world.dumps([{"k": k, "v": v} for k, v in f.items()] + [{"k": "n", "v": 1}]),
)
container("sdk: form posted as json string", lambda f, c: json.dumps(form(f, c).decode()).encode(), JSON)
container(
    "sdk: query in json in query",
    lambda f, c: Sent(url="https://x.test/i?d=" + quoted(json.dumps({"u": "a=1&" + urllib.parse.urlencode(f)}))),
)
container(
    "sdk: arrays in a query",
    lambda f, c: Sent(url="https://x.test/i?" + "&".join(f"user%5B{k}%5D%5B%5D={quoted(v)}" for k, v in f.items())),
)
container(
    "sdk: parallel lists",
    lambda f, c: Sent(url=f"https://x.test/i?k={quoted('|'.join(f))}&v={quoted('|'.join(f.values()))}"),
)
container(
    "sdk: graphql operations",
    lambda f, c: multipart(
        [
            ("operations", "", world.dumps({"query": "mutation($v: X){a}", "variables": {"v": f}})),
            ("map", "", b'{"0":[]}'),
        ]
    ),
)
container(
    "sdk: persisted query",
    lambda f, c: Sent(url=f"https://x.test/graphql?variables={quoted(world.dumps(f))}&extensions=%7B%7D"),
)
container(
    "sdk: signal r",
    lambda f, c: Sent(
        world.dumps({"protocol": "json", "version": 1})
        + b"\x1e"
        + world.dumps({"type": 1, "arguments": [f]})
        + b"\x1e",
        via="websocket",
    ),
)
container("sdk: sockjs", lambda f, c: Sent(b"a" + world.dumps([doc(f, c).decode()]), via="websocket"))
container("sdk: phoenix", lambda f, c: Sent(world.dumps(["1", "2", "room", "phx_join", f]), via="websocket"))
container(
    "sdk: grpc-web binary with trailer",
    lambda f, c: Sent(grpc(proto(f, c)) + b"\x80\x00\x00\x00\x0fgrpc-status:0\r\n", "application/grpc-web+proto"),
)
container(
    "sdk: grpc metadata",
    lambda f, c: Sent(grpc(field(1, b"x")), "application/grpc", headers=(("x-user-bin", b64(proto(f, c))),)),
)
container(
    "sdk: connect get",
    lambda f, c: Sent(
        url="https://x.test/a.B/C?encoding=proto&base64=1&message="
        + base64.urlsafe_b64encode(proto(f, c)).decode().rstrip("=")
    ),
)
container(
    "sdk: protobuf text",
    lambda f, c: "\n".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in f.items()).encode(),
)
container("sdk: protobuf of json in base64 in json", lambda f, c: world.dumps({"p": b64(field(3, doc(f, c)))}))
container(
    "sdk: saml",
    lambda f, c: Sent(
        url="https://x.test/sso?SAMLRequest="
        + quoted(b64(zlib.compress(b"<a:R><b>" + doc(f, c) + b"</b></a:R>", wbits=-15)))
    ),
)
container(
    "sdk: jws json",
    lambda f, c: world.dumps(
        {
            "payload": base64.urlsafe_b64encode(doc(f, c)).decode().rstrip("="),
            "signatures": [{"protected": "e30", "signature": "AAAA"}],
        }
    ),
)
container(
    "sdk: data in the password", lambda f, c: Sent(headers=(("Authorization", "Basic " + b64(b"k:" + doc(f, c))),))
)
container(
    "sdk: digest user",
    lambda f, c: Sent(
        headers=(("Authorization", 'Digest username="' + ";".join(f.values()) + '", realm="x", nonce="1"'),)
    ),
    fits=lambda v: '"' not in v.text and v.text.isascii(),
)
container(
    "sdk: header, extended",
    lambda f, c: Sent(headers=(("X-Name", "a; " + "; ".join(f"{k}*=UTF-8''{quoted(v)}" for k, v in f.items())),)),
)
container("sdk: header, gzip and base64", lambda f, c: Sent(headers=(("X-Ctx", b64(world.gz(doc(f, c)))),)))
container("sdk: cookie of json", lambda f, c: Sent(headers=(("Cookie", "s=1; u=" + quoted(doc(f, c))),)))
container(
    "sdk: cookie in cookie",
    lambda f, c: Sent(headers=(("Cookie", "s=1; u=" + quoted("&".join(f"{k}={quoted(v)}" for k, v in f.items()))),)),
)
container(
    "sdk: set-cookie",
    lambda f, c: Sent(headers=(("Set-Cookie", "u=" + quoted("|".join(f.values())) + "; Path=/; HttpOnly"),)),
)
container(
    "sdk: path of pairs",
    lambda f, c: Sent(url="https://x.test/" + "/".join(f"{k}/{quoted(v)}" for k, v in f.items()) + "/end"),
)
container(
    "sdk: path of base64url json",
    lambda f, c: Sent(url="https://x.test/e/" + base64.urlsafe_b64encode(doc(f, c)).decode().rstrip("=") + ".gif"),
)
container("sdk: fragment of json", lambda f, c: Sent(url="https://x.test/#" + quoted(doc(f, c))))
container(
    "sdk: redirect in redirect",
    lambda f, c: Sent(
        url="https://x.test/r?to="
        + quoted("https://y.test/r?to=" + quoted("https://z.test/?" + urllib.parse.urlencode(f)))
    ),
)
container(
    "sdk: csv in utf-16",
    lambda f, c: b"\xff\xfe" + ("\t".join(f) + "\r\n" + "\t".join(f.values()) + "\r\n").encode("utf-16le"),
    "text/csv",
    lambda v: "\t" not in v.text,
)
container("sdk: spreadsheet", lambda f, c: _sheet(f), "application/vnd.openxmlformats")
container("sdk: gzip in zip in base64 in json", lambda f, c: world.dumps({"z": b64(_zip("a.gz", world.gz(doc(f, c))))}))
container("sdk: brotli in hex in json", lambda f, c: world.dumps({"z": brotli.compress(doc(f, c)).hex()}))
container(
    "sdk: zstd in base85 in json",
    lambda f, c: world.dumps({"z": base64.b85encode(zstandard.compress(doc(f, c))).decode()}),
)
container("sdk: lz4 in form", lambda f, c: Sent(b"d=" + quoted(b64(lz4.frame.compress(doc(f, c)))).encode(), FORM))
container("sdk: two gzip members", lambda f, c: world.gz(doc({}, c) + b"\n") + world.gz(doc(f, c)))
container(
    "sdk: gzip with extra field",
    lambda f, c: b"\x1f\x8b\x08\x04" + bytes(6) + b"\x04\x00abcd" + world.gz(doc(f, c))[10:],
)
container("sdk: zlib with flush", lambda f, c: _flushed(doc(f, c)))
container(
    "sdk: length and type before each",
    lambda f, c: b"".join(struct.pack(">HB", len(v.encode()) + 1, 1) + v.encode() for v in f.values()),
)
container(
    "sdk: type, length, value",
    lambda f, c: b"".join(struct.pack(">BI", n, len(v.encode())) + v.encode() for n, v in enumerate(f.values(), 1)),
)
container("sdk: der", lambda f, c: _der(0x30, b"".join(_der(0x0C, v.encode()) for v in f.values()) + _der(2, b"\x05")))
container("sdk: jce", lambda f, c: _jce(f))
container(
    "sdk: hessian",
    lambda f, c: b"H\x02\x00M\x0aeu.x.Event" + b"".join(_hessian(k) + _hessian(v) for k, v in f.items()) + b"Z",
)
container(
    "sdk: smile",
    lambda f, c: (
        b":)\n\x01\xfa" + b"".join(bytes((0x7F + len(k),)) + k.encode() + _smile(v) for k, v in f.items()) + b"\xfb"
    ),
)
container(
    "sdk: ubjson",
    lambda f, c: (
        b"{"
        + b"".join(
            b"U" + bytes((len(k),)) + k.encode() + b"SU" + bytes((len(v.encode()),)) + v.encode() for k, v in f.items()
        )
        + b"}"
    ),
)
container(
    "sdk: resp",
    lambda f, c: (
        b"*3\r\n$4\r\nHSET\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(v.encode()), v.encode()) for v in ("u", *f.values()))
    ),
)
container(
    "sdk: flatbuffer",
    lambda f, c: (
        struct.pack("<II", 12, 0)
        + b"\x08\x00\x0c\x00"
        + b"".join(
            struct.pack("<I", len(v.encode())) + v.encode() + b"\0" * (4 - len(v.encode()) % 4) for v in f.values()
        )
    ),
)
container(
    "sdk: protobuf group",
    lambda f, c: b"\x0b" + b"".join(field(n, v.encode()) for n, v in enumerate(f.values(), 1)) + b"\x0c\x10\x05",
)
container(
    "sdk: protobuf, large field numbers",
    lambda f, c: b"".join(
        varint((n + 90_000) << 3 | 2) + varint(len(v.encode())) + v.encode() for n, v in enumerate(f.values())
    ),
)
container("sdk: messagepack extension", lambda f, c: msgpack.packb({"t": msgpack.ExtType(7, doc(f, c)), "n": 1}))
container("sdk: messagepack timestamps", lambda f, c: msgpack.packb({**f, "t": msgpack.Timestamp(1773478800, 5)}))
container(
    "sdk: cbor tags", lambda f, c: cbor2.dumps(cbor2.CBORTag(55799, {"d": cbor2.CBORTag(24, cbor2.dumps(f)), "t": 1}))
)
container(
    "sdk: cbor in cose",
    lambda f, c: cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", {}, cbor2.dumps(f), b"\x01" * 64])),
)
container("sdk: bson in json", lambda f, c: world.dumps({"b": b64(bson.encode({"d": f, "n": 1}))}))
container("sdk: websocket message of messagepack", lambda f, c: Sent(msgpack.packb([1, "ev", f]), via="websocket"))
container(
    "sdk: x-ndjson in gzip called text", lambda f, c: Sent(world.gz(b'{"a":1}\n' + doc(f, c) + b"\n"), "text/plain")
)
container(
    "sdk: udp statsd tags",
    lambda f, c: Sent(("app.start:1|c|#" + ",".join(f"{k}:{v}" for k, v in f.items())).encode(), via="udp"),
    fits=lambda v: "," not in v.text,
)


def _zip(name: str, data: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, data)
    return file.getvalue()


def _sheet(fields: dict[str, Any]) -> bytes:
    cells = "".join(f"<si><t>{v.replace('&', '&amp;').replace('<', '&lt;')}</t></si>" for v in fields.values())
    return _zip("xl/sharedStrings.xml", f"<?xml version='1.0'?><sst>{cells}</sst>".encode())


def _flushed(data: bytes) -> bytes:
    machine = zlib.compressobj()
    half = len(data) // 2
    return (
        machine.compress(data[:half])
        + machine.flush(zlib.Z_SYNC_FLUSH)
        + machine.compress(data[half:])
        + machine.flush(zlib.Z_SYNC_FLUSH)
    )


def _der(tag: int, data: bytes) -> bytes:
    size = bytes((len(data),)) if len(data) < 128 else b"\x82" + struct.pack(">H", len(data))
    return bytes((tag,)) + size + data


def _jce(fields: dict[str, Any]) -> bytes:
    """Tencent's Tars: a head of tag and type, then a map of texts."""
    out = b"\x08" + b"\x00" + bytes((len(fields),))
    for key, text in fields.items():
        out += b"\x06" + bytes((len(key),)) + key.encode() + b"\x16" + bytes((len(text.encode()),)) + text.encode()
    return out


def _hessian(text: str) -> bytes:
    return (
        bytes((len(text),)) if len(text) < 32 else struct.pack(">BB", 0x30 + (len(text) >> 8), len(text) & 255)
    ) + text.encode()


def _smile(text: str) -> bytes:
    data = text.encode()
    if text.isascii():
        return (
            bytes((0x3F + len(data),)) + data
            if len(data) <= 32
            else bytes((0x60 + len(data) - 33,)) + data
            if len(data) <= 64
            else b"\xe0" + data + b"\xfc"
        )
    return bytes((0x80 + len(data) - 2,)) + data if len(data) < 34 else b"\xe4" + data + b"\xfc"


numbers(
    "jce doubles", lambda lat, lon, c: b"\x05" + struct.pack(">d", lat) + b"\x15" + struct.pack(">d", lon) + b"\x20\x01"
)
numbers(
    "hessian doubles", lambda lat, lon, c: b"H\x02\x00" + b"D" + struct.pack(">d", lat) + b"D" + struct.pack(">d", lon)
)
numbers(
    "der of two texts",
    lambda lat, lon, c: _der(0x30, _der(0x0C, f"{lat:.6f}".encode()) + _der(0x0C, f"{lon:.6f}".encode())),
)
numbers(
    "protobuf group doubles",
    lambda lat, lon, c: b"\x0b\x09" + struct.pack("<d", lat) + b"\x11" + struct.pack("<d", lon) + b"\x0c",
)
numbers(
    "protobuf doubles in base64 in json",
    lambda lat, lon, c: world.dumps({"p": b64(b"\x09" + struct.pack("<d", lat) + b"\x11" + struct.pack("<d", lon))}),
)
numbers(
    "messagepack doubles in gzip in a form",
    lambda lat, lon, c: b"d=" + quoted(b64(world.gz(msgpack.packb([lat, lon])))).encode(),
)
numbers("cbor half of a map", lambda lat, lon, c: cbor2.dumps({"a": {"x": lat}, "b": {"y": lon}}))
numbers("int32 E6 with ids before", lambda lat, lon, c: struct.pack(">qii", 17734788, e(lat, 6), e(lon, 6)))
numbers("doubles in a row with others", lambda lat, lon, c: struct.pack("<5d", 1.5, 0.25, lat, lon, 12.0))
