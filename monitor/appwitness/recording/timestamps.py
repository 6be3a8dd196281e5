"""Time-stamp tokens (RFC 3161) on stamps: an outside authority confirms when a recording existed in its present form.

A token is the authority's whole answer, in tokens/LINE-HOST.tsr. LINE is the number of a line of seal.jsonl; the
authority signed the SHA-256 of that line, newline included, together with its own time.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from appwitness.recording import files
from appwitness.recording.lines import RawLine, raw_lines
from appwitness.recording.seal import MAX_STAMP_BYTES, SEAL, TOKENS, read
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

    from appwitness.recording.folder import Recording

type Authorities = Sequence[Certificate]
"""Certificates of the trusted authorities."""

MAX_TOKEN_BYTES = 64 << 10
MAX_TOKENS = 100
SOON = timedelta(minutes=1)
"""Largest difference between an authority's time and a stamp's that goes without remark."""
CERTIFICATES = 0xA0
"""Tag of the field of signed data that holds the certificates."""
SHA256_OID = "2.16.840.1.101.3.4.2.1"
NAME_CHARACTERS = 200
_NAME = re.compile(r"\d{1,9}-[\w.-]{1,100}\.tsr\Z", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,2000}\Z")


class NoToken(UserError):
    """An authority could not be reached or did not give a token."""


@dataclass(frozen=True)
class Token:
    """One token of a recording, with the result of checking it."""

    file: str
    stamp: int | None = None
    """The line of seal.jsonl that it covers; None when no present stamp is covered."""
    at: datetime | None = None
    """The authority's time."""
    by: str = ""
    """The signer's name in its certificate."""
    wrong: str | None = None
    """Why it is invalid; None when nothing is wrong."""
    stamped: datetime | None = None
    """The time in the stamp itself."""
    trusted: bool = False
    """Whether its signature chains to one of the trusted authorities."""


def address(url: str) -> str:
    """Check the URL of an authority. Raises UserError for other text, and for a URL with a password, which would be
    shown."""
    with suppress(ValueError):  # a port that is not a number
        parts = urlsplit(url)
        if _URL.match(url) and parts.hostname and "@" not in parts.netloc and parts.port != 0:
            return url
    raise UserError(
        Spoken("{url!r} is not the address of a time-stamp authority.", url=url),
        "Give one as https://HOST/PATH, without a password.",
    )


def authorities(data: bytes, place: Path) -> list[Certificate]:
    """Certificates from PEM, one or several, or one from DER. Raises FileError for a file without any."""
    from cryptography import x509

    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise FileError(
            place, None, "contains no certificate.", "Give the authority's root certificate, as PEM or DER."
        ) from None


# asking


def anchor(recording: Recording, urls: Sequence[str], failed: Callable[[str, NoToken], object]) -> list[str]:
    """Ask each authority for a token over the first stamp and one over the last, unless it has given them already.

    Returns the names of the new tokens. `failed` is called with the URL and the error of an authority that gives none.
    Raises FileError when a token cannot be written.
    """
    written = []
    stamps = _ends(recording.path)
    for url in urls:
        for number, line in stamps.items():
            name = f"{number}-{re.sub(r'[^a-zA-Z0-9.-]', '_', urlsplit(url).netloc)[:100]}.tsr"
            if os.path.lexists(recording.path / TOKENS / name):
                continue
            try:
                recording.put_token(name, ask(url, line))
            except NoToken as error:
                failed(url, error)
                break
            written.append(f"{TOKENS}/{name}")
    return written


def clock_off(recording: Recording, name: str) -> timedelta | None:
    """How far a recording's clock was ahead of the authority's when this token was requested (negative: behind);
    None for at most SOON."""
    with files.reading(recording.path, SEAL) as file:
        stamps = {hashlib.sha256(raw.head).hexdigest(): read(raw.head) for raw in _whole(file)}
    response = _parsed(_data(recording.path, name.rpartition("/")[2]))
    stamp = stamps.get(_imprint(response)) if response else None
    if response is None or stamp is None:
        return None
    off = stamp.at - response.tst_info.gen_time.astimezone(UTC)
    return off if abs(off) > SOON else None


def _whole(file: BinaryIO) -> Iterator[RawLine]:
    for raw in raw_lines(file, hashlib.sha256(), MAX_STAMP_BYTES):
        if raw.whole and raw.size <= MAX_STAMP_BYTES:
            yield raw


