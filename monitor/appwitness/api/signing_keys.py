"""The operator's key, which signs recordings: made once, shown, and its public part given to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appwitness.api.home import key_file, signer
from appwitness.support.errors import UserError

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.recording.signing import Signer


def new_key(agent: str | None = None) -> str:
    """Make the key, or take the Ed25519 key of that name or fingerprint that the ssh agent holds; its fingerprint.

    Raises UserError when there is a key already, when no agent answers, and when it has no such key.
    """
    from appwitness.recording import signing

    path = key_file()
    if agent is None:
        return signing.fingerprint(signing.new(path).public)
    keys = signing.agent_keys()
    public = next((each for each, name in keys if agent in {name, signing.fingerprint(each)}), b"")
    if not public:
        there = ", ".join(name for _, name in keys) or "no Ed25519 key"
        raise UserError(f"The ssh agent has no Ed25519 key {agent!r}.", f"It has: {there}.")
    signing.keep(path, f"{signing.line(public, agent)}\n".encode())
    return signing.fingerprint(public)


def own_fingerprint() -> str:
    """The fingerprint of the key, as reports name it: SHA256:... Raises UserError when there is none."""
    from appwitness.recording import signing

    return signing.fingerprint(_own().public)


def public_line(name: str = "") -> str:
    """The public part of the key as one line of OpenSSH, which ends in `name`. Raises UserError when there is none."""
    from appwitness.recording import signing

    return signing.line(_own().public, " ".join(name.split()))


def _own() -> Signer:
    own = signer()
    if own is None:
        raise UserError("There is no key yet.", "Make one: appwitness key new.")
    return own
