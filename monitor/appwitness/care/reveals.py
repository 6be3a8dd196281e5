"""The log of each time that personal values were shown or exported unmasked."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from appwitness.events import format_time
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

NAME = "reveals.jsonl"


def note(home: Path, verb: str, recordings: Iterable[str], what: str, by: str | None = None) -> None:
    """Append to the log in `home`, which only its owner can read: who was shown the values of which recordings, and in
    what form. `by`: where a page was requested from. Call this before anything is shown.

    Raises UserError when the log cannot be written; then nothing must be shown.
    """
    line = {
        "at": format_time(datetime.now(UTC)),
        "user": _user(),
        "by": by,
        "verb": verb,
        "recordings": list(recordings),
        "what": what,
    }
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(home / NAME, flags, 0o600), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UserError(
            Spoken("{home} cannot be written: {strerror}.", home=home / NAME, strerror=error.strerror),
            "Make it writable: every display of personal values has to be noted there.",
        ) from None


def _user() -> str:
    """The user of this process; for root also the user who called sudo."""
    name = str(os.getuid())
    with suppress(KeyError):
        name = pwd.getpwuid(os.getuid()).pw_name
    before = os.environ.get("SUDO_USER")
    return f"{name} (sudo: {before})" if before and os.getuid() == 0 else name