def ask(url: str, data: bytes) -> bytes:
    """An authority's answer with a token over the SHA-256 of `data`. Raises NoToken."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    from appwitness.recording.authority import Unanswered, post

    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = post(url, request.as_bytes(), MAX_TOKEN_BYTES)
    except Unanswered as error:
        raise _no_token(url, f"could not be asked: {error}") from None
    response = _parsed(answer)
    if response is None:
        raise _no_token(url, "gave no token")
    if _imprint(response) != hashlib.sha256(data).hexdigest() or response.tst_info.nonce != request.nonce:
        raise _no_token(url, "gave a token over something else")
    return answer


def _no_token(url: str, why: str) -> NoToken:
    return NoToken(
        f"The time-stamp authority {url} {why}.",
        f"Try again later (the token will show the later time): appwitness timestamp RECORDING --tsa {url}",
    )


def _ends(folder: Path) -> dict[int, bytes]:
    """The first and the last stamp, newline included, by line number in seal.jsonl."""
    found: dict[int, bytes] = {}
    with files.reading(folder, SEAL) as file:
        for number, raw in enumerate(raw_lines(file, hashlib.sha256(), MAX_STAMP_BYTES), 1):
            if raw.whole and raw.size <= MAX_STAMP_BYTES and read(raw.head) is not None:
                found = {**dict(list(found.items())[:1]), number: raw.head}
    return found


# checking


def check(folder: Path, stamps: Mapping[str, int], trusted: Sequence[Certificate] | None) -> list[Token]:
    """Check every token of a recording against its stamps (SHA-256 of the line -> its number); the tokens in the order
    of their names.

    With the certificates of `trusted` authorities, their signatures are checked too.
    """
    return [_checked(f"{TOKENS}/{name}", _data(folder, name), stamps, trusted) for name in _names(folder)]


def strangers(folder: Path) -> Iterator[str]:
    """Files in tokens/ that are not checked: their name is not a token's, or there are too many."""
    named = set(_names(folder))
    yield from (f"{TOKENS}/{name}" for name in _listed(folder) if name not in named)


def _names(folder: Path) -> list[str]:
    named = [name for name in _listed(folder) if _NAME.match(name)]
    return sorted(named, key=lambda name: (int(name.partition("-")[0]), name))[:MAX_TOKENS]


def _listed(folder: Path) -> list[str]:
    try:
        with files.folder(folder, TOKENS) as here:
            return sorted(os.listdir(here))  # noqa: PTH208 a folder that is open
    except (FileNotFoundError, FileError):
        return []


def _data(folder: Path, name: str) -> bytes:
    try:
        return files.whole(folder, TOKENS, name, most=MAX_TOKEN_BYTES)
    except (FileNotFoundError, FileError):
        return b""


def _checked(file: str, data: bytes, stamps: Mapping[str, int], trusted: Sequence[Certificate] | None) -> Token:
    response = _parsed(data)
    if response is None:
        return Token(file, wrong="is no time-stamp token")
    imprint, at, by = _imprint(response), response.tst_info.gen_time.astimezone(UTC), _signer(response)
    if imprint not in stamps:
        return Token(file, None, at, by, f"is over a stamp that is not in {SEAL}: stamps were removed or replaced")
    wrong = None if trusted is None else _untrusted(response, imprint, trusted)
    return Token(file, stamps[imprint], at, by, wrong, trusted=trusted is not None and wrong is None)


def _parsed(data: bytes) -> TimeStampResponse | None:
    """Parse an answer with a token; None if it is not one. All fields that are read later are read here once, so
    that they cannot raise later."""
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(_sorted(data))
        if response.status != 0:
            return None
        _ = (response.tst_info.gen_time.astimezone(UTC), _imprint(response), response.tst_info.nonce)
        _ = (_signer(response), response.time_stamp_token())
    except Exception:  # rfc3161-client raises KeyError and other exceptions for unexpected input
        return None
    return response


def _sorted(data: bytes) -> bytes:
    """The answer with its certificates in the order that DER requires and rfc3161-client insists on.

    Authorities that run OpenSSL write them in any order, and no signature covers it. Raises ValueError for invalid DER.
    """
    place = (0, len(data))  # the answer
    for step in (1, 1, 0):  # its token, the token's content, the signed data in it
        parts = inside(data, *place)
        if step >= len(parts):
            return data
        place = parts[step]
    for start, end in inside(data, *place):
        if data[start] == CERTIFICATES:
            certificates = [data[first:last] for first, last in inside(data, start, end)]
            return data[: end - sum(map(len, certificates))] + b"".join(sorted(certificates)) + data[end:]
    return data


def inside(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of each DER element directly inside the one from `start` to `end`."""
    found = []
    at, _ = _content(data, start, end)
    while at < end:
        _, last = _content(data, at, end)
        found.append((at, last))
        at = last
    return found


def _content(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Start and end of the content of a DER element. Raises ValueError when it is truncated."""
    size = data[start + 1] if start + 1 < end else 0
    at, long = start + 2, size & 0x7F if size & 0x80 else 0
    if long:
        size, at = int.from_bytes(data[at : at + long]), at + long
    if at + size > end or long > 4:
        raise ValueError("truncated")
    return at, at + size


def _imprint(response: TimeStampResponse) -> str:
    """The SHA-256 that the token covers, in hex; empty for another algorithm."""
    imprint = response.tst_info.message_imprint
    return imprint.message.hex() if imprint.hash_algorithm.dotted_string == SHA256_OID else ""


def _signer(response: TimeStampResponse) -> str:
    """The subject of the certificate that signed the token.

    Raises ValueError unless exactly one certificate matches: with two, nobody could tell which one was checked.
    """
    from cryptography import x509

    (signer,) = response.signed_data.signer_infos
    (name,) = (
        certificate.subject.rfc4514_string()
        for certificate in map(x509.load_der_x509_certificate, response.signed_data.certificates)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number)
    )
    return name[:NAME_CHARACTERS]


def _untrusted(response: TimeStampResponse, imprint: str, trusted: Sequence[Certificate]) -> str | None:
    """Why no trusted authority signed it; None when one did."""
    from rfc3161_client import VerifierBuilder

    try:
        VerifierBuilder(roots=list(trusted)).build().verify(response, bytes.fromhex(imprint))
    except Exception as error:
        return f"is not signed by a trusted authority ({str(error)[:NAME_CHARACTERS]})"
    return None
