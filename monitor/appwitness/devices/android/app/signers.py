"""Reads an APK's signers as Android determines them: the signing block's schemes and the v1 signature; pure.

Signatures are not verified. Sources: ApkSigningBlockUtils, ApkSignatureSchemeV3Verifier and StrictJarVerifier of AOSP;
source.android.com, APK signature schemes v2, v3 and v3.1; RFC 5652 (the bag).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from appwitness.devices.android.app.apk_parts import zip_end

Scheme = Literal["v3.1", "v3", "v2", "v1"]
NEWEST = (1 << 31) - 1
"""An API level newer than any device."""
_MAGIC = b"APK Sig Block 42"
_BLOCKS: tuple[tuple[int, Scheme, int], ...] = (
    (0x1B93AD61, "v3.1", 33),
    (0xF05368C0, "v3", 28),
    (0x7109871A, "v2", 24),
)
"""ID, scheme, and the first API level that knows it; a device uses the newest scheme that it knows."""
BLOCKS_SINCE = 24
"""The first API level that reads signing blocks."""
_BLOCK_BYTES = 64 << 20
_SEQUENCE, _INTEGER, _SET, _CONTEXT_0 = 0x30, 0x02, 0x31, 0xA0
_DEPTH = 20


@dataclass(frozen=True)
class ApkSigner:
    """One signer, and the API levels at which Android accepts it as the app's."""

    scheme: Scheme
    certificate: bytes
    """The certificate's bytes, as in the file."""
    least_api: int = 1
    most_api: int = NEWEST

    @property
    def sha256(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return hashlib.sha256(self.certificate).hexdigest()


def of_block(path: Path) -> tuple[ApkSigner, ...]:
    """The signers in the signing block, newest scheme first; empty: there is no such block.

    Raises OSError, and ValueError or struct.error for damaged signers, with which Android refuses to install.
    """
    block = _block(path)
    found = []
    for number, scheme, least in _BLOCKS:
        for signer in _parts(_first(block[number])) if number in block else ():
            signed, rest = _cut(signer)
            _digests, after = _cut(signed)
            certificate = _first(_cut(after)[0])
            if scheme == "v2":
                first, last = least, 27 if 0xF05368C0 in block else NEWEST
            else:
                first, last = struct.unpack_from("<II", rest)
            found.append(ApkSigner(scheme, certificate, max(least, first), min(NEWEST, last or NEWEST)))
    return tuple(found)


def of_bag(bag: bytes) -> bytes | None:
    """The signer's certificate in a PKCS #7 bag (META-INF/*.RSA), byte for byte; None: it is not in the bag.

    A bag may hold other certificates before it. Raises ValueError for a damaged bag.
    """
    content = list(elements(_only(bag, _SEQUENCE).inside))
    signed = list(elements(_only(content[1].inside, _SEQUENCE).inside)) if len(content) > 1 else []
    certificates = [each for part in signed if part.tag == _CONTEXT_0 for each in elements(part.inside)]
    signers = [each for part in signed[3:] if part.tag == _SET for each in elements(part.inside)]
    for signer in signers:
        _version, issuer_and_serial, *_ = elements(signer.inside)
        issuer, serial = list(elements(issuer_and_serial.inside))[:2]
        for certificate in certificates:
            if _issuer_and_serial(certificate) == (issuer.inside, serial.inside):
                return certificate.whole
    return None


def at(signers: tuple[ApkSigner, ...], api: int) -> ApkSigner | None:
    """The signer that Android accepts at an API level; None: it accepts none."""
    return next((each for each in signers if each.least_api <= api <= each.most_api), None)


def _block(path: Path) -> dict[int, bytes]:
    """ID -> the first part with that ID, which is the one Android uses; empty if Android finds no block."""
    start, length, end = zip_end(path)
    if start < 32 or start + length != end:
        return {}
    with path.open("rb") as file:
        file.seek(start - 24)
        (size,), magic = struct.unpack("<Q", file.read(8)), file.read(16)
        if magic != _MAGIC:
            return {}
        if not 24 <= size <= min(_BLOCK_BYTES, start - 8):
            return {}
        file.seek(start - size - 8)
        (before,) = struct.unpack("<Q", file.read(8))
        block = file.read(size - 24)
    if before != size:
        return {}
    parts: dict[int, bytes] = {}
    place = 0
    while place + 8 <= len(block):
        (part,) = struct.unpack_from("<Q", block, place)
        if not 4 <= part <= len(block) - place - 8:
            break
        (number,) = struct.unpack_from("<I", block, place + 8)
        parts.setdefault(number, block[place + 12 : place + 8 + part])
        place += 8 + part
    return parts


def _cut(data: bytes) -> tuple[bytes, bytes]:
    """Split off a part that is preceded by its length: the part, and the rest."""
    (length,) = struct.unpack_from("<I", data)
    if 4 + length > len(data):
        raise ValueError("a truncated signing block")
    return data[4 : 4 + length], data[4 + length :]


def _first(data: bytes) -> bytes:
    return _cut(data)[0]


def _parts(data: bytes) -> Iterator[bytes]:
    while data:
        part, data = _cut(data)
        yield part


class _BerElement(NamedTuple):
    """One BER element."""

    tag: int
    inside: bytes
    whole: bytes


def elements(data: bytes, depth: int = 0) -> Iterator[_BerElement]:
    """The BER elements in a row; an indefinite length ends at two zero bytes."""
    place = 0
    while place < len(data):
        if data[place : place + 2] == b"\0\0":
            return
        element, place = _element(data, place, depth)
        yield element


def _element(data: bytes, start: int, depth: int) -> tuple[_BerElement, int]:
    if start + 2 > len(data) or data[start] & 0x1F == 0x1F or depth > _DEPTH:
        raise ValueError("a damaged signature")
    tag, length, place = data[start], data[start + 1], start + 2
    if length == 0x80:
        end = place
        while data[end : end + 2] != b"\0\0":
            _, end = _element(data, end, depth + 1)
        return _BerElement(tag, data[place:end], data[start : end + 2]), end + 2
    if length > 0x80:
        size = length & 0x7F
        length, place = int.from_bytes(data[place : place + size]), place + size
    if place + length > len(data):
        raise ValueError("a truncated signature")
    return _BerElement(tag, data[place : place + length], data[start : place + length]), place + length


def _only(data: bytes, tag: int) -> _BerElement:
    element = next(elements(data), None)
    if element is None or element.tag != tag:
        raise ValueError("not a signature")
    return element


def _issuer_and_serial(certificate: _BerElement) -> tuple[bytes, bytes] | None:
    """Issuer and serial number of a certificate; the version before them is absent in version 1."""
    told = [each for each in elements(_only(certificate.inside, _SEQUENCE).inside) if each.tag != _CONTEXT_0]
    if len(told) < 3 or told[0].tag != _INTEGER:
        return None
    serial, _algorithm, issuer = told[:3]
    return issuer.inside, serial.inside
