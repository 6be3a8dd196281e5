"""Decodes an upload for display: its leaves, the values found in them, and the decoding steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from appwitness.events import Upload
from appwitness.findings import Match
from appwitness.match import decode
from appwitness.match.decode import Leaf as Leaf

LIMITS = decode.DecodeLimits(output_bytes=16 << 20, leaves=50_000, work=4 << 20)
"""Limits for decoding: lower than for matching, because somebody is waiting."""
LARGEST = 2 << 20
"""Largest body that is decoded, in bytes."""
SHOWN_BYTES = 1 << 20
"""Maximum number of bytes shown of a stored body if no leaf is chosen."""

Problem = Literal["body_gone", "body_large"]
"""Why a body is not decoded: its file is missing from the recording, or it is larger than LARGEST."""


class DecodingStep(NamedTuple):
    """The bytes after one step on the way from the stored body to a leaf."""

    name: str
    """The decoding that led here: `gzip`, `json`; `stored` for the bytes that left the device."""
    path: str
    data: bytes


@dataclass(frozen=True)
class TakenApart:
    """The leaves of one upload."""

    leaves: tuple[Leaf, ...]
    cut: tuple[str, ...]
    """What was not decoded because of a limit, one sentence each."""
    carrying: Mapping[int, list[Match]]
    """Number of a leaf, from 0 -> the matches in it, without repeated texts."""
    problem: Problem | None
    """Why the leaves of the body are missing; None: they are not."""
    searched: Upload
    """The upload; without its body if there is a problem with that."""
    body: decode.Body | None
    """The body as stored."""

    def steps(self, number: int | None) -> list[DecodingStep]:
        """The steps to a leaf, from the stored bytes on; None: only the stored body, if there is one.

        Raises IndexError for a leaf that does not exist.
        """
        if number is not None:
            return _steps(self.searched, self.body, self.leaves[number])
        return [DecodingStep("stored", "$", bytes(self.body[:SHOWN_BYTES]))] if self.body else []


def taken_apart(upload: Upload, body: decode.Body | None, matches: Iterable[Match]) -> TakenApart:
    """Decode an upload and find the leaves that carry these matches; `body` None: it is gone, or the upload has
    none."""
    problem: Problem | None = None
    if upload.body and body is None:
        problem = "body_gone"
    elif body and len(body) > LARGEST:
        problem = "body_large"
    searched = upload.model_copy({"body": None}) if problem else upload
    found = decode.leaves(searched, None if problem else body, LIMITS)
    sought = list(matches)
    carrying = {number: _in(leaf, sought) for number, leaf in enumerate(found.leaves)}
    return TakenApart(found.leaves, found.cut, carrying, problem, searched, body)


def _in(leaf: Leaf, matches: Iterable[Match]) -> list[Match]:
    there = (match for match in matches if (match.path, match.decoding) == (leaf.path, leaf.decoding))
    return list({match.found: match for match in there}.values())


def _steps(upload: Upload, body: decode.Body | None, leaf: Leaf) -> list[DecodingStep]:
    way = decode.way(upload, body, leaf, LIMITS)
    if not way:
        return [DecodingStep(" ".join(leaf.decoding) or "stored", leaf.path, leaf.data)]
    steps: list[DecodingStep] = []
    if way[0].decoding and body:
        steps.append(DecodingStep("stored", "$", bytes(body[:])))
    done: tuple[str, ...] = ()
    for piece in way:
        name = " ".join(piece.decoding[len(done) :]) or ("stored" if not steps else "part")
        if steps and name == "part" and piece.data == steps[-1].data:
            continue
        steps.append(DecodingStep(name, piece.path, piece.data))
        done = piece.decoding
    return steps
