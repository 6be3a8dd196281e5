"""Decoders of forms: query strings, urlencoded bodies, multipart, cookies, and percent escapes in any text."""

from __future__ import annotations

import re

from appwitness.match.decode.letters.charsets import DECLARED
from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder, holds

PERCENT = re.compile(rb"%([0-9a-fA-F]{2})|%u([0-9a-fA-F]{4})|\+")
BYTES = [bytes((i,)) for i in range(256)]
BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")
BETWEEN = re.compile(rb"[^+\s]\+[^+\s]")
BOUNDARY = re.compile(r"boundary\s*=\s*\"?([^\";,]+)", re.IGNORECASE)
FIELD = re.compile(rb"(?i)^content-disposition:[^\n]*?[;\s]name\s*=\s*(?:\"([^\"\r\n]*)\"|([^;\s]+))", re.MULTILINE)
FILENAME = re.compile(
    rb"(?i)^content-disposition:[^\n]*?[;\s]filename(\*)?\s*=\s*(?:\"([^\"\r\n]*)\"|([^;\s]+))", re.MULTILINE
)
HEADER = re.compile(rb"(?im)^(content-type|content-transfer-encoding|content-encoding):\s*([^\r\n]*)")


def unquote(data: bytes, *, plus: bool) -> bytes:
    """Undo percent escapes (`%uXXXX` too); with `plus`, a plus is a space."""

    def one(found: re.Match[bytes]) -> bytes:
        two, four = found.groups()
        if two:
            return BYTES[int(two, 16)]
        if four:
            return chr(int(four, 16)).encode("utf-8", "replace")
        return b" " if plus else b"+"

    return PERCENT.sub(one, data)


def pairs(
    piece: UploadPiece, step: str, room: Room, *, separators: bytes = b"&;", plus: bool = True
) -> list[UploadPiece]:
    """The values of `a=1&b=2` as pieces under their keys; keys that may be data themselves become pieces too."""
    found: list[UploadPiece] = []
    data = piece.data
    pos = 0
    for raw in re.split(b"[" + separators + b"]", data):
        start, pos = pos, pos + len(raw) + 1
        if not raw:
            continue
        raw_key, equals, raw_value = raw.partition(b"=")
        if not start and b"?" in raw_key:  # a relative URL
            start = raw_key.rindex(b"?") + 1
            found.append(piece.part(step, 0, start - 1))
            raw_key = raw_key[start:]
        key_bytes = unquote(raw_key, plus=plus) if b"%" in raw_key or b"+" in raw_key else raw_key
        key_bytes = key_bytes.strip()
        if key_bytes[:1] in (b"{", b"["):  # a document posted as a form's key, which '=' cuts at random
            found += _value(piece, step, (start, start + len(raw)), piece.path, room, plus=plus)
            continue
        path = child_path(piece.path, key_bytes.decode("utf-8", "replace"))
        if not equals or len(key_bytes) > 32 or re.search(rb"[^\x00-\x7f]|\d{5}|@", key_bytes):
            found += _value(piece, step, (start, start + len(raw_key)), path, room, plus=plus)
        if raw_value:
            begin = start + len(raw_key) + 1
            found += _value(piece, step, (begin, begin + len(raw_value)), path, room, plus=plus)
        if len(found) > room.leaves_left:
            break
    return found


def _value(
    piece: UploadPiece, step: str, span: tuple[int, int], path: str, room: Room, *, plus: bool
) -> list[UploadPiece]:
    start, end = span
    raw = piece.data[start:end]
    has_plus = plus and b"+" in raw
    if b"%" not in raw and not has_plus:
        return [piece.part(step, start, end, path)]
    if not room.take(len(raw), piece, step):
        return []
    charset = DECLARED.search(piece.hint) if piece.hint else None
    found = [piece.turned(step, unquote(raw, plus=plus), start, end, path, charset[0] if charset else "")]
    if has_plus and BASE64.fullmatch(plain := unquote(raw, plus=False)):  # base64 that was not escaped
        found.append(piece.turned(step, plain, start, end, path))
    elif has_plus and re.match(rb"\+\d", raw):  # a telephone number that was not escaped
        found.append(piece.turned(step, plain := unquote(raw, plus=False), start, end, path))
    return found


@decoder("form", "text", order=360, guess=False, sieve="covered", seen_in="Retrofit, by @FormUrlEncoded", alone=True)
@begins(rb"[^=&\s<>{\"()]{0,200}=[^&\r\n]*&|%7[bB]%22")
def form(piece: UploadPiece, room: Room) -> Found:
    """application/x-www-form-urlencoded, and query strings anywhere."""
    found = pairs(piece, "form", room, separators=b"&")
    if found and NO_KEY.search(piece.data):  # base85 may look like a form
        found.append(piece._replace(done=True))
    return found or None


NO_KEY = re.compile(rb"(?:^|&)[^=&]*[`^~|#;!?][^=&]*=")


@decoder("form pair", "text", order=370, guess=False, sieve="covered", seen_in="Mixpanel (data=...)")
@begins(rb"[A-Za-z_][\w.\[\]-]*=[^&\r\n=][^&\r\n]*$")
def pair(piece: UploadPiece, room: Room) -> Found:
    """A single `name=value`, which may be a form or something else."""
    return None if b"; " in piece.data else pairs(piece, "form", room, separators=b"&") or None


