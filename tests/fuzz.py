"""Mutated bodies through decoding and searching: `python -m tests.fuzz --bodies 10000000 --seed 1 --jobs 2`.

Body number n of a seed is made from n alone: `--only NUMBER` tries one again.
"""

from __future__ import annotations

import argparse
import base64
import bz2
import gzip
import json
import os
import random
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.events import Upload
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from tests import unseen
from tests.recordings.written import RECORDINGS
from tests.watched import Limits, limit_memory, run

HANG_S = 2.0
"""Seconds of CPU for one body."""
MEMORY_BYTES = 512 << 20
"""What one body may add to a worker: about ten times what all of decoding may put out (`decode.DecodeLimits`)."""
LIMITS = Limits(HANG_S, MEMORY_BYTES)
LARGEST = 16 << 10
"""Bytes of a body before it is inflated."""
SIFTED = 64
"""Bytes from which on a text is sifted here: far fewer than in real use, so that the sieve has its share of bodies."""
CASES = Path(__file__).parents[2] / "shared" / "cases" / "matching"
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Sample(NamedTuple):
    """An upload to try."""

    body: bytes
    type: str | None = None
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    via: Any = "http"


# --- where bodies come from ---


def corpus() -> list[Sample]:
    """Bodies of the recordings, of the labelled cases where they are at hand, and of every way in tests/unseen."""
    found: dict[bytes, Sample] = {}
    folders = [*sorted(RECORDINGS.glob("*/bodies")), *([CASES / "bodies"] if CASES.exists() else [])]
    for folder in folders:
        for path in sorted(folder.iterdir())[:600]:
            body = path.read_bytes()[:LARGEST]
            found.setdefault(body, Sample(body))
    for case in unseen.cases(seed=0, each=1):
        sent = case.sent
        body = sent.body[:LARGEST] or sent.url.encode()
        found.setdefault(body, Sample(body, sent.type, sent.url, sent.headers, sent.via))
    return list(found.values())


MAGIC = (
    b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\x00", b"\x78\x9c", b"PK\x03\x04",
    b"\x04\x22\x4d\x18", b"LZ4Block", b"\xff\x06\x00\x00sNaPpY", b"\x82SNAPPY\x00", b"bplist00",
    b"SQLite format 3\x00", b"Obj\x01", b"\x37\x7f\x06\x82", b"\x80\x01\x00\x01", b"\x82\x21\x01",
    b"Exif\0\0MM\x00\x2a", b"\xff\xd8\xff", b"ustar", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"eyJ", b"%25",
    b"&#65;", b"\\u0041", b"=41=\r\n", b"=?utf-8?B?", b"xn--", b'{"', b"[{", b"]", b"}", b"<a>", b"</a>", b"<![CDATA[",
    b"<plist>", b"--x\r\n", b"Content-Disposition: form-data", b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff",
    b"\x80" * 9, b"\xbf", b"\x9f", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff", b"13800138000", b"31.2304,121.4737",
    b"1e999999999", b"9" * 400, b"a" * 400, b"[" * 400, b"\r\n\r\n", b"\x1e", b"?+&;=",
)  # fmt: skip
PACK: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: gzip.compress(data, 1, mtime=0),
    zlib.compress,
    lambda data: zlib.compress(data, 1, wbits=-15),
    bz2.compress,
    base64.b64encode,
    lambda data: data.hex().encode(),
    base64.b32encode,
    lambda data: json.dumps({"n": 1, "v": data.decode("latin-1")}).encode(),
    lambda data: json.dumps([data.decode("latin-1")] * 3, ensure_ascii=False).encode(),
    lambda data: b"a=1&b=" + data + b"&c=",
    lambda data: b"".join(b"%%%02X" % byte for byte in data[:2000]),
    lambda data: b"\x08\x01\x12" + bytes((len(data) & 127 | 128, len(data) >> 7 & 127)) + data,
    lambda data: struct.pack(">BI", 0, len(data)) + data,
    lambda data: b"\x82\xa1n\x01\xa1v\xc5" + struct.pack(">H", len(data) & 0xFFFF) + data,
    lambda data: b"\xa2an\x01av\x59" + struct.pack(">H", len(data) & 0xFFFF) + data,
    lambda data: data.decode("latin-1").encode("utf-16le"),
    lambda data: bytes(byte ^ 0x5A for byte in data),
    lambda data: data[::-1],
    lambda data: b"<r><v>" + data + b"</v></r>",
    lambda data: b'--x\r\nContent-Disposition: form-data; name="v"\r\n\r\n' + data + b"\r\n--x--",
)
TYPES = (
    None, "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml",
    "text/plain; charset=gbk", "text/plain; charset=utf-16", "application/grpc", "application/dns-message",
)  # fmt: skip
CODINGS = ("gzip", "deflate", "br", "zstd", "snappy", "lz4", "gzip, gzip")


