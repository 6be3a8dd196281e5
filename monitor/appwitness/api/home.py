"""Default locations: the index, new recordings, keys, and the log of revealed values."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.support import private_files
from appwitness.support.errors import UserError
from appwitness.support.own_folder import home as home
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.recording.signing import Signer


def recordings() -> Path:
    """The folder for new recordings."""
    return Path(os.environ.get("APPWITNESS_RECORDINGS") or "recordings")


def setting(name: str) -> str | None:
    """The value of APPWITNESS_<name>, or the content of the file named by APPWITNESS_<name>_FILE, which keeps a secret
    from other processes. None: neither is set.

    Raises UserError if both are set, and for a file that cannot be read.
    """
    text, file = (os.environ.get(f"APPWITNESS_{name}{end}") for end in ("", "_FILE"))
    if text and file:
        raise UserError(
            Spoken("APPWITNESS_{name} and APPWITNESS_{name}_FILE are both set.", name=name), "Leave one of them out."
        )
    if not file:
        return text or None
    try:
        return Path(file).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise UserError(
            Spoken("APPWITNESS_{name}_FILE: {file}: {why}.", name=name, file=file, why=why),
            "Name a file that this user may read.",
        ) from None


def database(db: str | None) -> str | Path:
    """The index to use: `db`, a URL or a file; None: that of the setting DB, else the one in `home()`.

    Raises UserError as `setting` does.
    """
    db = db if db is not None else setting("DB")
    if db is None:
        return home() / "appwitness.sqlite"
    return db if "://" in db else Path(db)


def key_file() -> Path:
    """The file with the operator's key, which signs the stamps of recordings."""
    return home() / "key"


def index_key(*, make: bool = False) -> bytes | None:
    """The key for the digests that replace values in an index of conclusions; None: there is none yet.

    Hosts with the same key compute the same digest for the same value.
    """
    file = home() / "index.key"
    if make and not file.exists():
        private_files.folder(file.parent)
        mine = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        private_files.write(mine, secrets.token_hex(32))
        with suppress(FileExistsError):  # another process was faster
            os.link(mine, file)
        mine.unlink()
    return file.read_bytes().strip() if file.exists() else None


def signer() -> Signer | None:
    """A signer with the operator's key; None if there is no key. Raises FileError for a file that is not a key."""
    from appwitness.recording.signing import load

    return load(key_file()) if key_file().exists() else None


# the log of everything shown or exported with unmasked personal values


def note_reveal(verb: str, recordings: Iterable[str], what: str) -> None:
    """Log that values of these recordings are about to be shown unmasked, and in which form: `html to
    /tmp/report.html`.

    `verb` is what was asked for: `report`. Raises UserError if that cannot be logged; nothing may be shown then.
    """
    from appwitness.care import reveals

    reveals.note(home(), verb, recordings, what)
