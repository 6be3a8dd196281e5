"""Decodes the uploads of a report's flows again, for the text around each match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from appwitness.events import Upload
from appwitness.findings import Flow, Match, Report
from appwitness.findings.surroundings import Context, Contexts, Neighbour, Stage, Stretch
from appwitness.match import decode
from appwitness.match.decode import Leaf
from appwitness.recording import Recording
from appwitness.reports.verdict import groups

FLOWS = 40
"""Maximum number of flows of a report that are examined: the first of each group, worst groups first."""
FORMS = 2
"""Maximum number of matches of a flow that are examined, each of a different variant."""
LARGEST = 256 << 10
"""Maximum size of a body that is decoded for this, in bytes."""
ALL_BYTES = 1 << 20
"""Maximum size of all such bodies together, in bytes; decoding them takes about a second."""
LIMITS = decode.DecodeLimits(output_bytes=4 << 20, leaves=20_000, work=2 << 20)
"""Lower than for matching: somebody is waiting for the report."""
TEXT = 200
"""Maximum number of characters shown of a field."""
ROUND = 24
"""Bytes before and after the match."""
LONGEST = 96
"""Maximum length of a match that is shown, in bytes."""


def with_context(report: Report, recording: Recording) -> Report:
    """The report with the contexts of its matches, which are computed on first use."""
    return report.model_copy(update={"contexts": Contexts(lambda: _around(report, recording))})


def _around(report: Report, recording: Recording) -> dict[str, tuple[Context, ...]]:
    found = {}
    left = ALL_BYTES
    for flow in [group.flows[0] for group in groups(report) if group.flows][:FLOWS]:
        upload = report.evidence.get(flow.upload)
        if not isinstance(upload, Upload) or upload.size > min(left, LARGEST):
            continue
        left -= upload.size
        if around := tuple(_of_flow(flow, upload, recording)):
            found[flow.id] = around
    return found


def around(flow: Flow, upload: Upload, recording: Recording) -> tuple[Context, ...]:
    """The contexts of one flow's matches; empty if its body is large."""
    return tuple(_of_flow(flow, upload, recording)) if upload.size <= LARGEST else ()


def _of_flow(flow: Flow, upload: Upload, recording: Recording) -> Iterator[Context]:
    view = recording.body_view(upload.body) if upload.body else None
    body = bytes(view[: len(view)]) if view is not None and len(view) <= LARGEST else None
    leaves = decode.leaves(upload, body, LIMITS).leaves
    forms: dict[str, int] = {}
    for number, match in enumerate(flow.matches):
        forms.setdefault(match.variant, number)
    for number in list(forms.values())[:FORMS]:
        match = flow.matches[number]
        at = next((at for at, leaf in enumerate(leaves) if _holds(leaf, match)), None)
        if at is None:
            continue
        leaf = leaves[at]
        offset, stretches = _bytes(match, leaf, leaves, body) if body and leaf.path.startswith("$") else (0, ())
        yield Context(
            match=number,
            stages=tuple(_stages(upload, body, leaf)),
            fields=tuple(_fields(leaves, at)),
            offset=offset,
            stretches=stretches,
        )


def _holds(leaf: Leaf, match: Match) -> bool:
    return (leaf.path, leaf.decoding) == (match.path, match.decoding) and (
        leaf.start <= match.start and match.end <= leaf.end and (leaf.text is None or match.found in leaf.text)
    )


def _stages(upload: Upload, body: bytes | None, leaf: Leaf) -> Iterator[Stage]:
    for number, piece in enumerate(decode.way(upload, body, leaf, LIMITS)):
        if number == 0 and piece.decoding and body and piece.path == "$":  # decoded as Content-Encoding says
            yield Stage(step="", path="$", size=len(body))
        step = piece.decoding[-1] if piece.decoding else ""
        yield Stage(step=step, path=piece.path, size=len(piece.data))


def _fields(leaves: Sequence[Leaf], at: int) -> Iterator[Neighbour]:
    """The field at an index, between its neighbours in the same part of the upload."""
    root = leaves[at].path.partition(".")[0]
    texts: dict[str, Leaf] = {}
    for number, leaf in enumerate(leaves):
        if leaf.text is not None and leaf.path.partition(".")[0] == root and (number == at or leaf.path not in texts):
            texts[leaf.path] = leaf
    texts[leaves[at].path] = leaves[at]
    paths = list(texts)
    middle = paths.index(leaves[at].path)
    for path in paths[max(0, middle - 1) : middle + 2]:
        text = texts[path].text
        shown = texts[path].data.hex() if text is None else text
        here = path == leaves[at].path
        yield Neighbour(path=path, text=shown[:TEXT], cut=len(shown) > TEXT, here=here)


def _bytes(match: Match, leaf: Leaf, leaves: Sequence[Leaf], body: bytes) -> tuple[int, tuple[Stretch, ...]]:
    """The stored bytes around a match that has its own position among them, and their offset."""
    if match.end - match.start > LONGEST or (match.start, match.end) == (0, len(body)):
        return 0, ()
    first, last = max(0, match.start - ROUND), min(len(body), match.end + ROUND)
    kinds = ["structure"] * (last - first)
    for other in leaves:
        if other.path.startswith("$") and (other is leaf or (other.start, other.end) != (0, len(body))):
            for at in range(max(first, other.start), min(last, other.end)):
                kinds[at - first] = "value"
    for at in range(match.start, match.end):
        kinds[at - first] = "found"
    stretches = []
    begun = first
    for at in range(first + 1, last + 1):
        if at == last or kinds[at - first] != kinds[begun - first]:
            stretches.append(Stretch.model_validate({"what": kinds[begun - first], "data": body[begun:at]}))
            begun = at
    return first, tuple(stretches)
