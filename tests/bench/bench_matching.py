"""Recall, false positives and speed of matching on a labelled recording: `python -m tests.bench.bench_matching`."""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick_rs

from monitor.events import Access, Connection, Run, Transform, Upload, Value, parse
from monitor.judge import decode
from monitor.judge.flows import Joined, Linker
from monitor.judge.search import Index

CASES = Path(__file__).parents[3] / "shared" / "cases" / "matching"


class Outcome(NamedTuple):
    """What matching came to on a labelled recording."""

    found: Counter[tuple[str, str]]
    wanted: Counter[tuple[str, str]]
    missed: list[dict[str, Any]]
    wrong_access: list[tuple[dict[str, Any], str | None]]
    false: list[tuple[str, Joined]]
    extra: list[tuple[str, Joined]]
    cut: list[str]
    seconds: dict[str, float]
    uploads: int
    bytes: int


def _lines(path: Path) -> list[Any]:
    return [(f"{path.name}:{n}", parse(line)) for n, line in enumerate(path.read_bytes().splitlines(), 1)]


def measure(cases: Path) -> Outcome:
    """Decode and link every upload of the recording, and compare with its labels."""
    run = Run.model_validate_json((cases / "run.json").read_bytes())
    started = time.perf_counter()
    linker = Linker(run.persona, run.clock_offset_ms)
    for name in ("accesses", "connections", "transforms"):
        for ref, event in _lines(cases / f"{name}.jsonl"):
            match event:
                case Access():
                    linker.add_access(ref, event)
                case Connection():
                    linker.add_connection(ref, event)
                case Transform():
                    linker.add_transform(ref, event)
    seconds = {"learn": time.perf_counter() - started, "decode": 0.0, "link": 0.0}
    joined: dict[str, list[Joined]] = {}
    size = 0
    cut: list[str] = []
    for ref, upload in _lines(cases / "uploads.jsonl"):
        assert isinstance(upload, Upload)
        body = (cases / "bodies" / upload.body).read_bytes() if upload.body else None
        size += len(body or b"") + len(upload.url or "")
        before = time.perf_counter()
        decoded = decode.leaves(upload, body)
        between = time.perf_counter()
        joined[ref] = linker.link(ref, upload, decoded)
        seconds["decode"] += between - before
        seconds["link"] += time.perf_counter() - between
        cut += decoded.cut
    truth = json.loads((cases / "truth.json").read_bytes())
    negatives = json.loads((cases / "negatives.json").read_bytes())
    outcome = Outcome(Counter(), Counter(), [], [], [], [], cut, seconds, len(joined), size)
    labelled: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for label in truth:
        kind = (label["class"], label["transform"])
        outcome.wanted[kind] += 1
        labelled[label["upload"]].add((label["type"], label["value"]))
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
        for one in flows:
            if any((match.type, match.value) not in labelled[ref] for match in one.matches):
                outcome.extra.append((ref, one))
    return outcome


def against_a_raw_scan(values: int) -> float:
    """Time of a bare search for the values' texts in 1 MB of JSON, as a share of decoding and finding all forms."""
    chance = random.Random(7)
    index = Index()
    texts = [f"13{chance.randrange(10**9):09d}" for _ in range(values)]
    for text in texts:
        index.add(text, Value(type="phone_number", text=text))
    rows = [
        {"id": n, "name": f"item {n}", "at": 1_700_000_000 + n, "token": f"{chance.getrandbits(128):032x}", "on": True}
        for n in range(9_500)
    ]
    body = json.dumps(rows).encode()
    raw = ahocorasick_rs.BytesAhoCorasick([text.encode() for text in texts])
    index.find(decode.leaves_of(body).leaves)
    spent = []
    for work in (lambda: raw.find_matches_as_indexes(body), lambda: index.find(decode.leaves_of(body).leaves)):
        best = float("inf")
        for _ in range(3):
            started = time.perf_counter()
            work()
            best = min(best, time.perf_counter() - started)
        spent.append(best)
    print(f"1 MB JSON, {values} values: {len(body) / 1e6 / spent[1]:.2f} MB/s, {spent[0] / spent[1]:.4f} of a raw scan")
    return spent[0] / spent[1]


def main() -> None:
    """Print the figures."""
    named = (Path(word) for word in sys.argv[1:] if (Path(word) / "truth.json").exists())
    cases = next(named, CASES)
    if not (cases / "truth.json").exists():
        print(f"matching: no labelled recording at {cases}, nothing measured")
        return
    result = measure(cases)
    print(f"{'transform':24} {'class':10} recall")
    for kind, wanted in sorted(result.wanted.items()):
        print(f"{kind[1]:24} {kind[0]:10} {result.found[kind] / wanted:6.3f}  {result.found[kind]}/{wanted}")
    wanted, found = result.wanted.total(), result.found.total()
    print(f"recall {found / wanted:.4f} ({found}/{wanted}), wrong access {len(result.wrong_access)}")
    print(f"false positives {len(result.false)} in {result.uploads} uploads, unlabelled values {len(result.extra)}")
    print(f"cut: {len(result.cut)}")
    total = sum(result.seconds.values())
    parts = ", ".join(f"{name} {spent:.2f} s" for name, spent in result.seconds.items())
    print(f"{result.uploads} uploads, {result.bytes / 1e6:.2f} MB: {result.bytes / 1e6 / total:.2f} MB/s ({parts})")
    for values in (1_000, 5_000):
        against_a_raw_scan(values)
    for label in result.missed[:20]:
        print("missed", label["upload"], label["transform"], label["type"], label["value"])
    for ref, one in (result.false + result.extra)[:20]:
        print("unlabelled", ref, one.access, [(m.type, m.value, m.variant, m.path, m.found) for m in one.matches])
    for label, access in result.wrong_access[:20]:
        print("wrong access", label["upload"], label["value"], access, label["accesses"])


if __name__ == "__main__":
    main()
