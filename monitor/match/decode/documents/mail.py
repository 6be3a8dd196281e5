"""Decoders of text in the letters of mail and host names: encoded words, punycode, UTF-7, HZ, addresses in words."""

from __future__ import annotations

import binascii
import re
import unicodedata
from itertools import combinations

from monitor.match.decode.walk.pieces import Found, Piece, Room, begins, decoder, holds

ENCODED_WORD = re.compile(rb"=\?([\w.:-]+)\?([bBqQ])\?([^?\s]*)\?=")
LABEL = re.compile(rb"(?i)xn--([a-z0-9-]{2,60})")
HZ = re.compile(rb"~\{(?:[!-}][!-~])+~\}")


@decoder("encoded word", "text", order=770, guess=False, sieve="covered", seen_in="JavaMail for Android")
@holds(rb"=\?[\w.:-]+\?[bBqQ]\?")
def encoded_words(piece: Piece, room: Room) -> Found:
    """RFC 2047, as in the headers of mail: `=?utf-8?B?5p2O?=`."""
    out, last = [], 0
    words: list[tuple[bytes, int, int]] = []
    for word in ENCODED_WORD.finditer(piece.data):
        between = piece.data[last : word.start()]
        out.append(between if between.strip() or not last else b"")
        last = word.end()
        try:
            raw = binascii.a2b_base64(word[3]) if word[2] in b"bB" else binascii.a2b_qp(word[3], header=True)
            out.append(raw.decode(word[1].decode()).encode("utf-8", "replace"))
            words.append((out[-1], *word.span()))
        except (binascii.Error, LookupError, UnicodeDecodeError):
            out.append(word[0])
    text = b"".join(out) + piece.data[last:]
    if not last or not room.take(len(text), piece, "encoded word"):
        return None
    found = [piece.whole("encoded word", text)]
    if 1 < len(words) <= WORDS:  # those that stand for one text each are written like those that one was cut into
        for first, last_one in combinations(range(len(words) + 1), 2):
            part = b"".join(one for one, _, _ in words[first:last_one])
            spot = (words[first][1], words[last_one - 1][2])
            found.append(piece.turned("encoded word", part, *spot)._replace(done=True))
    return found


WORDS = 12
"""Words of which any that follow each other are read as one text, too."""


@decoder("punycode", "text", order=780, guess=False, sieve="covered", seen_in="java.net.IDN")
@holds(LABEL.pattern)
def punycode(piece: Piece, room: Room) -> Found:
    """Host names in other scripts: `xn--`."""
    found = []
    for label in LABEL.finditer(piece.data):
        try:
            text = label[1].decode().encode().decode("punycode").encode("utf-8", "replace")
        except (UnicodeError, ValueError, OverflowError):
            continue
        if text and room.take(len(text), piece, "punycode"):
            found.append(piece.turned("punycode", text, *label.span()))
    return found or None


@decoder("punycode", "text", order=790, guess=False, sieve="covered", seen_in="none known")
@begins(rb"[ -~]{0,64}-[a-z0-9]{2,64}\Z")
def bare_punycode(piece: Piece, room: Room) -> Found:
    """The same without that mark, as a whole: `Jos Silva-ksb`."""
    return _of_punycode(piece, room, FOREIGN)


@decoder("punycode", "text", order=800, guess=False, sieve="covered", seen_in="none known")
@begins(rb"(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{6,24}\Z")
def chinese_punycode(piece: Piece, room: Room) -> Found:
    """The same of Chinese letters only, before which nothing stands."""
    return _of_punycode(piece, room, CHINESE)


def _of_punycode(piece: Piece, room: Room, wanted: re.Pattern[str]) -> Found:
    try:
        text = piece.data.decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return None
    if not wanted.fullmatch(text) or not text.isprintable() or not room.take(4 * len(text), piece, "punycode"):
        return None
    return [piece.whole("punycode", text.encode())._replace(done=True)]


FOREIGN = re.compile(r"(?=.*[^\x00-\x7f]).*", re.DOTALL)
CHINESE = re.compile("[\u4e00-\u9fff]{2,8}")


