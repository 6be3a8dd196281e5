"""Recall, false positives and speed of matching on a labelled recording.

    python -m tests.bench.bench_matching [DIR] [--all-patterns]

DIR is a labelled recording in place of the usual one; with `--all-patterns`, the search for all patterns of 10,000
values is timed as well.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import random
import sys
import time
import urllib.parse
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick_rs

from appwitness.events import Access, Run, Transform, Upload, Value, parse
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.finding import Sought, ValueIndex
from appwitness.match.linking import Joined, Linker
from appwitness.match.variants.entering import Forms
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone, parsed, seconds, talk

CASES = Path(__file__).parents[3] / "shared" / "cases" / "matching"


class Outcome(NamedTuple):
    """What matching came to on a labelled recording."""

    found: Counter[tuple[str, str]]
    wanted: Counter[tuple[str, str]]
    missed: list[dict[str, Any]]
    wrong_access: list[tuple[dict[str, Any], str | None]]
    false: list[tuple[str, Joined]]
    seconds: dict[str, float]
    """CPU time of this thread."""
    uploads: int
    bytes: int


def _lines(path: Path) -> list[Any]:
    return [(f"{path.name}:{n}", parse(line)) for n, line in enumerate(path.read_bytes().splitlines(), 1)]


def matched(cases: Path) -> Outcome:
    """Decode and link every upload of the recording, and compare with its labels."""
    run = Run.model_validate_json((cases / "run.json").read_bytes())
    started = time.thread_time()
    linker = Linker(run.persona, bodies=lambda digest: (cases / "bodies" / digest).read_bytes())
    for name in ("accesses", "connections", "transforms"):
        for ref, event in _lines(cases / f"{name}.jsonl"):
            match event:
                case Access():
                    linker.add_access(see(ref, event, run.clock_offset_ms))
                case Transform():
                    linker.add_transform(see(ref, event, run.clock_offset_ms))
    took = {"learn": time.thread_time() - started}
    uploads: list[tuple[str, Upload, bytes | None]] = []
    for ref, upload in _lines(cases / "uploads.jsonl"):
        assert isinstance(upload, Upload)
        uploads.append((ref, upload, (cases / "bodies" / upload.body).read_bytes() if upload.body else None))
    started = time.thread_time()
    decoded = [decode.leaves(upload, body, narrow=linker.narrow) for _, upload, body in uploads]
    between = time.thread_time()
    joined = {
        ref: linker.link(see(ref, upload, run.clock_offset_ms), one)
        for (ref, upload, _), one in zip(uploads, decoded, strict=True)
    }
    took |= {"decode": between - started, "link": time.thread_time() - between}
    lines = (cases / "uploads.jsonl").read_bytes().splitlines()
    took["json"] = parsed(lines)
    size = sum(len(body or b"") + len(upload.url or "") for _, upload, body in uploads)
    truth = json.loads((cases / "truth.json").read_bytes())
    negatives = json.loads((cases / "negatives.json").read_bytes())
    outcome = Outcome(Counter(), Counter(), [], [], [], took, len(joined), size)
    for label in truth:
        kind = (label["class"], label["transform"])
        outcome.wanted[kind] += 1
        flows = [
            one
            for one in joined[label["upload"]]
            if any(match.type == label["type"] and match.value == label["value"] for match in one.matches)
        ]
        good = [one for one in flows if one.access in (label["accesses"] or [None])]
        if good:
            outcome.found[kind] += 1
        else:
            outcome.missed.append(label)
        outcome.wrong_access.extend((label, one.access) for one in flows if one not in good)
    for ref, flows in joined.items():
        if ref in negatives:
            outcome.false.extend((ref, one) for one in flows)
    return outcome


FIRST = "Anna Maria Peter John Wei Ming Jose Zofia Karl Emma Olga Ivan".split()  # noqa: SIM905
LAST = "Kowalska Schmidt Müller Smith Garcia Lopez Novak Rossi Dubois Jansen Lund Silva".split()  # noqa: SIM905
WORDS = "open close tap scroll home detail pay cart list view item load error retry cache screen banner".split()  # noqa: SIM905


def values(number: int) -> list[Value]:
    """Values of all types, as many of each: what the contacts and the identifiers of a device look like."""
    chance = random.Random(11)
    makers: tuple[Callable[[], tuple[str, str]], ...] = (
        lambda: ("phone_number", f"13{chance.randrange(10**9):09d}"),
        lambda: ("phone_number", f"+49151{chance.randrange(10**8):08d}"),
        lambda: ("email", f"{chance.choice(FIRST)}.{chance.choice(LAST)}{chance.randrange(10**5)}@mail.test".lower()),
        lambda: ("name", f"{chance.choice(FIRST)} {chance.choice(LAST)}-{chance.choice(LAST)}"),
        lambda: ("name", "".join(chance.choice("王李张刘陈杨赵黄周吴华霞伟芳娜秀英敏静丽强磊军洋") for _ in range(3))),
        lambda: ("android_id", f"{chance.getrandbits(64):016x}"),
        lambda: ("mac_address", ":".join(f"{chance.randrange(256):02x}" for _ in range(6))),
        lambda: ("location", f"{31 + chance.random():.6f},{121 + chance.random():.6f}"),
    )
    made = (makers[n % len(makers)]() for n in range(number))
    return [Value(type=type_, text=text) for type_, text in made]


WAYS: tuple[Callable[[str], object], ...] = (
    lambda text: text,
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(gzip.compress(json.dumps({"v": text}).encode())).decode(),
    lambda text: text.encode().hex(),
    lambda text: json.dumps({"inner": text}),
    lambda text: hashlib.md5(text.encode()).hexdigest(),
    lambda text: urllib.parse.quote(json.dumps([text])),
    lambda text: {"value": text},
)
"""How the planted values are written."""


def document(size: int, planted: Sequence[Value]) -> bytes:
    """JSON such as analytics send: words, times, numbers, digests, base64, UUIDs; the values planted far apart."""
    chance = random.Random(5)
    rows: list[dict[str, object]] = []
    written = 0
    while written < size:
        n = len(rows)
        row: dict[str, object] = {
            "seq": n,
            "event": f"{chance.choice(WORDS)}_{chance.choice(WORDS)}",
            "at": 1_700_000_000_000 + n * 37,
            "duration": round(chance.random() * 10, 3),
            "id": f"{chance.getrandbits(128):032x}",
            "ok": chance.random() < 0.5,
            "screen": f"com.example.app.ui.{chance.choice(WORDS).title()}Activity",
            "message": " ".join(chance.choice(WORDS) for _ in range(8)),
            "size": [chance.randrange(2000), chance.randrange(2000)],
        }
        if n % 3 == 0:
            row["token"] = base64.b64encode(chance.randbytes(18)).decode()
        if n % 5 == 0:
            row["uuid"] = str(uuid.UUID(int=chance.getrandbits(128)))
        rows.append(row)
        written += len(json.dumps(row)) + 2
    for n, value in enumerate(planted):
        rows[(n + 1) * len(rows) // (len(planted) + 2)]["extra"] = WAYS[n % len(WAYS)](value.text)
    return json.dumps({"app": "x", "events": rows}, ensure_ascii=False).encode()


SIZES = (1_000, 10_000)
"""How many values are known."""
MOST_DIGESTS = 1_000
"""Values of which the digests are searched for as well: an automaton of those of ten times as many takes six minutes to
build (its scan took 6.7 times as long as our matching)."""


def spent(work: Callable[[], object], times: int = 7) -> float:
    """Seconds of this thread that the work takes at best."""
    return seconds(work, clock=time.thread_time, times=times)


SMALL_BYTES, SMALL = 630, 40
"""Bytes of a small upload, and how many different ones are taken."""


def small_uploads() -> list[bytes]:
    """What an SDK sends at an event: of the device, of the screen, and what happened."""
    chance = random.Random(6)
    made: list[bytes] = []
    for number in range(SMALL):
        row: dict[str, object] = {
            "event": f"{chance.choice(WORDS)}_{chance.choice(WORDS)}",
            "time": 1_700_000_000_000 + chance.randrange(10**9),
            "device": {"id": f"{chance.getrandbits(64):016x}", "model": "Pixel 7", "os": "14", "lang": "en-GB"},
            "app": {"package": "com.example.app", "version": "5.12.3", "build": 51203},
            "session": str(uuid.UUID(int=chance.getrandbits(128))),
            "sign": f"{chance.getrandbits(128):032x}",
            "token": base64.b64encode(chance.randbytes(24)).decode(),
            "properties": {"screen": "HomeActivity", "duration": round(chance.random() * 10, 3), "first": False},
            "network": chance.choice(("wifi", "4g", "5g")),
            "n": number,
        }
        row["message"] = ""
        spare = SMALL_BYTES - len(json.dumps(row))
        row["message"] = " ".join(chance.choice(WORDS) for _ in range(spare))[:spare]
        made.append(json.dumps(row).encode())
    return made


def small() -> Iterator[Given]:
    """CPU time of decoding small uploads, and of looking for 1,000 values in them."""
    known = [(value.type, value.text) for value in values(1_000)]
    sought = Sought()
    for key in known:
        sought.add(key, alone=False)
    at = datetime(2026, 3, 14, 9, tzinfo=UTC)
    bodies = small_uploads()
    decoded = [decode.leaves_of(body, narrow=sought.narrow) for body in bodies]

    def decoding() -> None:
        for body in bodies:
            decode.leaves_of(body, narrow=sought.narrow)

    def searching() -> None:
        for one in decoded:
            sought.find(one, at, ("com.example.app",), frozenset())

    first, then = (spent(work) / SMALL * 1000 for work in (decoding, searching))
    bare = parsed(bodies) / SMALL * 1000
    talk(
        f"{SMALL_BYTES} bytes of JSON, 1,000 values: decoded in {first:.3f} ms, searched in {then:.3f} ms; "
        f"json.loads takes {bare:.4f} ms"
    )
    yield Figure("630 bytes of JSON, decoded and searched", (first + then) / bare)


def against_a_raw_scan(number: int, *, all_patterns: bool) -> Iterator[Given]:
    """Time of decoding 1 MB of JSON and finding all forms of the values, among them digests and coordinates, against
    that of a bare overlapping search for all texts and digests of the values."""
    figure = f"1 MB JSON, {number:,} values, same patterns"
    if number > MOST_DIGESTS and not all_patterns:
        why = "building the automaton takes six minutes; ask: python -m tests.bench.bench_matching --all-patterns"
        yield NotMeasured(figure, why)
        return
    index = ValueIndex()
    known = values(number)
    for value in known:
        index.add((value.type, value.text), value)
    body = document(1 << 20, known[:: max(1, number // 8)][:8])
    forms = [Forms(value) for value in known]
    texts = {text.lower for form in forms for found in form.texts.values() for text in found}
    digests = {digest[2].hex().encode() for form in forms for digest in form.digests}
    everything = ahocorasick_rs.BytesAhoCorasick(sorted(texts | digests))
    lower = body.lower()

    def matching() -> object:
        decoded = decode.leaves_of(body, narrow=index.narrow)
        return index.find(decoded.leaves, decoded.passed_over)

    whole, ours = spent(lambda: everything.find_matches_as_indexes(lower, overlapping=True)), spent(matching)
    talk(
        f"1 MB JSON, {number} values of all types: {len(body) / 1e6 / ours:.1f} MB/s, {whole / ours:.3f} times as fast "
        f"as a bare search for all {index.patterns} patterns, {len(texts)} texts and {len(digests)} digests"
    )
    yield Figure(figure, whole / ours)


def measure(cases: Path = CASES, *, all_patterns: bool = False) -> Iterator[Given]:
    """What is found in the recording, and how fast; then how fast in large JSON."""
    if (cases / "truth.json").exists():
        yield from _of_recording(cases)
    else:
        why = f"no labelled recording at {cases}"
        yield NotMeasured("recall", why)
        yield NotMeasured("false positives", why)
        yield NotMeasured("wrong access", why)
        yield NotMeasured("an upload, decoded and searched", why)
    yield from small()
    for number in SIZES:
        yield from against_a_raw_scan(number, all_patterns=all_patterns)


def _of_recording(cases: Path) -> Iterator[Given]:
    result = matched(cases)
    talk(f"{'transform':24} {'class':10} recall")
    for kind, wanted in sorted(result.wanted.items()):
        talk(f"{kind[1]:24} {kind[0]:10} {result.found[kind] / wanted:6.3f}  {result.found[kind]}/{wanted}")
    parts = ", ".join(f"{name} {spent:.2f} s" for name, spent in result.seconds.items())
    talk(f"{result.uploads} uploads, {result.bytes / 1e6:.2f} MB, {result.wanted.total()} values sent: {parts}")
    for label in result.missed[:20]:
        talk(f"missed {label['upload']} {label['transform']} {label['type']} {label['value']}")
    for ref, one in result.false[:20]:
        talk(f"unlabelled {ref} {one.access} {[(m.type, m.value, m.variant, m.path, m.found) for m in one.matches]}")
    for label, access in result.wrong_access[:20]:
        talk(f"wrong access {label['upload']} {label['value']} {access} {label['accesses']}")
    yield Figure("recall", result.found.total() / result.wanted.total())
    yield Figure("false positives", len(result.false))
    yield Figure("wrong access", len(result.wrong_access))
    decoding, searching, bare = (1000 * result.seconds[name] / result.uploads for name in ("decode", "link", "json"))
    talk(f"an upload: decoded in {decoding:.3f} ms, searched in {searching:.3f} ms; its line parsed in {bare:.4f} ms")
    yield Figure("an upload, decoded and searched", (decoding + searching) / bare)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="?", type=Path, default=CASES, metavar="DIR")
    parser.add_argument("--all-patterns", action="store_true", help="takes six minutes more")
    options = parser.parse_args()
    sys.exit(alone("matching", measure(options.cases, all_patterns=options.all_patterns)))
