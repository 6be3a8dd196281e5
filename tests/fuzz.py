"""Mutated bodies through decoding and searching: `python -m tests.fuzz --bodies 10000000 --seed 1 --jobs 2`.

Workers make body number n of a seed from n alone; the parent watches them from outside. A crash, more than two seconds
of CPU for one body, or more memory than the bound is a failure: the upload is written to a file that `--replay` reads.
"""

from __future__ import annotations

import argparse
import base64
import bz2
import gzip
import json
import multiprocessing
import os
import random
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from ctypes import c_double, c_ulonglong
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, NamedTuple

from appwitness.events import Upload
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from tests import unseen
from tests.recordings.written import RECORDINGS

HANG_S = 2.0
"""Seconds of CPU for one body."""
MEMORY_BYTES = 512 << 20
"""What one body may add to a worker: about ten times what all of decoding may put out (`decode.DecodeLimits`)."""
LARGEST = 16 << 10
"""Bytes of a body before it is inflated."""
SIFTED = 64
"""Bytes from which on a text is sifted here: far fewer than in real use, so that the sieve has its share of bodies."""
BATCH = 256
"""Bodies of which one worker's count is told at once."""
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
    *(
        b"\x1f\x8b\x08",
        b"\x28\xb5\x2f\xfd",
        b"BZh91AY&SY",
        b"\xfd7zXZ\x00",
        b"\x78\x9c",
        b"PK\x03\x04",
        b"\x04\x22\x4d\x18",
    ),
    *(b"LZ4Block", b"\xff\x06\x00\x00sNaPpY", b"\x82SNAPPY\x00", b"bplist00", b"SQLite format 3\x00", b"Obj\x01"),
    *(b"\x37\x7f\x06\x82", b"\x80\x01\x00\x01", b"\x82\x21\x01", b"Exif\0\0MM\x00\x2a", b"\xff\xd8\xff", b"ustar"),
    *(
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"eyJ",
        b"%25",
        b"&#65;",
        b"\\u0041",
        b"=41=\r\n",
        b"=?utf-8?B?",
        b"xn--",
    ),
    *(
        b'{"',
        b"[{",
        b"]",
        b"}",
        b"<a>",
        b"</a>",
        b"<![CDATA[",
        b"<plist>",
        b"--x\r\n",
        b"Content-Disposition: form-data",
    ),
    *(
        b"\x00" * 4,
        b"\xff" * 4,
        b"\x7f\xff\xff\xff",
        b"\x80" * 9,
        b"\xbf",
        b"\x9f",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff",
    ),
    *(
        b"13800138000",
        b"31.2304,121.4737",
        b"1e999999999",
        b"9" * 400,
        b"a" * 400,
        b"[" * 400,
        b"\r\n\r\n",
        b"\x1e",
        b"?+&;=",
    ),
)
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
    *(None, "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    *(
        "text/plain; charset=gbk",
        "text/plain; charset=utf-16",
        "application/grpc",
        "application/dns-message",
        "text/xml",
    ),
)
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


# --- workers and who watches them ---


class Watched(NamedTuple):
    """What a worker tells of itself in shared memory."""

    number: Synchronized[int]
    """The body that it is at."""
    cpu: Synchronized[float]
    """Its CPU seconds when it began with it."""


def work(samples: list[Sample], seed: int, start: int, stop: int, step: int, watched: Watched, failures: Path) -> None:
    """Try the bodies start, start + step ... and write those that fail."""
    known = index()
    tried(samples[0], known)
    base = _rss(os.getpid())
    resource.setrlimit(resource.RLIMIT_AS, (_virtual(os.getpid()) + 2 * MEMORY_BYTES,) * 2)
    watched.cpu.value = time.process_time()
    for number in range(start, stop, step):
        watched.number.value = number
        watched.cpu.value = time.process_time()
        sample = mutated(samples, seed, number)
        wrong = tried(sample, known)
        if wrong:
            write(failures, "crash", wrong, sample)
        if number % (BATCH * step) == start % step and _rss(os.getpid()) > base + MEMORY_BYTES:
            write(failures, "memory", f"{_rss(os.getpid()) - base} bytes more than at the start", sample)
            base = _rss(os.getpid())
    watched.number.value = stop


def write(failures: Path, kind: str, detail: str, sample: Sample) -> None:
    """Keep what failed."""
    failures.mkdir(parents=True, exist_ok=True)
    name = sha256(sample.body + sample.url.encode()).hexdigest()[:12]
    made = sample._asdict() | {"body": base64.b64encode(sample.body).decode(), "kind": kind, "detail": detail}
    (failures / f"{kind}-{name}.json").write_text(json.dumps(made, ensure_ascii=False, indent=1))


