"""Decoders of bytes written as text (base64, hex, base32, base58, base85, JWT), whole or inside other text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import Counter

from appwitness.match.decode.letters.charsets import PACKED
from appwitness.match.decode.packed import lz_string
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, as_text, begins, decoder, holds

RUN = re.compile(rb"[A-Za-z0-9+/_-]{8,}(?:={1,2})?")
LONG_HEX = re.compile(rb"(?<![0-9a-fA-F])(?:(?:[0-9a-f]{2}){16,}|(?:[0-9A-F]{2}){16,})(?![0-9a-fA-F])")
"""Hex beside other base64 letters: `id_6162..`, a digest before its salt."""
WORD_HEX = re.compile(rb"[A-Za-z]*[G-Zg-z][A-Za-z]*?([0-9a-f]{16}|[0-9a-f]{32})")
"""An id directly after a word: `AND64f051c20ca1dc00`."""
CUT_HEX = re.compile(rb"(?<![A-Za-z0-9])(?:[0-9a-f]{16}|[0-9A-F]{16}|[0-9a-f]{20}|[0-9A-F]{20})(?![A-Za-z0-9])")
"""A truncated digest beside a separator: `dev_64f051c20ca1dc00`, `64f051c20ca1dc00-1711111111`."""
STARRED = re.compile(rb"(?<![\w*-])[A-Za-z0-9*-]{16,}_{0,2}(?![\w*-])")
"""base64 as Tencent signs with it: `*` for a plus, `-` for a slash, `_` for padding."""
FROM_STARRED = bytes.maketrans(b"*-_", b"+/=")
BEFORE = range(1, 4)
"""Letters that may precede base64 without a separator: a version."""
READABLE = re.compile(rb"[{\[][\"{\[][ -~\xc2-\xff]|[ -~]{15}|" + PACKED.pattern)
"""The beginning of decoded bytes that are worth reading behind such letters."""
AT_LEAST = 24
"""Minimum letters of a run in which base64 may begin behind other letters."""
BLOCK = 16
"""Bytes of an AES block."""
GLUED = frozenset((*range(18, 27), *range(34, 43)))
"""Lengths of a word and an id together."""
BEHIND = re.compile(rb"(?:[A-Za-z0-9]{1,12}[-_]|[aw]\+)(?=[A-Za-z0-9+/]{16,}={0,2}\Z)")
"""A word before the actual base64: `sha256-`, `v1_`, the `a+` and `w+` of Google's UULE."""
HEX = re.compile(rb"(?:0[xX])?((?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+|(?:[0-9A-Fa-f]{2})+)")
HEX_DIGIT = re.compile(rb"[0-9a-fA-F]")
WORDS = re.compile(rb"[A-Z]?[a-z]+(?:[/_+-][A-Z]?[a-z]*)*|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|[A-Z_]+|[\d+-]+")
BASE32 = re.compile(rb"[A-Z2-7]{16,}|[a-z2-7]{16,}")
TO_DIGITS = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567",
    b"0123456789abcdefghijklmnop0123456789abcdefghijklmnopqrstuv",
)
"""Base32 letters -> digits of the same value."""
SPACED_HEX = re.compile(
    rb"(?i)(?:\\x[0-9a-f]{2}){4,}|(?:0x[0-9a-f]{2}[ ,;]{0,2}){4,}|"
    rb"(?<![0-9a-f])[0-9a-f]{2}(?:([ :,|-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){2,}(?![0-9a-f])"
)
WRAPPED = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n){1,}[A-Za-z0-9+/]{1,76}={0,2}")
WRAPPED_HEX = re.compile(
    rb"(?<![0-9A-Za-z])([0-9a-f]{32}|[0-9a-f]{60}|[0-9a-f]{64}|[0-9a-f]{76})(?:\r?\n(?=[0-9a-f]{2})(?:[0-9a-f]{2}){1,38})+(?![0-9A-Za-z])"
)
JWT = re.compile(rb"(?<![\w-])(eyJ[\w-]{4,})\.([\w-]{4,})\.([\w-]*)")
TO_STANDARD = bytes.maketrans(b"-_", b"+/")
PACKED_DIGITS = range(12, 21)
"""Digits of a number that may have each pair swapped."""
DIGITS = re.compile(rb"[0-9]+")
LONG_WORD = 20
"""Minimum letters of a run without blanks that may be something other than a word."""
SHORT_WORD = 12
"""Minimum letters of a word that is read as base64 of text; fewer say too little."""
ALIKE = 64
"""Maximum number of times that one run is read in one text; more add nothing, and may be there to waste time."""
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
FROM_Z85 = bytes.maketrans(
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
)


