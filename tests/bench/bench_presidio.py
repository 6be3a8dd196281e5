"""The recognisers of Presidio on the labelled recording, and ours beside them: `python -m tests.bench presidio`.

Only those that work by patterns: no model is fetched. They say what kind of thing stands somewhere, not whose it is, so
a value counts as found when what they mark holds it as it was read. They get what the product stores: the URL and the
body; once more with every leaf that our decoding finds in it, to tell what decoding does from what recognising does.

Presidio brings spaCy and 300 MB with it, so it is no requirement of the project (group `presidio` of pyproject.toml)
and best installed beside it: `uv pip install --target /tmp/presidio 'presidio-analyzer>=2.2'`, then
`PYTHONPATH=/tmp/presidio python -m tests.bench presidio`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from appwitness.events import Upload, parse
from appwitness.match import decode
from tests.bench.bench_matching import CASES, matched
from tests.bench.figures import Figure, Given, NotMeasured
from tests.bench.running import alone, talk

NAMES = (
    *("CreditCardRecognizer", "CryptoRecognizer", "DateRecognizer", "EmailRecognizer", "IbanRecognizer"),
    *("IpRecognizer", "PhoneRecognizer", "UrlRecognizer", "UsSsnRecognizer"),
)
INSTALL = (
    "uv pip install --target /tmp/presidio 'presidio-analyzer>=2.2', then PYTHONPATH=/tmp/presidio before the command"
)
SURE = 0.3
"""Score from which on a result of theirs counts."""


def recognisers() -> list[Any]:
    """Presidio's, without its engine for languages; the list of domains that comes with it, for no bench downloads."""
    domains: Any = importlib.import_module("tldextract.tldextract")
    domains.TLD_EXTRACTOR = domains.TLDExtract(suffix_list_urls=())
    found = importlib.import_module("presidio_analyzer.predefined_recognizers")
    return [getattr(found, name)() for name in NAMES]


def marked(text: str, own: list[Any]) -> list[str]:
    """What they mark in a text."""
    results = [
        result
        for one in own
        for result in one.analyze(text=text, entities=one.supported_entities, nlp_artifacts=None) or ()
        if result.score >= SURE
    ]
    return [text[result.start : result.end] for result in results]


def texts_of(upload: Upload, body: bytes, *, decoded: bool) -> str:
    """What they are given of an upload."""
    stored = f"{upload.url or ''}\n{body.decode('utf-8', 'replace')}"
    if not decoded:
        return stored
    leaves = decode.leaves(upload, body or None).leaves
    return "\n".join([stored, *dict.fromkeys(leaf.text for leaf in leaves if leaf.text)])


class Theirs(NamedTuple):
    """What they came to."""

    recall: float
    flagged: int
    megabytes_a_second: float


def theirs(own: list[Any], wanted: dict[str, list[str]], negatives: set[str], *, decoded: bool) -> Theirs:
    """Run them over every upload."""
    found = flagged = size = 0
    spent = 0.0
    for number, line in enumerate((CASES / "uploads.jsonl").read_bytes().splitlines(), 1):
        upload = parse(line)
        assert isinstance(upload, Upload)
        body = (CASES / "bodies" / upload.body).read_bytes() if upload.body else b""
        text = texts_of(upload, body, decoded=decoded)
        size += len(upload.url or "") + len(body)
        started = time.process_time()
        marks = marked(text, own)
        spent += time.process_time() - started
        ref = f"uploads.jsonl:{number}"
        flagged += ref in negatives and bool(marks)
        found += sum(any(value in mark for mark in marks) for value in wanted.get(ref, ()))
    return Theirs(found / sum(map(len, wanted.values())), flagged, size / 1e6 / spent)


def measure() -> Iterator[Given]:
    """Recall, clean uploads flagged and speed, theirs and ours."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        yield NotMeasured(None, f"presidio is not installed: {INSTALL}")
        return
    if not (CASES / "truth.json").exists():
        yield NotMeasured(None, f"no labelled recording at {CASES}")
        return
    negatives = set(json.loads((CASES / "negatives.json").read_bytes()))
    wanted: dict[str, list[str]] = {}
    for label in json.loads((CASES / "truth.json").read_bytes()):
        wanted.setdefault(label["upload"], []).append(label["value"])
    own = recognisers()
    talk(f"{len(own)} recognisers, {sum(map(len, wanted.values()))} values sent, {len(negatives)} clean uploads")
    for name, decoded in (("presidio", False), ("presidio on decoded text", True)):
        result = theirs(own, wanted, negatives, decoded=decoded)
        yield Figure(f"recall, {name}", result.recall)
        yield Figure(f"clean uploads flagged, {name}", result.flagged)
        yield Figure(f"speed, {name}", result.megabytes_a_second)
    started = time.process_time()
    ours = matched(CASES)
    spent = time.process_time() - started
    yield Figure("recall, appwitness", ours.found.total() / ours.wanted.total())
    yield Figure("clean uploads flagged, appwitness", len(ours.false))
    yield Figure("speed, appwitness", ours.bytes / 1e6 / spent)


if __name__ == "__main__":
    sys.exit(alone("presidio", measure()))