@decoder(
    "form", "text", order=380, guess=False, sieve="covered", seen_in="Volley, whose default type is a form", alone=True
)
@begins(rb".")
def said_form(piece: UploadPiece, room: Room) -> Found:
    """A body that Content-Type calls a form but that does not look like one, such as a document posted as its only
    key."""
    if "x-www-form-urlencoded" not in piece.hint or not re.search(rb"[%+=&]", piece.data):
        return None
    return pairs(piece, "form", room, separators=b"&") or None


@decoder("percent", "text", order=390, guess=False, sieve="covered", seen_in="java.net.URLEncoder")
@holds(rb"%(?:[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
def percent(piece: UploadPiece, room: Room) -> Found:
    """Percent escapes in any text."""
    if not room.take(len(piece.data), piece, "percent"):
        return None
    return [piece.whole("percent", unquote(piece.data, plus=False))]


@decoder("plus", "text", order=400, guess=False, sieve="covered", seen_in="java.net.URLEncoder")
@holds(rb"\+")
def plus(piece: UploadPiece, room: Room) -> Found:
    """Spaces still written as a plus, in text that was escaped for a URL."""
    if not BETWEEN.search(piece.data) or b" " in piece.data or len(piece.data) > 4096 or BASE64.fullmatch(piece.data):
        return None
    if not {"percent", "form", "query"}.intersection(piece.decoding) and not piece.path.startswith(("url", "headers.")):
        return None
    return [piece.whole("plus", piece.data.replace(b"+", b" "))] if room.take(len(piece.data), piece, "plus") else None


@decoder("cookie", "text", order=410, guess=False, sieve="covered", seen_in="Android's WebView", alone=True)
@begins(rb"[\w.$-]+=[^;]*(?:;\s*[\w.$-]+=[^;]*)+;?\s*$")
def cookie(piece: UploadPiece, room: Room) -> Found:
    """`a=1; b=2`, as in the headers Cookie and Set-Cookie."""
    found: list[UploadPiece] = []
    for pair in re.finditer(rb"(?:^|;)([^=;]+)=([^;]*)", piece.data):
        path = child_path(piece.path, pair[1].decode("utf-8", "replace").strip())
        found += _value(piece, "cookie", pair.span(2), path, room, plus=False)
    return found


def _boundary(piece: UploadPiece) -> bytes | None:
    said = BOUNDARY.search(piece.hint)
    if said and b"--" + said[1].strip().encode() in piece.data:
        return said[1].strip().encode()
    first = re.match(rb"\s*--([^\r\n]{1,200}?)\s*\r?\n(?i:content-)", piece.data)
    return first[1] if first else None


@decoder("multipart", "any", order=420, guess=False, sieve="covered", seen_in="OkHttp's MultipartBody", alone=True)
@holds(rb"--")
def multipart(piece: UploadPiece, room: Room) -> Found:
    """multipart/*: each part under its field's name, and its file name; transfer encodings are undone."""
    boundary = _boundary(piece)
    if boundary is None:
        return None
    found: list[UploadPiece] = []
    mark = b"--" + boundary
    data = piece.data
    at = data.find(mark)
    number = 0
    while at >= 0 and number < 10_000:
        begin = at + len(mark)
        if data.startswith(b"--", begin):
            break
        following = data.find(b"\n" + mark, begin)
        stop = following if following >= 0 else len(data)
        if following >= 0 and data[stop - 1 : stop] == b"\r":
            stop -= 1
        found += _part(piece, begin, stop, number, room)
        number += 1
        at = following + 1 if following >= 0 else -1
    return found or None


def _part(piece: UploadPiece, begin: int, stop: int, number: int, room: Room) -> list[UploadPiece]:
    from appwitness.match.decode.letters.escapes import transfer
    from appwitness.match.decode.packed.compressed import content

    data = piece.data
    blank = re.compile(rb"\r?\n\r?\n").search(data, begin, stop)
    head_end, start = (blank.start(), blank.end()) if blank else (begin, begin)
    head = data[begin:head_end]
    field = FIELD.search(head)
    name = (field[1] or field[2] or b"").decode("utf-8", "replace") if field else ""
    path = child_path(piece.path, name) if name else f"{piece.path}[{number}]"
    found: list[UploadPiece] = []
    file = FILENAME.search(head)
    if file:
        group = 2 if file[2] is not None else 3
        part = piece.part("multipart", begin + file.start(group), begin + file.end(group), f"{path}.filename")
        if file[1]:
            part = part.whole("percent", unquote(file[group].rpartition(b"'")[2], plus=False))
        found.append(part)
        stem = re.match(rb"(.+)\.\w{1,5}", part.data)
        if stem:
            found.append(part.part("", 0, stem.end(1)))
    said = {one[1].lower(): one[2].decode("latin-1").strip() for one in HEADER.finditer(head)}
    body = piece.part("multipart", start, stop, path, said.get(b"content-type", ""))
    body = transfer(body, said.get(b"content-transfer-encoding", "").lower(), room)
    found += content(body, [said[b"content-encoding"].lower()] if b"content-encoding" in said else [], room)
    return found
