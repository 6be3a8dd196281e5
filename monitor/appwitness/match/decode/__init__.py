"""Decodes an upload (URL, headers, body) to leaves, each with its path, its steps and its position in the stored bytes.

The modules imported here register their decoders: a new decoder is a file of its own and one import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

from appwitness.events import Upload
from appwitness.match.decode import large
from appwitness.match.decode.documents import form_data, json_documents, mail, property_lists, vcards  # noqa: F401
from appwitness.match.decode.guesses import masks  # noqa: F401
from appwitness.match.decode.large import Body, Spool
from appwitness.match.decode.letters import binary_to_text, charsets, escapes, long_numbers, spelled_out  # noqa: F401
from appwitness.match.decode.messages import (  # noqa: F401
    avro,
    bson,
    exif,
    msgpack_cbor,
    protobuf,
    raw_digests,
    sqlite_files,
    thrift,
    wire_frames,
)
from appwitness.match.decode.packed import archives, blocks, compressed  # noqa: F401
from appwitness.match.decode.walk.pieces import (
    DECODERS,
    GUESSES,
    Decoded,
    DecodeLimits,
    Decoder,
    Leaf,
    Narrow,
    Room,
    UploadPiece,
    decoder,
    walk,
    way_to,
)

__all__ = [
    "DECODERS",
    "GUESSES",
    "Body",
    "DecodeLimits",
    "Decoded",
    "Decoder",
    "Leaf",
    "UploadPiece",
    "decoder",
    "leaves",
    "leaves_of",
    "way",
]

URL = re.compile(r"(?:[a-zA-Z][\w+.-]*:)?(?://(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
TILE = re.compile(rb"/[0-9]{2}/[0-9]{4,7}/[0-9]{4,7}(?![0-9])")
"""The part of a path that names a map tile, which its segments alone do not."""
SILENT = frozenset(("accept-encoding", "connection", "content-length", "content-type", "content-encoding", "host"))
"""Headers that only say how to read the message: they are used for that, not searched."""


def leaves(
    upload: Upload,
    body: Body | None,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008  (frozen)
    narrow: Narrow | None = None,
    spool: Spool | None = None,
) -> Decoded:
    """All leaves of an upload: URL, headers, and body as stored. Never raises, whatever the bytes are.

    `narrow` says which parts of a large text may matter; only those are decoded. `spool` stores what a large body
    unpacks to, in a file that is mapped like the body itself; memory use then stays below 32 MB.
    """
    room = Room(limits, narrow=narrow, spool=spool)
    found = tuple(walk(_roots(upload, body, room), room))
    return Decoded(found, room.named(), room.passed_over)


def way(upload: Upload, body: Body | None, to: Leaf, limits: DecodeLimits = DecodeLimits()) -> tuple[UploadPiece, ...]:  # noqa: B008
    """The pieces that lead from an upload to one of its leaves: the stored bytes first, the leaf last.

    Empty if the leaf is not reached within the limits.
    """
    room = Room(limits)
    return way_to(to, _roots(upload, body, room), room)


def _roots(upload: Upload, body: Body | None, room: Room) -> Iterable[UploadPiece]:
    """URL, headers and body, as stored."""
    roots: Iterable[UploadPiece] = [*_url(upload.url or "", room), *_headers(upload.headers, room)]
    if upload.via == "dns" and upload.host and not upload.url and not body:  # the queried name is all that is known
        name = upload.host.encode("utf-8", "replace")
        roots = [*roots, *wire_frames.host(UploadPiece(name, "url.host", (), 0, len(name), True))]
    if body:
        hint = wire_frames.DNS if upload.via == "dns" else (upload.type or _header(upload, "content-type")).lower()
        piece = UploadPiece(b"", "$", (), 0, len(body), True, hint)
        codings = [
            coding.strip().lower()
            for name, value in upload.headers
            if name.lower() == "content-encoding"
            for coding in value.split(",")
        ]
        if len(body) > room.limits.at_once:
            roots = chain(roots, large.pieces(body, piece, codings, room))
        else:
            roots = [*roots, *compressed.content(piece._replace(data=body[: len(body)]), codings, room)]
    return roots


def leaves_of(
    data: bytes,
    hint: str = "",
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008  (frozen)
    narrow: Narrow | None = None,
) -> Decoded:
    """All leaves of some bytes; `hint`: their declared type."""
    room = Room(limits, narrow=narrow)
    found = tuple(walk([UploadPiece(data, "$", (), 0, len(data), True, hint)], room))
    return Decoded(found, room.named(), room.passed_over)


def _header(upload: Upload, wanted: str) -> str:
    return next((value for name, value in upload.headers if name.lower() == wanted), "")


def _url(url: str, room: Room) -> list[UploadPiece]:
    parts = URL.fullmatch(url)
    if not url or parts is None:
        return []
    whole = UploadPiece(url.encode("utf-8", "replace"), "url", (), 0, len(url), True)
    exact = url.isascii()
    found: list[UploadPiece] = []

    def part(group: int, name: str) -> UploadPiece | None:
        if not parts[group]:
            return None
        start, end = parts.span(group)
        if not exact:
            start = len(url[:start].encode("utf-8", "replace"))
            end = len(url[:end].encode("utf-8", "replace"))
        return whole.part("", start, end, f"url.{name}")

    for group, name in ((1, "userinfo"), (2, "host"), (3, "path"), (5, "fragment")):
        piece = part(group, name)
        if piece is None or (name == "path" and len(piece.data) < 5):
            continue
        if name == "path":
            found += [piece.part("", *segment.span()) for segment in re.finditer(rb"[^/]{4,}", piece.data)]
            found += [piece.part("", *tile.span()) for tile in TILE.finditer(piece.data)]
        else:
            found += wire_frames.host(piece) if name == "host" else [piece]
        if name == "fragment" and b"?" in piece.data:
            found.append(piece.part("", piece.data.index(b"?") + 1, len(piece.data)))
    query = part(4, "query")
    if query is not None:
        found += form_data.pairs(query, "query", room, separators=b"&;")
    return found


def _headers(headers: tuple[tuple[str, str], ...], room: Room) -> list[UploadPiece]:
    found: list[UploadPiece] = []
    for name, value in headers:
        lower = name.lower()
        if lower in SILENT or not value:
            continue
        data = value.encode("utf-8", "surrogateescape" if not value.isascii() else "strict")
        piece = UploadPiece(data, f"headers.{lower}", (), 0, len(data), True)
        if lower == "cookie":
            found += form_data.cookie(piece, room) or ()
            continue
        found.append(piece)
    return found