@decoder("utf-7", "text", order=810, guess=True, sieve="covered", seen_in="JavaMail, in names of IMAP folders")
@holds(rb"\+[A-Za-z0-9+/]{3,}|&[A-Za-z0-9+,]{3,}-")
def utf_7(piece: Piece, room: Room) -> Found:
    """RFC 2152, and as folders of mail are named (RFC 3501), where it gives letters that are none of ASCII: all else is
    written in it as it is."""
    if len(piece.data) > 4096 or not piece.data.isascii():
        return None
    folder = FOLDER.search(piece.data) is not None
    pattern, sign = (FOLDER, b"&") if folder else (UTF_7, b"+")
    data = pattern.sub(lambda run: _wide_letters(run, folder=folder), piece.data)
    if data == piece.data or not room.take(len(data), piece, "utf-7"):
        return None
    return [piece.whole("utf-7", data.replace(sign + b"-", sign))]


UTF_7 = re.compile(rb"\+([A-Za-z0-9+/]{3,})(?:-|(?=[\s\x21-\x2a\x2c.:;<>?@\[\]^_`{|}~]))")
"""What follows letters that are none of ASCII: a hyphen, which is left off before what is no base64; but never at the
end of a text, nor before what fills up base64."""
FOLDER = re.compile(rb"&([A-Za-z0-9+,]{3,})-")
BEFORE_RUN = re.compile(rb"[A-Za-z0-9+/=]*\Z")
WORD_BEFORE, FEW_OPEN = 12, 16
"""Letters before a run that may be base64 where they are no word and no number; letters of a run behind a word and
without the hyphen."""


def _wide_letters(run: re.Match[bytes], *, folder: bool) -> bytes:
    """Letters in UTF-8 that stand in base64 between the words of a text; left as they are where they look like part of
    a longer base64 text, which has pluses too."""
    before = BEFORE_RUN.search(run.string[max(0, run.start() - 2 * WORD_BEFORE) : run.start()])
    letters = before[0] if before and not folder else b""
    plain = letters.isalpha() or letters.isdigit() or not letters
    if not plain and (len(letters) >= WORD_BEFORE or not run[0].endswith(b"-")):
        return run[0]
    if letters and len(run[1]) > FEW_OPEN and not run[0].endswith(b"-"):
        return run[0]
    try:
        text = (b"+" + (run[1].replace(b",", b"/") if folder else run[1]) + b"-").decode("utf-7")
    except UnicodeDecodeError:
        return run[0]
    wide = [char for char in text if char >= "\x80"]
    if not wide or any(unicodedata.category(char) not in ("Lo", "Lu", "Ll", "Po", "Nd") for char in wide):
        return run[0]
    return text.encode("utf-8", "replace")


@decoder("hz", "text", order=820, guess=False, sieve="covered", seen_in="none known")
@holds(rb"~\{")
def hz(piece: Piece, room: Room) -> Found:
    """RFC 1843: GB 2312 in seven bits, between `~{` and `~}`."""
    found = []
    for run in HZ.finditer(piece.data):
        try:
            text = run[0].decode("hz").encode()
        except UnicodeDecodeError:
            continue
        if room.take(len(text), piece, "hz"):
            found.append(piece.turned("hz", text, *run.span()))
    return found or None


@decoder("address in words", "text", order=830, guess=False, sieve="guess", seen_in="none known")
@holds(rb"(?i)[\[({<]\s?at\s?[\])}>]|\s(?:at|@)\s")
def in_words(piece: Piece, room: Room) -> Found:
    """Addresses as they are hidden from collectors: `anna(at)example.org`, `anna [at] example [dot] org`."""
    found: list[Piece] = []
    for hidden in IN_WORDS.finditer(piece.data):
        address = hidden[1] + b"@" + DOT.sub(b".", hidden[2])
        if room.take(len(address), piece, "address in words"):
            found.append(piece.turned("address in words", address, *hidden.span())._replace(done=True))
    return found or None


_DOT = rb"\s?(?:\.|[\[({<]\s?dot\s?[\])}>]|\sdot\s)\s?"
DOT = re.compile(rb"(?i)" + _DOT)
IN_WORDS = re.compile(
    rb"(?i)(?<![\w.+@-])([\w.+-]{1,64}+)\s?(?:[\[({<]\s?at\s?[\])}>]|\sat\s|\s@\s)\s?"
    rb"([a-z0-9-]+(?:" + _DOT + rb"[a-z0-9-]+){1,5})"
)
