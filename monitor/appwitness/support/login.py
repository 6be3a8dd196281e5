"""The name of the user who runs this program."""

from __future__ import annotations

import getpass


def login() -> str | None:
    """The name of this user; None if there is none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
