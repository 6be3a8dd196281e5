"""Bodies as the addons hand them on: stored under their digest, or in part, and a gap says why."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from addons.disk import ring, storage, to_writer
from addons.record import recorder

SMALL = to_writer.HELD_BYTES
PIECES = [[1], [10, 20], [SMALL], [SMALL + 1], [SMALL, 1, SMALL * 3], [1000] * 200]


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[tuple[recorder.Recorder, Path]]:
    """What the addons share, with a writer that is a thread."""
    mine = recorder.Recorder()
    mine.limit = 1 << 30
    mine.open(str(tmp_path), live=False)
    yield mine, tmp_path
    mine.finish()


def record(
    recording: tuple[recorder.Recorder, Path], pieces: list[bytes], problem: str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The line and the gaps of an upload."""
    mine, path = recording
    body = mine.body()
    for piece in pieces:
        body.add(piece)
    body.problem = problem or body.problem
    mine.upload({**storage.head("upload", storage.time_of(1)), "host": "a.test"}, body)
    mine.finish()
    mine.channel = None
    (line,) = (path / "uploads.jsonl").read_bytes().splitlines()
    return json.loads(line), [json.loads(gap) for gap in (path / "gaps.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("chunks", PIECES, ids=lambda chunks: f"{len(chunks)}-{sum(chunks)}")
def test_a_body_is_stored_under_its_digest(recording: tuple[recorder.Recorder, Path], chunks: list[int]) -> None:
    parts = [os.urandom(size) for size in chunks]
    data = b"".join(parts)
    line, gaps = record(recording, parts)
    assert (line["body"], line["size"], line["truncated"]) == (hashlib.sha256(data).hexdigest(), len(data), False)
    assert not gaps
    (body,) = (recording[1] / "bodies").iterdir()
    assert (body.name, body.read_bytes()) == (line["body"], data)


def test_an_empty_body_is_none(recording: tuple[recorder.Recorder, Path]) -> None:
    line, gaps = record(recording, [])
    assert (line["body"], line["size"], line["truncated"], gaps) == (None, 0, False, [])
    assert not list((recording[1] / "bodies").iterdir())


@pytest.mark.parametrize(("chunks", "limit"), [([10], 4), ([4, 4], 4), ([SMALL, SMALL], SMALL + 10), ([5], 0)])
def test_a_body_beyond_the_limit_is_stored_in_part(
    recording: tuple[recorder.Recorder, Path], chunks: list[int], limit: int
) -> None:
    data = os.urandom(sum(chunks))
    recording[0].limit = limit
    at = [sum(chunks[:number]) for number in range(len(chunks))]
    line, (gap,) = record(recording, [data[begin : begin + size] for begin, size in zip(at, chunks, strict=True)])
    assert line["body"] == (hashlib.sha256(data[:limit]).hexdigest() if limit else None)
    assert (line["size"], line["truncated"]) == (limit, True)
    assert gap["detail"] == f"body {line['body'] or '-'}, {limit} of {len(data)} bytes: limit of {limit} bytes"
    assert [path.read_bytes() for path in (recording[1] / "bodies").iterdir()] == ([data[:limit]] if limit else [])


@pytest.mark.parametrize("size", [10, SMALL * 2])
def test_a_body_that_cannot_be_written_is_said(recording: tuple[recorder.Recorder, Path], size: int) -> None:
    (recording[1] / "bodies").rename(recording[1] / "gone")
    (recording[1] / "bodies").touch()
    line, gaps = record(recording, [b"x" * size])
    (recording[1] / "bodies").unlink()
    (recording[1] / "gone").rename(recording[1] / "bodies")
    assert (line["body"], line["size"], line["truncated"]) == (None, 0, True)
    assert [(gap["why"], "Not a directory" in gap["detail"]) for gap in gaps if gap["subject"] == "a.test"] == [
        ("body_truncated", True)
    ]


def test_what_comes_faster_than_the_disk_waits_where_nobodys_traffic_does(
    recording: tuple[recorder.Recorder, Path],
) -> None:
    data = os.urandom(3 * ring.RING_BYTES)
    line, gaps = record(recording, [data])
    assert (line["body"], line["size"], gaps) == (hashlib.sha256(data).hexdigest(), len(data), [])