def read(path: Path) -> Sample:
    """The upload of a failure that was written."""
    made = json.loads(path.read_bytes())
    headers = tuple((name, value) for name, value in made["headers"])
    return Sample(base64.b64decode(made["body"]), made["type"], made["url"], headers, made["via"])


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * resource.getpagesize()


def _virtual(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_bytes().split()[0]) * resource.getpagesize()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Worker:
    """One process and its share of the numbers; begun again behind a body that it did not survive."""

    def __init__(self, samples: list[Sample], share: int, jobs: int, seed: int, bodies: int, failures: Path) -> None:
        """`share`: the first body of its own; `bodies`: where all stop."""
        self.samples = samples
        self.share, self.jobs, self.seed, self.bodies, self.failures = share, jobs, seed, bodies, failures
        context = multiprocessing.get_context("spawn")
        self.watched = Watched(context.Value(c_ulonglong, share), context.Value(c_double, 0.0))
        self.context = context
        self.base = 0
        self.process = self._begun(share)

    def _begun(self, start: int) -> BaseProcess:
        self.watched.number.value = start
        self.watched.cpu.value = 1e12  # nothing yet
        process = self.context.Process(
            target=work,
            args=(self.samples, self.seed, start, self.bodies, self.jobs, self.watched, self.failures),
            daemon=True,
        )
        process.start()
        return process

    def seen(self) -> bool:
        """Look at it once; whether it is still at work."""
        number = self.watched.number.value
        if self.process.exitcode is not None:
            if number >= self.bodies:
                return False
            self._failed("crash", f"the process ended with {self.process.exitcode}", number)
            return True
        pid = self.process.pid or 0
        try:
            cpu, rss = _cpu(pid), _rss(pid)
        except FileNotFoundError:
            return True
        if cpu - self.watched.cpu.value > HANG_S and number == self.watched.number.value:
            self._failed("hang", f"more than {HANG_S} s of CPU", number)
        elif rss > (3 << 30):
            self._failed("memory", f"{rss} bytes", number)
        return True

    def _failed(self, kind: str, detail: str, number: int) -> None:
        write(self.failures, kind, detail, mutated(self.samples, self.seed, number))
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.process = self._begun(number + self.jobs)

    @property
    def done(self) -> int:
        """Bodies tried."""
        return max(0, (min(self.watched.number.value, self.bodies) - self.share) // self.jobs)


def run(
    bodies: int, seed: int, jobs: int, failures: Path, report: Callable[[str], None] = print, *, first: int = 0
) -> int:
    """Try so many bodies, from number `first` on; how many failures there are."""
    samples = corpus()
    before = set(_files(failures))
    workers = [Worker(samples, first + share, jobs, seed, first + bodies, failures) for share in range(jobs)]
    begun = told = time.monotonic()
    try:
        while sum(worker.seen() for worker in workers):  # each is looked at
            time.sleep(0.05)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                done = sum(worker.done for worker in workers)
                found = len(set(_files(failures)) - before)
                report(f"{done} bodies, {done / (told - begun):.0f} a second, {found} failures")
    finally:
        for worker in workers:
            worker.process.kill()
    new = set(_files(failures)) - before
    for path in sorted(new):
        report(f"{path}: {json.loads(path.read_bytes())['detail']}")
    report(f"{bodies} bodies in {time.monotonic() - begun:.0f} s, {len(new)} failures")
    return len(new)


def _files(folder: Path) -> Iterator[Path]:
    return folder.glob("*.json") if folder.exists() else iter(())


def replayed(path: Path) -> str:
    """Try one failure again; what is wrong, or nothing."""
    sample = read(path)
    known = index()
    begun = time.process_time()
    wrong = tried(sample, known)
    spent = time.process_time() - begun
    return wrong or (f"{spent:.1f} s" if spent > HANG_S else "")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first body: to go on where a run was left")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"), help="folder to write failures into")
    parser.add_argument(
        "--recordings", type=int, help="mutate so many recordings instead: see tests/fuzz_recordings.py"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try one failure again")
    given = parser.parse_args()
    if given.recordings is not None:
        from tests import fuzz_recordings

        sys.exit(bool(fuzz_recordings.run(given.recordings, given.seed, given.jobs, first=given.first)))
    if given.replay:
        wrong = replayed(given.replay)
        print(wrong or "nothing is wrong with it now")
        sys.exit(bool(wrong))
    sys.exit(bool(run(given.bodies, given.seed, given.jobs, given.failures, first=given.first)))


if __name__ == "__main__":
    main()
