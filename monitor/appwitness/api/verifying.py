"""Verifies a recording: its stamps, signatures and time-stamp tokens; manages the operator's own key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.home import key_file, signer
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.recording import Forgotten as Forgotten
    from appwitness.recording import Verification as Verification
    from appwitness.recording.seal import Stamp as Stamp
    from appwitness.recording.signing import Signer
    from appwitness.recording.timestamps import Authorities, NoToken
    from appwitness.recording.timestamps import Token as Token


@dataclass(frozen=True)
class TrustedSigners:
    """Whose signatures a recording must have."""

    keys: Mapping[str, str] | None = None
    """Fingerprint -> owner of the key: one of these must have signed each stamp of the run; None: no keys were
    named."""
    authorities: Authorities | None = None
    """Trusted time-stamp authorities: one of them must have signed its time over the first stamp and over one that
    ends the run."""

    def __bool__(self) -> bool:
        return self.keys is not None or self.authorities is not None


def trust(keys: Iterable[Path] = (), authorities: Sequence[Path] = ()) -> TrustedSigners:
    """The signers in these files: public keys as `appwitness key export` writes them, certificates as PEM or DER.

    Raises FileError with a line that is not an Ed25519 key, and for a file without a key or certificate.
    """
    from appwitness.recording import timestamps

    certificates = tuple(each for path in authorities for each in timestamps.authorities(path.read_bytes(), path))
    return TrustedSigners(trusted_keys(keys) or None, certificates if authorities else None)


def trusted_keys(files: Iterable[Path]) -> dict[str, str]:
    """Fingerprint -> owner, for the keys in files written by `appwitness key export`.

    Raises FileError with a line that is not an Ed25519 key, and for a file without a key.
    """
    from appwitness.recording import signing

    found: dict[str, str] = {}
    for path in files:
        found |= signing.trusted(path.read_text("utf-8", "replace"), path)
    return found


def verify(
    recording: Path | str, keys: Mapping[str, str] | None = None, authorities: Sequence[Path] = ()
) -> Verification:
    """Recompute all stamps of a recording, and name what differs. Archives are checked without unpacking them.

    `keys` are as from `trusted_keys`: one of them must have signed each stamp. `authorities` are files with
    certificates of time-stamp authorities, PEM or DER: one must have signed its time over the first stamp and over one
    that ends the run. Raises UserError for a path that is not a recording, FileError for a file without a certificate.
    """
    return verified(recording, TrustedSigners(keys, trust((), authorities).authorities))


def verified(recording: Path | str, by: TrustedSigners) -> Verification:
    """The same as `verify`, with the signers in `by`. Raises UserError for a path that is not a recording."""
    from appwitness.recording import verify as check

    return check(Path(recording), by.keys, by.authorities)


def see_that_all_are_authorities(urls: Iterable[str]) -> None:
    """Raise UserError for a text that is not an address of a time-stamp authority, or contains a password."""
    from appwitness.recording.timestamps import address

    for url in urls:
        address(url)


def timestamp(recording: Path | str, urls: Sequence[str]) -> list[str]:
    """Have authorities sign their time over the first and the last stamp, unless they have done so already.

    Returns the names of the new files in the recording. Only a SHA-256 is sent. Raises UserError if an authority
    returns no token.
    """
    from appwitness.recording import Recording, timestamps

    def failed(_: str, error: NoToken) -> None:
        raise error

    with Recording.open(Path(recording)) as opened:
        return timestamps.anchor(opened, urls, failed)


# the operator's key, which signs recordings: made once, shown, and its public part exported


def new_key(agent: str | None = None) -> str:
    """Make the operator's key, or use the Ed25519 key with that name or fingerprint in the ssh agent; returns its
    fingerprint.

    Raises UserError if there is a key already, no agent answers, or the agent has no such key.
    """
    from appwitness.recording import signing

    path = key_file()
    if agent is None:
        return signing.fingerprint(signing.new(path).public)
    keys = signing.agent_keys()
    public = next((each for each, name in keys if agent in {name, signing.fingerprint(each)}), b"")
    if not public:
        there = ", ".join(name for _, name in keys) or "no Ed25519 key"
        raise UserError(
            Spoken("The ssh agent has no Ed25519 key {agent!r}.", agent=agent), Spoken("It has: {there}.", there=there)
        )
    signing.keep(path, f"{signing.line(public, agent)}\n".encode())
    return signing.fingerprint(public)


def own_fingerprint() -> str:
    """The fingerprint of the operator's key, as reports show it: SHA256:... Raises UserError if there is none."""
    from appwitness.recording import signing

    return signing.fingerprint(_own().public)


def public_line(name: str = "") -> str:
    """The operator's public key as one line in OpenSSH format, ending in `name`. Raises UserError if there is no
    key."""
    from appwitness.recording import signing

    return signing.line(_own().public, " ".join(name.split()))


def _own() -> Signer:
    own = signer()
    if own is None:
        raise UserError("There is no key yet.", "Make one: appwitness key new.")
    return own
