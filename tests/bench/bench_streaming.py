"""A body of 1 GB that is read a stretch at a time: seconds, memory beside that of the process before, and whether all
that was planted is found, where it is, as in one block.

    python -m tests.bench.bench_streaming [KIND MEGABYTES]
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from appwitness.events import Upload, made
from appwitness.match import decode
from appwitness.match.finding import ValueIndex
from appwitness.match.hits import Hit
from appwitness.recording import Recording
from tests.bench.bench_matching import WAYS, WORDS, document, values
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, apart, talk

KINDS = ("json", "ndjson", "text", "binary", "multipart", "gzip")
MEGABYTES = 1024
BETWEEN = 64
"""One value in so many megabytes."""


def memory() -> dict[str, int]:
    """Kilobytes of this process: all that is in memory, and what of it is no file."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines if line[0] in ("VmRSS:", "RssAnon:")}


def rows(chance: random.Random, megabytes: int) -> Iterator[tuple[bytes, str]]:
    """That many megabytes of JSON objects, a megabyte at a time, and what is planted in each."""
    filling = [json.dumps(row).encode() for row in json.loads(document(1 << 20, []))["events"]]
    known = values(1000)
    for number in range(megabytes):
        chance.shuffle(filling)
        text = known[number % len(known)].text if number % BETWEEN == 0 else ""
        extra = [json.dumps({"extra": WAYS[number // BETWEEN % len(WAYS)](text)}).encode()] if text else []
        yield b",\n".join([*filling, *extra]), text


def write(kind: str, file: Path, megabytes: int) -> list[str]:
    """Write a body; the texts planted in it."""
    chance = random.Random(9)
    planted: list[str] = []
    with gzip.open(file, "wb", 1) if kind == "gzip" else file.open("wb") as out:
        if kind == "multipart":
            out.write(b'--b0u\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n')
            out.write(b'--b0u\r\ncontent-disposition: form-data; name="log"\r\n\r\n')
        listed = kind in ("json", "gzip", "multipart")
        out.write(b"[" if listed else b"\xff\x00" if kind == "binary" else b"")
        for number, (block, text) in enumerate(rows(chance, megabytes)):
            planted += [text] if text else []
            match kind:
                case "ndjson":
                    out.write(block.replace(b",\n", b"\n") + b"\n")
                case "text":
                    lines = (" ".join(chance.choices(WORDS, k=9)) for _ in range(17_000))
                    out.write("\n".join([*lines, f"said {text}" if text else "said nothing"]).encode() + b"\n")
                case "binary":
                    out.write(chance.randbytes(1 << 20) + (b"\0" + text.encode() + b"\0" if text else b""))
                case _:
                    out.write((b",\n" if number else b"") + block)
        out.write(b"]" if listed else b"")
        if kind == "multipart":
            out.write(b"\r\n--b0u--\r\n")
    return planted


def places(hits: list[Hit]) -> set[tuple[object, ...]]:
    """What is compared: which value, in which form, where."""
    return {(hit.key, hit.variant.name, hit.leaf.path, hit.start, hit.end, hit.decoding) for hit in hits if hit.strong}


def of_kind(kind: str, megabytes: int) -> Iterator[Given]:
    """The figures of one kind."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "recording"
        recording = Recording(path)
        name = "0" * 64
        (path / "bodies").mkdir(parents=True)
        planted = write(kind, path / "bodies" / name, megabytes)
        size = (path / "bodies" / name).stat().st_size
        hint = "multipart/form-data; boundary=b0u" if kind == "multipart" else "application/octet-stream"
        upload = made(Upload, {"at": "2026-05-01T00:00:00Z", "via": "http", "type": hint, "headers": []})
        index = ValueIndex()
        for value in values(1000):
            index.add((value.type, value.text), value)
        warm = decode.leaves_of(document(1 << 20, values(1000)[:8]), narrow=index.narrow)
        index.find(warm.leaves)
        before, most, done = memory(), {"VmRSS": 0, "RssAnon": 0}, threading.Event()

        def watch() -> None:
            while not done.wait(0.01):
                now = memory()
                most.update({each: max(value, now[each]) for each, value in most.items()})

        watcher = threading.Thread(target=watch)
        watcher.start()
        begun = time.thread_time()
        decoded = decode.leaves(upload, recording.body_view(name), narrow=index.narrow, spool=recording.scratch)
        hits = index.find(decoded.leaves, decoded.passed_over)
        seconds = time.thread_time() - begun
        done.set()
        watcher.join()
        found = {hit.value.text for hit in hits if hit.strong}
        extra = {each: (most[each] - before[each]) / 1024 for each in most}
        talk(
            f"{kind:9s} {size / 1e6:6.0f} MB, 1,000 values: {seconds:6.1f} s of CPU, {size / 1e6 / seconds:5.0f} MB/s; "
            f"{extra['RssAnon']:.1f} MB more memory, {extra['VmRSS']:.1f} MB with mapped pages; "
            f"{len(found & set(planted))} of {len(set(planted))} planted values found, cut: {decoded.cut or 'nothing'}"
        )
        yield Figure(f"memory, {kind}", extra["RssAnon"])
        yield Figure(f"planted values missed, {kind}", len(set(planted) - found))
        if kind in ("json", "ndjson"):  # the sieve reads these in one block as well
            limits = decode.DecodeLimits(at_once=1 << 40)
            body = (path / "bodies" / name).read_bytes()
            whole = decode.leaves(upload, body, limits, narrow=index.narrow)
            other = places(index.find(whole.leaves, whole.passed_over)) ^ places(hits)
            yield Figure(f"other matches than in one block, {kind}", len(other))


def measure(kinds: Sequence[str] = KINDS, megabytes: int = MEGABYTES) -> Iterator[Given]:
    """Each kind in a process of its own."""
    for kind in kinds:
        yield from apart(of_kind, kind, megabytes)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [kind, megabytes]:
            sys.exit(alone("streaming", measure([kind], int(megabytes))))
        case _:
            sys.exit(alone("streaming", measure()))
