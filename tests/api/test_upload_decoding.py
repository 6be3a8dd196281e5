"""An upload is taken apart to leaves, with the steps to each, whatever became of its body."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from appwitness.api.upload_decoding import LARGEST, SHOWN_BYTES, taken_apart
from appwitness.events import Upload
from appwitness.findings import Match

AT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
TEXT = json.dumps({"tel": "+8613800138000", "n": 1}).encode()
BODY = gzip.compress(TEXT)


def upload(body: bytes = BODY) -> Upload:
    return Upload(
        at=AT, via="http", method="POST", url="https://a.test/x", host="a.test", body="0" * 64, size=len(body),
        type="application/json", headers=(("Content-Encoding", "gzip"),), status=200,
    )  # fmt: skip


def match(path: str, decoding: tuple[str, ...]) -> Match:
    return Match(
        type="phone_number", value="+8613800138000", found="+8613800138000", variant="plain", path=path,
        decoding=decoding, start=0, end=14, confidence=0.99,
    )  # fmt: skip


def test_a_leaf_that_carries_a_value_has_its_steps_from_what_is_stored():
    path, decoding = next((leaf.path, leaf.decoding) for leaf in taken_apart(upload(), BODY, ()).leaves
                          if leaf.text == "+8613800138000")  # fmt: skip
    there = match(path, decoding)
    found = taken_apart(upload(), BODY, (there, there, match("$.other", decoding)))
    assert found.problem is None
    (number,) = (number for number, held in found.carrying.items() if held)
    assert found.carrying[number] == [there]
    steps = found.steps(number)
    assert [step.name for step in steps][:2] == ["stored", "gzip"]
    assert (steps[0].data, steps[1].data, steps[-1].data) == (BODY, TEXT, b"+8613800138000")
    with pytest.raises(IndexError):
        found.steps(len(found.leaves))


def test_without_a_leaf_the_body_is_shown_as_it_is_stored():
    assert [(step.path, step.data) for step in taken_apart(upload(), BODY, ()).steps(None)] == [("$", BODY)]
    large = bytes(LARGEST + 1)
    found = taken_apart(upload(large), large, ())
    assert found.problem == "body_large"
    assert [len(step.data) for step in found.steps(None)] == [SHOWN_BYTES]
    assert not any(leaf.path.startswith("$") for leaf in found.leaves)


def test_of_a_body_that_is_gone_url_and_headers_are_left():
    found = taken_apart(upload(), None, ())
    assert found.problem == "body_gone"
    assert found.steps(None) == []
    (number,) = (number for number, leaf in enumerate(found.leaves) if leaf.path == "url.host")
    assert found.steps(number)[-1].data == b"a.test"
