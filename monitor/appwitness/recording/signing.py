"""The operator's signature on stamps: an Ed25519 key in a file or in an ssh agent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import Field

from appwitness.events import Record
from appwitness.support import private_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CONTEXT = b"appwitness stamp\n"
"""Prefix of the signed text, so that a signature made for another purpose is not valid here."""
KIND = "ssh-ed25519"
PUBLIC_BYTES, SIGNATURE_BYTES = 32, 64


class Signature(Record):
    """The signature of one stamp, over CONTEXT and the stamp's line up to the comma before this field."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$", description="the public key, 32 bytes in base64")]
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$", description="Ed25519, 64 bytes in base64")]

    def fits(self, signed: bytes) -> bool:
        """Whether it is a valid signature of these bytes by the key that it names."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.key))
            key.verify(base64.b64decode(self.value), CONTEXT + signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its key, in the form of `fingerprint`."""
        return fingerprint(base64.b64decode(self.key))


class Signer(Protocol):
    """The holder of a private key."""

    @property
    def public(self) -> bytes:
        """The public key: 32 bytes."""

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes. Raises UserError when the key cannot be used."""


def signature(signer: Signer, text: bytes) -> Signature:
    """The signature of a stamp's text, verified at once. Raises UserError when the key cannot be used or gave an
    invalid signature."""
    key, value = signer.public, signer.sign(CONTEXT + text)
    made = Signature(key=base64.b64encode(key).decode(), value=base64.b64encode(value).decode())
    if not made.fits(text):
        raise UserError(
            Spoken("The key {key} gave a signature that does not match what it signed.", key=fingerprint(key)),
            "Try again; if it keeps failing, make another key: appwitness key new.",
        )
    return made


def fingerprint(public: bytes) -> str:
    """The fingerprint of a key, SHA256:..., as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_blob(public)).digest()).decode().rstrip("=")


def line(public: bytes, name: str = "") -> str:
    """A public key as OpenSSH writes it: type, base64, name."""
    return f"{KIND} {base64.b64encode(_blob(public)).decode()} {name}".rstrip()


def trusted(text: str, place: Path) -> dict[str, str]:
    """Fingerprint -> name of each key, from lines in the format of `line`; empty lines and lines with # are skipped.

    Raises FileError for a line that is not an Ed25519 key, or when there is no key.
    """
    found = {}
    for number, row in enumerate(text.splitlines(), start=1):
        if row.strip() and not row.lstrip().startswith("#"):
            public, name = _read(row, place, number)
            found[fingerprint(public)] = name
    if not found:
        raise FileError(place, None, "has no key.", "Put in a line that `appwitness key export` prints.")
    return found


def signer_of(data: bytes, armoured: str, namespace: str, place: Path) -> bytes:
    """The public key that signed a file, from a signature that `ssh-keygen -Y sign -n NAMESPACE` made.

    `armoured`: the text of the signature file `place`. Raises FileError when it is not a signature or does not fit the
    data.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    inside = re.fullmatch(r"-----BEGIN SSH SIGNATURE-----\n(.*)\n-----END SSH SIGNATURE-----\n*", armoured, re.DOTALL)
    try:
        blob = base64.b64decode(inside[1] if inside else "", validate=False)
        if blob[:10] != b"SSHSIG\0\0\0\1":
            raise ValueError(armoured)
        key, space, reserved, digest, made = _strings(blob[10:])
        kind, value = _strings(made)
        public = _of_blob(key)
        if space != namespace.encode() or kind != KIND.encode() or digest not in (b"sha512", b"sha256"):
            raise ValueError(armoured)
    except ValueError:
        hint = Spoken(
            "Make it with: ssh-keygen -Y sign -n {namespace} -f KEY FILE; the key has to be an Ed25519 key.",
            namespace=namespace,
        )
        raise FileError(
            place, None, Spoken("it is not a signature for {namespace}.", namespace=namespace), hint
        ) from None
    hashed = hashlib.new(digest.decode(), data).digest()
    signed = b"SSHSIG" + b"".join(map(_string, (space, reserved, digest, hashed)))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, signed)
    except InvalidSignature:
        raise FileError(place, None, "the signature does not match the file.", "Get both files again.") from None
    return public


@dataclass(frozen=True)
class FileKey:
    """A private key in a file."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public key: 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self.private.sign(data)


