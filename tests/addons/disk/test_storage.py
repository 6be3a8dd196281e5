"""Lines of the recording: whole, in order, one after another, whoever else writes the same file."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from addons.disk import storage


def append_many(path: Path, writer: int) -> None:
    file = storage.Lines(path)
    for number in range(300):
        line = {"writer": writer, "number": number, "padding": "x" * (number * 7 % 5000)}
        file.append(storage.coded(line))
    file.close()


def test_several_processes_append_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "gaps.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append_many, args=(path, writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    read = [json.loads(line) for line in path.read_bytes().splitlines()]
    for number in range(3):
        assert [line["number"] for line in read if line["writer"] == number] == list(range(300)), "all, in order"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b'{"a":1}\n'),
        (b'{"b":2}\n', b'{"b":2}\n{"a":1}\n'),
        (b'{"b":2}\n{"to', b'{"b":2}\n{"to\n{"a":1}\n'),
    ],
    ids=["new", "whole", "torn"],
)
def test_a_torn_tail_stays_a_line_of_its_own(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(before)
    file = storage.Lines(path)
    file.append(b'{"a":1}')
    file.close()
    assert path.read_bytes() == after


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b"", None),
        (b'{"a":1,"b":2}\n', b',"b":2}'),
        (b'{"a":1,"b":2}\n{"c":3}\n', b',"b":2}'),
        (b'{"a":1,"b"', None),
        (b'{"a":1,"b"\n{"a":1,"b":2}\n', b',"b":2}'),
        (b'{"x":1}\n', None),
        (b'[{"a":1,"b":2}]\n', None),
    ],
)
def test_how_the_last_line_goes_on_that_begins_so(tmp_path: Path, content: bytes, rest: bytes | None) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content)
    file = storage.Lines(path)
    assert file.rest(b'{"a":1') == rest
    file.close()
