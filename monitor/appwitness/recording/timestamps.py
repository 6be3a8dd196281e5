"""Time-stamp tokens (RFC 3161) on stamps: an outside authority confirms when a recording existed in its present form.

A token is the whole answer of an authority, in tokens/LINE-HOST.tsr: LINE is the line of seal.jsonl, newline included,
whose SHA-256 the authority signed with its own time.
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
"""Largest difference between an authority's time and that of a stamp that is not remarked on."""
CERTIFICATES = 0xA0
"""Tag of the field of signed data that has them."""
SHA256_OID = "2.16.840.1.101.3.4.2.1"
NAME_CHARACTERS = 200
_NAME = re.compile(r"\d{1,9}-[\w.-]{1,100}\.tsr\Z", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,2000}\Z")


class NoToken(UserError):
    """An authority could not be reached, or did not give a token."""


@dataclass(frozen=True)
class Token:
    """One token of a recording, with the result of checking it."""

    file: str
    stamp: int | None = None
    """The line of seal.jsonl that it covers; None: none that is there."""
    at: datetime | None = None
    """The authority's time."""
    by: str = ""
    """The signer that its certificate names."""
    wrong: str | None = None
    """Why it is invalid."""
    stamped: datetime | None = None
    """The time that the stamp itself has."""
    trusted: bool = False
    """Whether its signature chains to an authority named as trusted."""


def address(url: str) -> str:
    """The URL of an authority. Raises UserError for any other text, and for a password in it, which would be shown."""
    with suppress(ValueError):  # of a port that is no number
        parts = urlsplit(url)
        if _URL.match(url) and parts.hostname and "@" not in parts.netloc and parts.port != 0:
            return url
    raise UserError(
        Spoken("{url!r} is no address of a time-stamp authority.", url=url),
        "Give one as https://HOST/PATH, without a password.",
    )


def authorities(data: bytes, place: Path) -> list[Certificate]:
    """Certificates as PEM, one or several, or one as DER. Raises FileError for a file that has none."""
    from cryptography import x509

    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise FileError(
            place, None, "has no certificate.", "Give the authority's root certificate, as PEM or DER."
        ) from None


# asking


def anchor(recording: Recording, urls: Sequence[str], failed: Callable[[str, NoToken], object]) -> list[str]:
    """Ask each authority for a token over the first stamp and over the last one, where there is none of it yet.

    The names of the new tokens; `failed` gets the URL and the error of an authority that gives none. Raises FileError
    when a token cannot be written.
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
    """By how much the clock of a recording differed from an authority's when it was asked for this token: positive
    where it was ahead; None: by no more than SOON."""
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
        f"Ask again later, which the token's time will show: appwitness timestamp RECORDING --tsa {url}",
    )


def _ends(folder: Path) -> dict[int, bytes]:
    """The first and the last stamp by their line in seal.jsonl, newline included."""
    found: dict[int, bytes] = {}
    with files.reading(folder, SEAL) as file:
        for number, raw in enumerate(raw_lines(file, hashlib.sha256(), MAX_STAMP_BYTES), 1):
            if raw.whole and raw.size <= MAX_STAMP_BYTES and read(raw.head) is not None:
                found = {**dict(list(found.items())[:1]), number: raw.head}
    return found


# checking


def check(folder: Path, stamps: Mapping[str, int], trusted: Sequence[Certificate] | None) -> list[Token]:
    """Every token of a recording against its stamps (SHA-256 of the line -> its number), in the order of their names.

    With the certificates of authorities that are `trusted`, their signatures too.
    """
    return [_checked(f"{TOKENS}/{name}", _data(folder, name), stamps, trusted) for name in _names(folder)]


def strangers(folder: Path) -> Iterator[str]:
    """What is in tokens/ and is not checked: no token by its name, or one too many."""
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
    """An answer with a token; None: it is none. All that is asked of it later is asked here, and may raise no more."""
    from rfc3161_client import decode_timestamp_response

    try:
        response = decode_timestamp_response(_sorted(data))
        if response.status != 0:
            return None
        _ = (response.tst_info.gen_time.astimezone(UTC), _imprint(response), response.tst_info.nonce)
        _ = (_signer(response), response.time_stamp_token())
    except Exception:  # it may be anything, and the library raises KeyError and others for what it did not expect
        return None
    return response


def _sorted(data: bytes) -> bytes:
    """The answer with its certificates in the order that DER asks for and rfc3161-client insists on.

    Authorities that run OpenSSL write them in any order, which no signature covers. Raises ValueError for what is
    no DER.
    """
    place = (0, len(data))  # the answer
    for step in (1, 1, 0):  # its token, the token's content, the signed data in it
        parts = _inside(data, *place)
        if step >= len(parts):
            return data
        place = parts[step]
    for start, end in _inside(data, *place):
        if data[start] == CERTIFICATES:
            certificates = [data[first:last] for first, last in _inside(data, start, end)]
            return data[: end - sum(map(len, certificates))] + b"".join(sorted(certificates)) + data[end:]
    return data


def _inside(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Where each element of DER begins and ends that is inside the one from `start` to `end`."""
    found = []
    at, _ = _content(data, start, end)
    while at < end:
        _, last = _content(data, at, end)
        found.append((at, last))
        at = last
    return found


def _content(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the content of an element of DER begins and ends. Raises ValueError when it is not all there."""
    size = data[start + 1] if start + 1 < end else 0
    at, long = start + 2, size & 0x7F if size & 0x80 else 0
    if long:
        size, at = int.from_bytes(data[at : at + long]), at + long
    if at + size > end or long > 4:
        raise ValueError("truncated")
    return at, at + size


def _imprint(response: TimeStampResponse) -> str:
    """SHA-256 that the token is over, in hex; empty for another algorithm."""
    imprint = response.tst_info.message_imprint
    return imprint.message.hex() if imprint.hash_algorithm.dotted_string == SHA256_OID else ""


def _signer(response: TimeStampResponse) -> str:
    """The name in the certificate that signed it.

    Raises ValueError where that is not just one: which of two with the same number was checked, nobody could tell.
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
    """Why none of the authorities that are trusted signed it; None: one did."""
    from rfc3161_client import VerifierBuilder

    try:
        VerifierBuilder(roots=list(trusted)).build().verify(response, bytes.fromhex(imprint))
    except Exception as error:
        return f"is not signed by a trusted authority ({str(error)[:NAME_CHARACTERS]})"
    return None
