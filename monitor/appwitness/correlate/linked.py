"""The uploads of a recording: decoded, and linked to earlier reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Literal

from appwitness.correlate.prior_knowledge import Knowledge
from appwitness.events import Access, Event, Ref, Run, Transform, Upload
from appwitness.events.packed_lines import ByRef, PackedLines
from appwitness.events.seen import Seen, holds, number_of
from appwitness.findings import ReportedGap
from appwitness.judge.claims import Claim
from appwitness.match import decode
from appwitness.match.decode.opaque import OpaquePart, opaque
from appwitness.match.linking import Joined, Linker
from appwitness.recording import Recording

RECENT = timedelta(seconds=5)
"""Following: an access that is reported later than an upload that it precedes (the agent sends in batches) is still
linked to uploads up to this long before the newest."""
RECENT_UPLOADS = 512
OPAQUE = 1000
"""This many unreadable bytes to one host, or more, are a gap."""


class Linked:
    """The uploads of a recording, each with what it was linked to."""

    def __init__(self, recording: Recording, run: Run, known: Knowledge) -> None:
        self._recording = recording
        self._known = known
        self._linker = Linker(run.persona, recording.body, run.clock_bound_ms)
        self.uploads = PackedLines(Upload)
        self._joins: dict[Ref, list[Joined]] = {}
        """The links of each upload that was linked to anything."""
        self.cuts: dict[Ref, ReportedGap] = {}
        """Uploads that were not read completely."""
        self.claims: dict[Ref, tuple[Claim, ...]] = {}
        self._opaque: dict[Ref, tuple[Seen[Upload], tuple[OpaquePart, ...]]] = {}
        """Uploads with parts that nobody could read."""
        self._recent: dict[Ref, tuple[Seen[Upload], decode.Decoded]] = {}

    def learn(self, seen: Seen[Event]) -> None:
        """Take in a line of the app that helps to link uploads."""
        if holds(seen, Access):
            self._linker.add_access(seen)
        elif holds(seen, Transform):
            self._linker.add_transform(seen)

    def link(self, seen: Seen[Upload]) -> decode.Decoded:
        """Decode an upload, and link it to what was read before it."""
        ref, upload = seen.ref, seen.event
        body = self._recording.body_view(upload.body) if upload.body else None
        decoded = decode.leaves(upload, body, narrow=self._linker.narrow, spool=self._recording.scratch)
        for cut in decoded.cut:
            self.cuts[ref] = _cut(seen, "decode_limit", cut)
        if parts := opaque(decoded):
            self._opaque[ref] = (seen, parts)
        if upload.body and body is None:
            self.cuts[ref] = _cut(seen, "body_truncated", f"bodies/{upload.body} is missing or no regular file")
        if claims := self._known.claims.of_upload(seen, decoded.leaves):
            self.claims[ref] = claims
        if self.uploads.place_of(ref) is None:
            self.uploads.append(seen)
        self._join(seen, decoded)
        return decoded

    def _join(self, seen: Seen[Upload], decoded: decode.Decoded) -> None:
        if joins := self._linker.link(seen, decoded):
            self._joins[seen.ref] = joins
        else:
            self._joins.pop(seen.ref, None)

    def joined(self) -> Iterator[tuple[Seen[Upload], list[Joined]]]:
        """The uploads that were linked to reads, in order of their lines, with these links."""
        uploads = ByRef(self.uploads)
        for ref in sorted(self._joins, key=number_of):
            yield uploads[ref], self._joins[ref]

    def follow(self, uploads: list[Seen[Upload]], earliest: datetime | None) -> None:
        """Link new uploads. Recent uploads that are not older than the `earliest` new read or transform are linked
        again."""
        if earliest is not None:
            for ref, (upload, decoded) in self._recent.items():
                if upload.at < earliest:
                    continue
                if decoded.passed_over:  # the parts that were skipped may contain values that are known only now
                    self._recent[ref] = (upload, self.link(upload))
                else:
                    self._join(upload, decoded)
        for upload in uploads:
            self._recent[upload.ref] = (upload, self.link(upload))
        if self._recent:
            newest = max(upload.at for upload, _ in self._recent.values())
            keep = [ref for ref, (upload, _) in self._recent.items() if newest - upload.at <= RECENT][-RECENT_UPLOADS:]
            self._recent = {ref: self._recent[ref] for ref in keep}

    def end(self) -> None:
        """Free what only linking needs: no more lines or uploads will come."""
        del self._linker
        self._recent.clear()

    def opaque(self, foreign: AbstractSet[Ref], made: AbstractSet[str]) -> Iterator[ReportedGap]:
        """A gap for each host that received at least OPAQUE bytes that nobody could read: no value was found in them,
        and they are not in `made` (sha256 of what the hooks saw the app compute). Uploads of other apps (`foreign`)
        do not count."""
        hosts: dict[str, list[tuple[Seen[Upload], int]]] = defaultdict(list)
        for ref, (seen, parts) in self._opaque.items():
            if ref not in foreign and (size := sum(part.size for part in parts if not self._is_known(ref, part, made))):
                hosts[seen.event.host or seen.event.via].append((seen, size))
        for host, uploads in hosts.items():
            first, total = min(uploads, key=lambda one: one[0].number)[0], sum(size for _, size in uploads)
            if total >= OPAQUE:
                said = f"{total:,} bytes in {len(uploads):,} {'message' if len(uploads) == 1 else 'messages'}"
                yield ReportedGap(
                    at=first.at,
                    app=first.event.app,
                    where="correlate",
                    subject=host,
                    why="not_decrypted",
                    detail=f"{said} could not be decoded: what is in them is not known",
                    ref=first.ref,
                )

    def _is_known(self, ref: Ref, part: OpaquePart, made: AbstractSet[str]) -> bool:
        matches = (
            match for joined in self._joins.get(ref, ()) for match in joined.matches if match.path.startswith("$")
        )
        places = ((match.start, match.end) for match in matches if match.evidence)  # the app was seen to compute it
        return part.sha256 in made or any(start < part.end and part.start < end for start, end in places)


def _cut(seen: Seen[Upload], why: Literal["decode_limit", "body_truncated"], detail: str) -> ReportedGap:
    return ReportedGap(at=seen.at, app=seen.event.app, where="correlate", subject=seen.ref, why=why, detail=detail)