def from_base64(run: bytes) -> bytes | None:
    """The bytes of a run in either alphabet, with or without padding; None if its length is impossible."""
    run = run.rstrip(b"=").translate(TO_STANDARD)
    if len(run) % 4 == 1:
        run = run[:-1]
    try:
        return binascii.a2b_base64(run + b"=" * (-len(run) % 4))
    except binascii.Error:
        return None


def _runs(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """A run, cut where both alphabets are mixed: no single base64 text uses both."""
    run = data[start:end]
    if not (re.search(rb"[-_]", run) and re.search(rb"[+/]", run)):
        return [(start, end)]
    spans = [(m.start() + start, m.end() + start) for m in re.finditer(rb"[A-Za-z0-9+/]{8,}={0,2}", run)]
    return spans + [(m.start() + start, m.end() + start) for m in re.finditer(rb"[A-Za-z0-9_-]{8,}={0,2}", run)]


@decoder("jwt", "text", order=500, guess=False, sieve="covered", seen_in="Firebase Authentication")
@holds(rb"(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}\.")
def jwt(piece: UploadPiece, room: Room) -> Found:
    """Header and claims of JSON Web Tokens."""
    found: list[UploadPiece] = []
    for token in JWT.finditer(piece.data):
        for group, name in ((1, "header"), (2, "claims")):
            data = from_base64(token[group])
            if data and room.take(len(data), piece, "jwt"):
                found.append(piece.turned("jwt", data, *token.span(group), f"{piece.path}.{name}"))
    return found or None


@decoder(
    "base64 lines",
    "text",
    order=510,
    guess=False,
    sieve="covered",
    seen_in="android.util.Base64 with its default flags",
)
@holds(rb"\n")
def wrapped(piece: UploadPiece, room: Room) -> Found:
    """base64 in lines, as in MIME, and hex, as `xxd -p` writes it."""
    found: list[UploadPiece] = []
    for run in WRAPPED_HEX.finditer(piece.data):
        plain = bytes.fromhex(run[0].decode())
        if room.take(len(plain), piece, "hex"):
            found.append(piece.turned("hex", plain, *run.span()))
    for run in WRAPPED.finditer(piece.data):
        data = from_base64(run[0].replace(b"\r", b"").replace(b"\n", b""))
        if data and room.take(len(data), piece, "base64"):
            found.append(piece.turned("base64", data, *run.span()))
    return found or _in_lines(piece, room)


def _in_lines(piece: UploadPiece, room: Room) -> Found:
    """base64 that is all of a text: in lines of any other length, which is the same for all but the last line; or with
    each line encoded separately."""
    lines = piece.data.split()
    size = len(lines[0]) if lines else 0
    if len(lines) > 1 and all(BASE64.fullmatch(line) and len(line) % 4 == 0 for line in lines) and b"=" in lines[0]:
        joined = b"".join(from_base64(line) or b"" for line in lines)
        return [piece.whole("base64", joined)] if room.take(len(joined), piece, "base64") else None
    if len(lines) < 2 or size < 16 or any(len(line) != size for line in lines[:-1]) or len(lines[-1]) > size:
        return None
    whole = b"".join(lines)
    out = from_base64(whole) if BASE64.fullmatch(whole) else None
    return [piece.whole("base64", out)] if out and room.take(len(out), piece, "base64") else None


@decoder(
    "base64 blanks",
    "text",
    order=520,
    guess=False,
    sieve="guess",
    seen_in="apps that put base64 into a form as it is",
)
@begins(rb"(?=\S+ )[A-Za-z0-9/ ]{16,4096}={0,2}\Z")
def blanks(piece: UploadPiece, room: Room) -> Found:
    """base64 in which a form turned each plus into a blank. It must come out as text, or have too few blanks and too
    many kinds of letters to be text itself."""
    if len(piece.data) % 4:
        return None
    out = from_base64(piece.data.replace(b" ", b"+"))
    found = _only_text(piece, "base64", out, room) if out else None
    if found or not out or piece.data.count(b" ") > len(piece.data) // BETWEEN_BLANKS or not MIXED.match(piece.data):
        return found
    return [piece.whole("base64", out)._replace(done=True)] if room.take(len(out), piece, "base64") else None


BETWEEN_BLANKS = 16
"""Minimum letters of base64 for each blank."""
MIXED = re.compile(rb"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])\S* ")


@decoder("runs", "any", order=530, guess=False, sieve="covered", seen_in="Mixpanel; Sensors Analytics")
@holds(rb"[A-Za-z0-9+/_-]{8}")
def runs(piece: UploadPiece, room: Room) -> Found:
    """Runs of base64, base32 or hex, whole or inside anything."""
    found: list[UploadPiece] = []
    data = piece.data
    is_text = as_text(data) is not None
    times: Counter[bytes] = Counter()
    tokens = JWT.finditer(data) if b"eyJ" in data else iter(())
    token_start, token_end = next((token.span() for token in tokens), (len(data), len(data)))
    for match in RUN.finditer(data):
        start, end = match.span()
        run = match[0]
        if is_text and len(run) >= 16:
            _base32(piece, start, end, room, found)
        if WORDS.fullmatch(run) and not _is_coded_word(run):
            continue
        while token_end <= start < len(data):
            token_start, token_end = next((token.span() for token in tokens), (len(data), len(data) + 1))
        if token_start <= start or (data[start - 3 : start].upper() == b"?B?" and data.startswith(b"?=", end)):
            continue  # part of a token or of an encoded word, which their own decoders take apart
        times[run] += 1
        if times[run] > ALIKE or _hex(piece, match, room, found):
            continue
        for begin, stop in _runs(data, start, end):
            part = data[begin:stop]
            out64 = from_base64(part)
            if out64 and room.take(len(out64), piece, "base64"):
                found.append(piece.turned("base64", out64, begin, stop))
                if len(part) >= AT_LEAST and as_text(out64) is None and not PACKED.match(out64):
                    _behind_letters(piece, begin, stop, room, found)
    return found or None


def _is_coded_word(run: bytes) -> bool:
    """Whether what looks like a word or a number may be encoded: a long number of pairs, letters that are base64."""
    if run.isdigit():
        return len(run) >= 12 and len(run) % 2 == 0
    return run.isalpha() and (len(run) >= LONG_WORD or _is_text(run))


def _hex(piece: UploadPiece, match: re.Match[bytes], room: Room, found: list[UploadPiece]) -> bool:
    """Append the bytes that a run, or a part of it, is in hex; returns whether the run can be nothing but hex."""
    start, end = match.span()
    run = match[0]
    if as_hex := HEX.fullmatch(run):
        out = bytes.fromhex(as_hex[1].decode())
        digits = DIGITS.fullmatch(run) and len(run) < 40 and len(run) not in PACKED_DIGITS
        if digits and as_text(out) is None and not _is_counted(out):
            return True
        if room.take(len(out), piece, "hex"):
            found.append(piece.turned("hex", out, start, end))
        return len(run) > 14
    if len(run) % 2 and len(run) > 12 and (rest := HEX.fullmatch(run, 1)):
        out = bytes.fromhex(rest[1].decode())
        if HEX_DIGIT.match(run) and as_text(out) is None:
            return True  # one digit more makes it another id
        if room.take(len(out), piece, "hex"):
            found.append(piece.turned("hex", out, start + rest.start(1), end))
        return False
    if len(run) in GLUED and (glued := WORD_HEX.fullmatch(run)):
        found.append(piece.part("", start + glued.start(1), end)._replace(done=True))
    whole = [(one.span(), False) for one in LONG_HEX.finditer(run)]
    cut = [] if run.isalnum() else [(one.span(), True) for one in CUT_HEX.finditer(run) if not one[0].isdigit()]
    for (first, last), done in whole + cut:
        if room.take((last - first) // 2, piece, "hex"):
            out = bytes.fromhex(run[first:last].decode())
            found.append(piece.turned("hex", out, start + first, start + last)._replace(done=done))
    if before := BEHIND.match(run):
        out64 = from_base64(run[before.end() :])
        if out64 and room.take(len(out64), piece, "base64"):
            found.append(piece.turned("base64", out64, start + before.end(), end))
    return False


def _behind_letters(piece: UploadPiece, start: int, end: int, room: Room, found: list[UploadPiece]) -> None:
    """For a run that makes no sense from its first letter, append what it holds after one to three letters:
    recognized by how it begins or, if it may be a cipher's output, by its size."""
    run = piece.data[start:end]
    letters = run.rstrip(b"=")
    for before in BEFORE:
        head = from_base64(letters[before : before + 20])
        if head and READABLE.match(head) and (out := from_base64(letters[before:])):
            if room.take(len(out), piece, "base64"):
                found.append(piece.turned("base64", out, start + before, end))
            return
    before = len(run) % 4 if len(run) > len(letters) else len(letters) % 4
    out = from_base64(letters[before:]) if before else None
    if (
        out
        and (len(out) % BLOCK == 0 or len(run) > len(letters) or before == 1)
        and room.take(len(out), piece, "base64")
    ):
        found.append(piece.turned("base64", out, start + before, end)._replace(done=True))


@decoder("runs", "text", order=540, guess=False, sieve="covered", seen_in="Tencent's TLS signatures (UserSig)")
@holds(rb"[A-Za-z0-9-]\*|[A-Za-z0-9*-]{14}_")
def starred(piece: UploadPiece, room: Room) -> Found:
    """base64 in the alphabet of Tencent's signatures, whole or inside other text."""
    found: list[UploadPiece] = []
    for match in STARRED.finditer(piece.data):
        run = match[0]
        if b"*" not in run and (run[-1:] != b"_" or len(run) % 4 or WORDS.fullmatch(run)):
            continue
        out = from_base64(run.translate(FROM_STARRED))
        if out and room.take(len(out), piece, "base64"):
            found.append(piece.turned("base64", out, *match.span()))
    return found or None


def _is_counted(out: bytes) -> bool:
    """Whether bytes are a length prefix of one, two or four bytes, and a text of that length."""
    return any(
        int.from_bytes(out[:size]) == len(out) - size > 0 and as_text(out[size:]) is not None for size in (1, 2, 4)
    )


def _is_text(run: bytes) -> bool:
    """Whether letters that may be a word are base64 of printable ASCII, which few words are."""
    out = from_base64(run) if len(run) >= SHORT_WORD else None
    return out is not None and out.isascii() and out.decode().isprintable()


def _base32(piece: UploadPiece, start: int, end: int, room: Room, found: list[UploadPiece]) -> None:
    """Append what a run of RFC 4648's base32 holds, in upper or lower case, padded or not."""
    for run in BASE32.finditer(piece.data, start, end):
        text = run[0]
        text = text[: len(text) - (1 if len(text) % 8 in (1, 3, 6) else 0)]
        out = _from_digits(text.translate(TO_DIGITS))
        if out is None:
            continue
        if text.islower() and not re.search(rb"[2-7]", text) and as_text(out) is None:  # words
            continue
        if room.take(len(out), piece, "base32"):
            found.append(piece.turned("base32", out, *run.span()))


@decoder("lz-string", "text", order=550, guess=False, sieve="guess", seen_in="lz-string, of web pages in apps")
@begins(rb"N[4-7o-r][A-Za-z0-9+/-]{12,}={0,4}\$?\Z")
def lz(piece: UploadPiece, room: Room) -> Found:
    """A JSON document that lz-string packed, as base64 or for a URL."""
    plain = lz_string.unpacked(piece.data.rstrip(b"$"), room)
    return [piece.whole("lz-string", plain)] if plain and room.take(len(plain), piece, "lz-string") else None


@decoder("base32hex", "text", order=560, guess=False, sieve="guess", seen_in="Guava's BaseEncoding")
@begins(rb"(?=[^0-9]*[0-9])(?:[0-9A-V]{8,}|[0-9a-v]{8,})=*\Z")
def base32hex(piece: UploadPiece, room: Room) -> Found:
    """base32 in the alphabet that begins with the digits, if it is all of a text and comes out as text."""
    out = _from_digits(piece.data.rstrip(b"="))
    return None if out is None else _only_text(piece, "base32hex", out, room)


def _from_digits(digits: bytes) -> bytes | None:
    """The bytes of base-32 digits as Python reads them, five bits each; None if they are not whole bytes."""
    if len(digits) % 8 in (1, 3, 6):
        return None
    bits = 5 * len(digits)
    return (int(digits, 32) >> bits % 8).to_bytes(bits // 8)


@decoder(
    "spaced hex", "text", order=570, guess=False, sieve="covered", seen_in="keytool's fingerprints of certificates"
)
@holds(rb"\\[xX][0-9a-fA-F]{2}\\[xX]|0x[0-9a-fA-F]{2}[ ,;]{0,2}0x|[ :,|-][0-9a-fA-F]{2}[ :,|-][0-9a-fA-F]{2}")
def spaced_hex(piece: UploadPiece, room: Room) -> Found:
    """Hex bytes with separators: `61 62`, `61:62`, `\\x61\\x62`, `0x61, 0x62`."""
    found: list[UploadPiece] = []
    for run in SPACED_HEX.finditer(piece.data):
        out = bytes.fromhex(re.sub(rb"\\[xX]|0[xX]|[ :;,|-]", b"", run[0]).decode())
        if room.take(len(out), piece, "hex"):
            found.append(piece.turned("hex", out, *run.span()))
    return found or None


@decoder("grouped hex", "text", order=580, guess=False, sieve="covered", seen_in=".NET's Guid, in braces")
@begins(rb"[<{]?[0-9a-fA-F]{2,}([ :-])[0-9a-fA-F]{2,}(?:\1[0-9a-fA-F]{2,})*[ :-]?[>}]?\Z")
def grouped_hex(piece: UploadPiece, room: Room) -> Found:
    """Hex that is all of a text, in groups of four or eight; ids and digests in groups of any size."""
    groups = GROUP.findall(piece.data)
    digits = b"".join(groups)
    regular = len({len(group) for group in groups[:-1]}) == 1 and len(groups[0]) in (4, 8) and len(groups) > 1
    if len(digits) % 2 or not ((regular and len(digits) >= 12) or len(digits) in ID_DIGITS) or len(piece.data) > 8192:
        return None
    out = bytes.fromhex(digits.decode())
    return [piece.whole("hex", out)] if room.take(len(out), piece, "hex") else None


GROUP = re.compile(rb"[0-9a-fA-F]+")
ID_DIGITS = frozenset((12, 16, 32, 40, 64, 128))


BASE58 = {letter: value for value, letter in enumerate(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}


@decoder("base58", "text", order=590, guess=False, sieve="guess", seen_in="bitcoinj")
@begins(rb"[1-9A-HJ-NP-Za-km-z]{8,1024}\Z")
def base58(piece: UploadPiece, room: Room) -> Found:
    """base58 (Bitcoin's alphabet) that is all of a text and comes out as text."""
    if WORDS.fullmatch(piece.data):
        return None
    number = 0
    for letter in piece.data:
        number = number * 58 + BASE58[letter]
    out = number.to_bytes((number.bit_length() + 7) // 8)
    checked = hashlib.sha256(hashlib.sha256(out[:-4]).digest()).digest()[:4] == out[-4:]
    return _only_text(piece, "base58", out[:-4] if checked else out, room)


@decoder("base85", "text", order=40, guess=False, sieve="covered", seen_in="ZeroMQ, in Z85", no_salt=True)
@begins(
    rb"(?=[!-~]{8,4096}\Z)"
    rb"(?:(?![\w.:/+,-]*+=*+\Z)|[A-Z\d_]*+[a-z][a-z\d_]*+[A-Z]|[a-z\d_]*+[A-Z][A-Z\d_]*+[a-z])"
)
def base85(piece: UploadPiece, room: Room) -> Found:
    """base85 in any of its three alphabets, if it is all of a text and comes out as text, or has so many punctuation
    marks that it can be nothing else."""
    found: list[UploadPiece] = []
    framed = piece.data.startswith(b"<~") and piece.data.endswith(b"~>")
    data = piece.data[2:-2] if framed else piece.data
    sure = framed or (len(data) >= LONG_85 and len(set(data) & SIGNS) >= MANY_SIGNS)
    for turn in (base64.b85decode, base64.a85decode, _z85):
        try:
            out = turn(data)
        except ValueError:
            continue
        texts = _only_text(piece, "base85", out, room)
        if not texts and sure and out and room.take(len(out), piece, "base85"):
            texts = [piece.whole("base85", out)]
        found += texts or ()
    return found or None


SIGNS = frozenset(b"!#$()*;<>?@^`{|}~")
LONG_85, MANY_SIGNS = 24, 5
"""Minimum letters, and minimum distinct punctuation marks, of base85 that may hold anything."""


def _z85(data: bytes) -> bytes:
    return base64.b85decode(data.translate(FROM_Z85))


def _only_text(piece: UploadPiece, step: str, out: bytes, room: Room) -> list[UploadPiece] | None:
    sure = as_text(out) is not None or PACKED.match(out)
    if not sure and step == "base85" and len(out) in (16, 20, 32) and room.take(len(out), piece, step):
        return [piece.whole(step, out)._replace(done=True)]  # an id or a digest
    if len(out) < 5 or not sure or not room.take(len(out), piece, step):
        return None
    return [piece.whole(step, out)]