def mutated(samples: list[Sample], seed: int, number: int) -> Sample:
    """Body `number` of a seed."""
    chance = random.Random(seed << 64 | number)
    pick = chance.random
    sample = samples[int(pick() * len(samples))]
    data = sample.body
    for _ in range(1 + int(pick() * 4)):
        data = _changed(data, samples, chance)
        if not data:
            data = b"\0"
    data = data[: 4 * LARGEST]
    kind = pick()
    if kind < 0.6:
        return sample._replace(body=data)
    if kind < 0.8:
        return Sample(data, chance.choice(TYPES))
    if kind < 0.9:
        return Sample(data, None, headers=(("Content-Encoding", chance.choice(CODINGS)),))
    text = data[:2000].decode("utf-8", "replace")
    if kind < 0.95:
        return Sample(b"", url="https://x.test/" + text, headers=(("Cookie", text), ("X-A", text)))
    return Sample(data, via=chance.choice(("dns", "websocket", "tcp", "sms")))


def _changed(data: bytes, samples: list[Sample], chance: random.Random) -> bytes:
    """One mutation."""
    size = len(data)
    at = int(chance.random() * size) if size else 0
    end = min(size, at + 1 + int(chance.random() ** 3 * 64))
    match int(chance.random() * 13):
        case 0:
            return data[:at] + bytes((data[at] ^ 1 << int(chance.random() * 8),)) + data[at + 1 :] if size else b"\1"
        case 1:
            return data[:at] + bytes((int(chance.random() * 256),)) + data[at + 1 :]
        case 2:
            return data[:at] + chance.choice(MAGIC) + data[at:]
        case 3:
            return data[:at] + data[end:]
        case 4:
            return data[:end] + data[at:]
        case 5:
            other = samples[int(chance.random() * len(samples))].body
            return data[:at] + other[int(chance.random() * len(other)) :][:LARGEST]
        case 6:
            return data[:at]
        case 7:
            number = chance.choice((0, 1, 127, 128, 255, 256, 65535, 1 << 31, (1 << 32) - 1, size, size - at))
            return data[:at] + struct.pack(chance.choice(("<I", ">I", "<H", ">H")), number & 0xFFFF) + data[at + 4 :]
        case 8:
            return data[:at] + data[at:end] * int(2 + chance.random() ** 4 * 200) + data[end:]
        case 9:
            return chance.choice(MAGIC) + data
        case 10:  # what comes again and again shows the work that grows with the square of the body
            unit = chance.choice(MAGIC) + data[at:end] * int(chance.random() * 2)
            return data[:at] + unit * int(1 + chance.random() ** 6 * LARGEST / len(unit)) + data[end:]
        case _:
            return chance.choice(PACK)(data[:LARGEST])


# --- one body ---


def index() -> ValueIndex:
    """The values that are looked for."""
    from tests.unseen import world

    made = ValueIndex()
    for value in world.VALUES:
        made.add((value.type, value.text), value)
    made.narrow.least = SIFTED
    return made


def tried(sample: Sample, known: ValueIndex) -> str:
    """Decode and search one upload; what failed, or nothing. Bodies of an even size go through the compiled sieve."""
    upload = Upload(
        at=AT, via=sample.via, url=sample.url or None, headers=sample.headers, type=sample.type, size=len(sample.body)
    )
    try:
        narrow = None if len(sample.body) % 2 else known.narrow
        decoded = decode.leaves(upload, sample.body or None, narrow=narrow)
        known.find(decoded.leaves, decoded.passed_over)
    except Exception as error:  # any at all is a failure
        return f"{type(error).__name__}: {error}"
    return next((cut for cut in decoded.cut if "failed with" in cut), "")


# --- many of them ---


@contextmanager
def trial(seed: int) -> Iterator[Callable[[int], str]]:
    """What tries a body of a seed by its number."""
    samples, known = corpus(), index()
    tried(samples[0], known)
    limit_memory(2 * MEMORY_BYTES)
    yield lambda number: tried(mutated(samples, seed, number), known)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first body: to go on where a run was left")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--recordings", type=int, help="mutate so many recordings instead: see tests/fuzz_recordings.py"
    )
    parser.add_argument("--only", type=int, metavar="NUMBER", help="try one again")
    given = parser.parse_args()
    if given.recordings is not None:
        from tests import fuzz_recordings

        sys.exit(bool(fuzz_recordings.run(given.recordings, given.seed, given.jobs, first=given.first)))
    bodies, first = (given.bodies, given.first) if given.only is None else (1, given.only)
    sys.exit(bool(run(partial(trial, given.seed), bodies, given.jobs, LIMITS, first=first)))


if __name__ == "__main__":
    main()
