"""Short values: a bare number is that of the system's version only in a list that describes the device."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from appwitness.events import Access, Upload, Value
from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.linking import Linker

AT = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)
READ = (("device_model_os", "13"), ("device_model_os", "9"), ("device_model_os", "Pixel 6"), ("carrier", "o2 - de"))


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (["Pixel 6", "o2 - de", "13"], ["$[2]"]),
        ([["Pixel 6", "o2 - de", 13, "x"], ["13"]], ["$[0][2]"]),
        (["Pixel 6", "o2 - de", "9", 9], []),
        (["Pixel 6", "Pixel 6", "13"], []),
        (["13", "o2 - de"], []),
        (["13"], []),
        ({"a": "Pixel 6", "b": "o2 - de", "c": "13"}, []),
        (["Pixel 6", "o2 - de", "13.5", "v13"], []),
    ],
)
def test_the_number_of_a_version(sent: Any, found: list[str]) -> None:
    linker = Linker([])
    for line, (type_, text) in enumerate(READ, 1):
        access = Access(at=AT, source="s", data=type_, values=(Value(type=type_, text=text),), outcome="returned")
        linker.add_access(see(f"accesses.jsonl:{line}", access, 0))
    body = json.dumps(sent).encode()
    upload = Upload(at=AT, via="http", url="https://x.test/", type="application/json", size=len(body))
    matches = [
        match
        for joined in linker.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body))
        for match in joined.matches
        if match.value in ("13", "9")
    ]
    assert [match.path for match in matches] == found
    assert all(match.confidence < 0.5 for match in matches)
