"""Replaces every personal value in strings and bytes; returns None if our own matcher still finds one."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from appwitness.care.pseudonyms import Tokens
from appwitness.catalog.withheld import is_placeholder
from appwitness.events import LATEST, Transform, Upload, Value
from appwitness.events.seen import Seen
from appwitness.match.decode import Body, Decoded, leaves, leaves_of
from appwitness.match.finding import Sought
from appwitness.match.hits import Hit

ROUNDS = 4
"""Maximum number of rounds of replacing while a value is still found, such as one form inside another."""
MOST_BYTES = 8 << 20
"""Larger bodies, and those that decompress to more, are left out."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

type Find = Callable[[bytes], list[Hit] | None]
"""Finds the hits in bytes; None when they could not be searched completely."""


class Replacing:
    """Replaces all values of one recording, taking into account the transforms of its app."""

    def __init__(
        self, values: Iterable[Value], transforms: Iterable[Seen[Transform]], apps: Iterable[str], bodies: Any
    ) -> None:
        """`bodies` reads a stored body by its digest."""
        known = {
            (value.type, value.text): value for value in values if value.text.strip() and not is_placeholder(value)
        }
        self.values = list(known.values())
        self.tokens = Tokens(self.values)
        self.apps = sorted(set(apps))
        self._sought = Sought(bodies)
        self._texts: dict[str, str | None] = {}
        for key, value in known.items():
            self._sought.add(key, alone=value.row is None)
        for each in transforms:
            self._sought.add_transform(each)
        self.narrow = self._sought.narrow
        """Used in decoding: selects the parts of a large text that may hold a known value."""

    def found(self, decoded: Decoded) -> list[Hit] | None:
        """Every form of every value; None when nothing was found and decoding met a limit."""
        hits = self._sought.find(decoded, LATEST, self.apps, frozenset())
        return hits if hits or not decoded.cut else None

    def in_upload(self, upload: Upload, body: Body | None) -> list[Hit] | None:
        """The same for a whole upload."""
        return self.found(leaves(upload, body, narrow=self.narrow))

    def text(self, text: str) -> str | None:
        """A text with its values replaced."""
        if text not in self._texts:
            data = self.data(text.encode("utf-8", "replace"))
            try:
                self._texts[text] = None if data is None else data.decode()
            except UnicodeDecodeError:
                self._texts[text] = None
        return self._texts[text]

    def data(self, data: bytes, hint: str = "") -> bytes | None:
        """Bytes with their values replaced; `hint` is their declared type."""
        return self._replaced(data, lambda now: self.found(leaves_of(now, hint, narrow=self.narrow)))

    def url(self, upload: Upload) -> str | None:
        """The URL of an upload with its values replaced."""
        return self._field(upload, upload.url or "", lambda now: {"url": now})

    def header(self, upload: Upload, name: str, value: str) -> str | None:
        """The value of a header with personal values replaced."""
        return self._field(upload, value, lambda now: {"headers": ((name, now),)})

    def _field(self, upload: Upload, text: str, made: Callable[[str], dict[str, Any]]) -> str | None:
        """One field of an upload with its values replaced; `made` makes the field from a text, so that it is
        searched as such."""

        def find(now: bytes) -> list[Hit] | None:
            return self.in_upload(_bare(upload, **made(now.decode("utf-8", "replace"))), None)

        data = self._replaced(text.encode("utf-8", "replace"), find)
        return None if data is None else data.decode("utf-8", "replace")

    def body(self, upload: Upload, body: bytes) -> bytes | None:
        """The body of an upload with its values replaced; a gzip body is decompressed and compressed again."""
        headers = tuple(
            (name, value) for name, value in upload.headers if name.lower() in ("content-type", "content-encoding")
        )
        own = _bare(upload, headers=headers, type=upload.type)
        if len(body) > MOST_BYTES:
            return None
        if self.in_upload(own, body) == []:
            return body
        packed = body.startswith(b"\x1f\x8b")
        plain = unpacked(body) if packed else body
        if plain is None:
            return None
        made = self._replaced(
            plain, lambda now: self.in_upload(own, gzip.compress(now, mtime=0) if packed else now), packed
        )
        return gzip.compress(made, mtime=0) if made is not None and packed else made

    def _replaced(self, data: bytes, find: Find, packed: bool = False) -> bytes | None:
        for _ in range(ROUNDS):
            hits = find(data)
            if not hits:
                return None if hits is None else data
            made = self._put(data, hits, packed)
            if made == data:
                return None
            data = made
        return data if find(data) == [] else None

    def _put(self, data: bytes, hits: list[Hit], packed: bool) -> bytes:
        """The bytes with each hit replaced; hits that overlap a longer one are left for the next round."""
        binary = not _is_text(data)
        edits: list[tuple[int, int, bytes]] = []
        for hit in sorted(hits, key=lambda hit: hit.start - hit.end):
            spans = [] if packed else [(hit.start, hit.end)]
            found = hit.found.encode("utf-8", "replace")
            if packed and len(found) > 1:  # a position in compressed data says nothing about the decompressed data
                spans = [(at, at + len(found)) for at in _places(data, found)]
            for start, end in spans:
                if any(start < other_end and other < end for other, other_end, _ in edits):
                    continue
                if packed:
                    hit = hit._replace(leaf=hit.leaf._replace(exact=True))
                new = self.tokens.instead(hit, data[start:end])
                if new is not None and not (binary and len(new) != end - start):
                    edits.append((start, end, new))
        for start, end, new in sorted(edits, reverse=True):
            data = data[:start] + new + data[end:]
        return data


def _bare(upload: Upload, **fields: Any) -> Upload:
    """An upload with only these fields."""
    return Upload(at=_NEVER, via=upload.via, **fields)


def _places(data: bytes, found: bytes) -> Iterable[int]:
    at = data.find(found)
    while at >= 0:
        yield at
        at = data.find(found, at + len(found))


def unpacked(body: bytes) -> bytes | None:
    """The content of a body that is a single gzip member, up to a limit."""
    unpacker = zlib.decompressobj(31)
    try:
        data = unpacker.decompress(body, MOST_BYTES)
    except zlib.error:
        return None
    return data if unpacker.eof and not unpacker.unused_data else None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data