@dataclass(frozen=True)
class AgentKey:
    """A private key that an ssh agent holds, in memory or in a hardware token."""

    public: bytes

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes. Raises UserError when the agent does not answer or does not have the key."""
        said = _asked(13, _string(_blob(self.public)) + _string(data) + struct.pack(">I", 0))
        try:
            kind, value = _strings(next(_strings(said[1:]))) if said[:1] == b"\x0e" else (b"", b"")
        except ValueError:
            kind, value = b"", b""
        if kind != KIND.encode() or len(value) != SIGNATURE_BYTES:
            raise UserError(
                Spoken("The ssh agent does not sign with {public}.", public=fingerprint(self.public)),
                "Add the key: ssh-add.",
            )
        return value


def agent_keys() -> list[tuple[bytes, str]]:
    """The Ed25519 keys that the ssh agent holds, with their names. Raises UserError when there is no agent."""
    said = _asked(11, b"")
    if said[:1] != b"\x0c":
        return []
    keys = []
    with suppress(ValueError):
        parts = list(_strings(said[5:]))
        for blob, name in zip(parts[::2], parts[1::2], strict=False):
            if blob.startswith(_string(KIND.encode())):
                keys.append((_of_blob(blob), name.decode("utf-8", "replace")))
    return keys


def new(path: Path) -> FileKey:
    """A new key, in a file that only its owner can read. Raises UserError when the file exists already."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    keep(path, key.private_bytes(*form))
    return FileKey(key)


def keep(path: Path, data: bytes) -> None:
    """Write a key file: a private key, or the public line of a key that an agent holds.

    Raises UserError when the file exists: a key that was overwritten could never sign again.
    """
    if os.path.lexists(path):
        raise UserError(
            Spoken("There is a key already: {path}.", path=path), "Move the file away to begin with another key."
        )
    if not path.parent.is_dir():
        private_files.folder(path.parent)
    private_files.write(path, data)


def load(path: Path) -> Signer | None:
    """The key in a file; None when there is no file. Raises FileError if the file is not a key or others can read
    it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if data.startswith(KIND.encode()):
        return AgentKey(_read(data.decode("ascii", "replace"), path, 1)[0])
    if path.stat().st_mode & 0o077:
        raise FileError(
            path,
            None,
            "can be read by others.",
            Spoken("If nobody has read it: chmod 600 {path}. Otherwise make a new key.", path=path),
        )
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise FileError(path, None, "is not an Ed25519 key without a passphrase.", "Make one: appwitness key new.")
    return FileKey(key)


def _read(row: str, place: Path, number: int) -> tuple[bytes, str]:
    kind, _, rest = row.strip().partition(" ")
    encoded, _, name = rest.strip().partition(" ")
    try:
        if kind != KIND:
            raise ValueError(kind)
        return _of_blob(base64.b64decode(encoded, validate=True)), name.strip()
    except (ValueError, binascii.Error):
        hint = Spoken("Put in a line that `appwitness key export` prints: ssh-ed25519 AAAA... name.")
        raise FileError(place, number, "is not an Ed25519 public key.", hint) from None


def _blob(public: bytes) -> bytes:
    return _string(KIND.encode()) + _string(public)


def _of_blob(blob: bytes) -> bytes:
    parts = list(_strings(blob))
    if len(parts) != 2 or parts[0] != KIND.encode() or len(parts[1]) != PUBLIC_BYTES:
        raise ValueError("no Ed25519 key")
    return parts[1]


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes) -> Iterator[bytes]:
    """The strings of an SSH message, in order. Raises ValueError when the message ends inside one."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if at + size > len(data):
            raise ValueError("cut short")
        yield data[at : at + size]
        at += size


def _asked(code: int, message: bytes, environment: Mapping[str, str] = os.environ) -> bytes:
    """Send a request to the ssh agent (draft-ietf-sshm-ssh-agent); returns the answer's code and content."""
    place = environment.get("SSH_AUTH_SOCK")
    if not place:
        raise UserError("There is no ssh agent: SSH_AUTH_SOCK is not set.", "Start one, and ssh-add the key.")
    try:
        with socket.socket(socket.AF_UNIX) as agent, agent.makefile("rb") as answer:
            agent.settimeout(60)
            agent.connect(place)
            agent.sendall(_string(bytes([code]) + message))
            size = int.from_bytes(answer.read(4), "big")
            return answer.read(min(size, 1 << 18))
    except OSError as error:
        raise UserError(
            Spoken("The ssh agent does not answer: {strerror}.", strerror=error.strerror or error), "Start it again."
        ) from None
