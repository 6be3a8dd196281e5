"""Finds request fields that change with the values planted on the device although no value was found in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from appwitness.events import Ref, Upload
from appwitness.findings import Candidate, Report, Sighted
from appwitness.judge.sent_text import SentText

LONGEST = 512
"""Maximum number of characters of a text; a longer one is a document, not a field."""
SHORTEST = 3
_ID = re.compile(r"\d+|(?=.*\d)[0-9a-fA-F-]{8,}|(?=.*\d)[\w.~%-]{16,}")
"""A path segment that identifies a person, a device or a moment rather than what is requested."""
_STAMP = re.compile(r"(\d{10})(?:\.?\d{3}|\.?\d{6}|\.?\d{9})?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_PLACES = frozenset({"url.path", "url.host", "url", "url.fragment"})
"""Leaves without a name of their own: the shape of the path is compared instead."""


class DecodedUpload(NamedTuple):
    """One upload, decoded."""

    ref: Ref
    upload: Upload
    leaves: Sequence[SentText]


class _Field(NamedTuple):
    """Where a text was: the same place in requests of the same kind."""

    host: str
    method: str
    path: str
    leaf: str


class _FieldTexts(NamedTuple):
    """What one run sent in one field."""

    texts: dict[str, Ref]
    """Each text with the first upload that carried it."""
    uploads: set[Ref]


def changed(runs: Sequence[tuple[Report, Iterable[DecodedUpload]]]) -> tuple[Candidate, ...]:
    """Fields that changed with the persona, the most certain first, then in order of their names.

    Only runs of the same plan are compared with each other, since another answer changes fields too. Fields that change
    within one run or between runs of the same persona (times, nonces) are left out, as are fields in which a value was
    found: those are flows, not candidates. With fewer than two personas there are none.
    """
    fields: dict[_Field, dict[int, _FieldTexts]] = {}
    matched: set[_Field] = set()
    for number, (report, uploads) in enumerate(runs):
        found: dict[Ref, set[str]] = {}
        for flow in report.flows:
            found.setdefault(flow.upload, set()).update(match.path for match in flow.matches)
        for sent in uploads:
            for leaf in _outermost(sent.leaves):
                field = _field(sent.upload, leaf)
                if any(_within(path, leaf.path) for path in found.get(sent.ref, ())):
                    matched.add(field)
                elif _is_field(leaf):
                    texts = fields.setdefault(field, {}).setdefault(number, _FieldTexts({}, set()))
                    texts.texts.setdefault(leaf.text or "", sent.ref)
                    texts.uploads.add(sent.ref)
    reports = [report for report, _ in runs]
    candidates = [
        candidate
        for field in sorted(fields.keys() - matched)
        if (candidate := _candidate(field, fields[field], reports)) is not None
    ]
    return tuple(sorted(candidates, key=lambda each: not each.steady))


def _candidate(field: _Field, by_run: dict[int, _FieldTexts], reports: Sequence[Report]) -> Candidate | None:
    if any(len(texts.texts) > 1 for texts in by_run.values()):
        return None
    text = {number: next(iter(texts.texts)) for number, texts in by_run.items()}
    personas: dict[frozenset[tuple[str, str]], list[int]] = {}
    for number in by_run:
        persona = frozenset((value.type, value.text) for value in reports[number].run.persona)
        personas.setdefault(persona, []).append(number)
    if any(len({text[number] for number in numbers}) > 1 for numbers in personas.values()):
        return None
    if not any(_apart(one, other, text, reports) for one, other in _pairs(list(personas.values()))):
        return None
    return Candidate(
        host=field.host,
        method=field.method,
        path=field.path,
        leaf=field.leaf,
        steady=any(len(numbers) > 1 for numbers in personas.values())
        or all(len(texts.uploads) > 1 for texts in by_run.values()),
        seen=tuple(
            Sighted(recording=reports[number].recording, ref=by_run[number].texts[text[number]], text=text[number])
            for number in sorted(by_run)
        ),
    )


def _pairs(groups: Sequence[list[int]]) -> Iterator[tuple[int, int]]:
    """Every pair of runs with different personas."""
    for position, ones in enumerate(groups):
        for others in groups[position + 1 :]:
            yield from ((one, other) for one in ones for other in others)


def _apart(one: int, other: int, text: dict[int, str], reports: Sequence[Report]) -> bool:
    """Whether the texts differ, the plans do not, and the difference is not only the time that passed."""
    runs = reports[one].run, reports[other].run
    if runs[0].plan != runs[1].plan or text[one] == text[other]:
        return False
    return not (_is_time(text[one], runs[0].started) and _is_time(text[other], runs[1].started))


def _outermost(leaves: Iterable[SentText]) -> Iterator[SentText]:
    """The least decoded reading of each place: a nonce that happens to decode is still a nonce."""
    steps: dict[str, int] = {}
    kept = [leaf for leaf in leaves if leaf.text is not None]
    for leaf in kept:
        steps[leaf.path] = min(len(leaf.decoding), steps.get(leaf.path, len(leaf.decoding)))
    return (leaf for leaf in kept if len(leaf.decoding) == steps[leaf.path])


def _is_time(text: str, started: datetime) -> bool:
    """Whether a text is a time near the run: by year, or within two days for a number."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return False
    if found[1] is None:
        return text[:4] in (str(started.year - 1), str(started.year), str(started.year + 1))
    return abs(int(found[1]) - started.timestamp()) < 2 * 86400


def _is_field(leaf: SentText) -> bool:
    return SHORTEST <= len(leaf.text or "") <= LONGEST and leaf.path not in _PLACES


def _within(found: str, leaf: str) -> bool:
    """Whether a place where a value was found is this leaf, lies inside it, or contains it."""
    if found == leaf:
        return True
    long, short = (found, leaf) if len(found) > len(leaf) else (leaf, found)
    return len(short) > 1 and long.startswith(short) and long[len(short)] in ".[#"


def _field(upload: Upload, leaf: SentText) -> _Field:
    url = re.sub(r"[?#].*", "", upload.url or "", flags=re.DOTALL)
    path = re.sub(r"^[\w+.-]+://[^/]*", "", url)
    shape = "/".join("*" if _ID.fullmatch(segment) else segment for segment in path.split("/"))
    return _Field(upload.host or "", upload.method or upload.via.upper(), shape, leaf.path)
