"""Encrypts and decrypts archives with age (age-encryption.org/v1)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from appwitness.support import private_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from pyrage import ssh, x25519

    type Recipient = x25519.Recipient | ssh.Recipient
    type Identity = x25519.Identity | ssh.Identity

IDENTITY = "APPWITNESS_IDENTITY"
"""Environment variable that names the file with the identity (private key) for encrypted recordings."""
BEGINNINGS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
IDENTITY_BYTES = 1 << 16


def recipient(text: str) -> Recipient:
    """Parse a recipient: age1..., or an SSH public key (Ed25519 or RSA). Raises UserError for anything else."""
    from pyrage import RecipientError, ssh, x25519

    kind = ssh if text.lstrip().startswith("ssh-") else x25519
    try:
        return kind.Recipient.from_str(text.strip())
    except RecipientError:
        raise UserError(
            Spoken("{text!r} is not a recipient.", text=text[:200]),
            "Give what age-keygen prints as the public key, age1..., or the line of an SSH public key.",
        ) from None


class Passing:
    """A temporary key in memory, used to read an archive back once after it was encrypted for others."""

    def __init__(self) -> None:
        from pyrage import x25519

        self._identity = x25519.Identity.generate()

    @property
    def recipient(self) -> Recipient:
        """The public key to encrypt to."""
        return self._identity.to_public()

    def decrypted(self, file: BinaryIO, place: Path) -> AbstractContextManager[BufferedRandom]:
        """Decrypt a file with this key, as the function `decrypted` does with the user's."""
        return _decrypted(file, place, [self._identity])


def encrypt(source: BinaryIO, target: BinaryIO, recipients: Sequence[str], own: Passing | None = None) -> None:
    """Encrypt a file for each of the recipients, and for `own` so that it can be read back.

    Raises UserError for an invalid recipient, and OSError.
    """
    from pyrage import EncryptError, encrypt_io

    try:
        encrypt_io(source, target, [*(recipient(each) for each in recipients), *([own.recipient] if own else ())])
    except EncryptError as error:
        raise OSError(None, str(error)) from None


def is_encrypted(path: Path) -> bool:
    """Whether a file begins like an age file."""
    with path.open("rb") as file:
        return file.read(max(map(len, BEGINNINGS))).startswith(BEGINNINGS)


@contextmanager
def decrypted(file: BinaryIO, place: Path) -> Iterator[BufferedRandom]:
    """The decrypted content in an unnamed file, which disappears however the process ends.

    Raises UserError when there is no identity or none that fits, and FileError for a damaged file.
    """
    with _decrypted(file, place, list(_identities(place))) as plain:
        yield plain


@contextmanager
def _decrypted(file: BinaryIO, place: Path, identities: Sequence[Identity]) -> Iterator[BufferedRandom]:
    from pyrage import DecryptError, decrypt_io

    with tempfile.TemporaryFile(dir=private_files.roomy()) as plain:
        try:
            decrypt_io(file, plain, identities)
        except DecryptError as error:
            if "No matching keys" in str(error):
                name = os.environ.get(IDENTITY)
                raise UserError(
                    Spoken(
                        "{place} is not encrypted for the identity in {name}, or its header was changed.",
                        place=place,
                        name=name,
                    ),
                    "Name the identity of one of its recipients: --identity FILE.",
                ) from None
            raise _damaged(place) from None
        except OSError as error:
            if error.errno is None:
                raise _damaged(place) from None
            raise
        plain.seek(0)
        yield plain


def _damaged(place: Path) -> FileError:
    return FileError(
        place, None, "is truncated, or was changed after it was encrypted.", "Get it again from whoever has it."
    )


def _identities(place: Path) -> Iterator[Identity]:
    """The identities in the file that IDENTITY names: written by age-keygen, or an SSH private key without a
    passphrase."""
    from pyrage import IdentityError, ssh, x25519

    if not (name := os.environ.get(IDENTITY)):
        raise UserError(
            Spoken("{place} is encrypted.", place=place),
            Spoken(
                "Name the file of your identity: --identity FILE, or {identity} in the environment.", identity=IDENTITY
            ),
        )
    path = Path(name)
    try:
        with path.open("rb") as file:
            data = file.read(IDENTITY_BYTES)
    except OSError as error:
        raise UserError(
            Spoken("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            "Name the file of your identity.",
        ) from None
    number, found = None, False
    try:
        if data.startswith(b"-----BEGIN"):
            yield ssh.Identity.from_buffer(data)
            return
        for number, row in enumerate(data.decode("ascii", "replace").splitlines(), start=1):  # noqa: B007 errors name it
            if row.strip() and not row.startswith("#"):
                yield x25519.Identity.from_str(row.strip())
                found = True
    except IdentityError as error:
        locked = "decrypted first" in str(error)
        raise FileError(
            path,
            number,
            "is protected by a passphrase." if locked else "is not an age identity.",
            "Give one that age-keygen writes, or an SSH private key without a passphrase.",
        ) from None
    if not found:
        raise FileError(path, None, "contains no identity.", "Give one that age-keygen writes.")
