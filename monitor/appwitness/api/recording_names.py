"""Resolves the name of a recording: a local folder or archive, an address in a bucket, or a default."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.home import recordings
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.events import Run
    from appwitness.recording import Recording


def meant(option: str) -> Path:
    """The recording meant if a person names none: that of the run in progress, else the newest, which may be an archive
    whose folder is gone.

    `option` tells, in errors, how to name one. Raises UserError if there is none, or if several qualify, naming them.
    """
    from appwitness.recording import Recording

    made = {
        path.parent: path.lstat().st_mtime_ns
        for path in recordings().glob("*/run.json")
        if not path.parent.is_symlink()
    }
    made |= {
        path: path.lstat().st_mtime_ns
        for path in recordings().glob("*.zip*")
        if path.name.endswith((".zip", ".zip.age")) and path.with_name(path.name.partition(".zip")[0]) not in made
    }
    if not made:
        raise UserError(
            Spoken("There is no recording in {what}.", what=recordings()),
            Spoken("Name one: {option}, or start one: observe.", option=option),
        )
    going_on = [path for path in sorted(made) if path.is_dir() and Recording(path).going_on]
    newest = [path for path in sorted(made) if made[path] == max(made.values())]
    which, what = (going_on, Spoken("in progress")) if going_on else (newest, Spoken("the newest"))
    if len(which) > 1:
        raise UserError(
            Spoken("Several runs are {what}: {named}.", what=what, named=", ".join(map(str, which))),
            Spoken("Name the one you mean: {option}.", option=option),
        )
    return which[0]


def opened(recording: Path | str) -> Recording:
    """Open a recording, a folder or an archive. Raises UserError if it is not a recording."""
    from appwitness.recording import Recording

    return Recording.open(Path(recording))


def fetched(address: str) -> AbstractContextManager[Path]:
    """The archive of a recording in a bucket, such as `s3://bucket/prefix/RECORDING`; it is on this machine while the
    context lasts.

    Raises UserError if there is nothing at the address, and StoreError while the bucket cannot be reached.
    """
    from appwitness.fleet.objects import objects

    place, _, name = address.rpartition("/")
    if "://" not in place:
        raise UserError(
            Spoken("{address} does not name a recording.", address=address), "Write s3://bucket/prefix/RECORDING."
        )
    return objects(place).fetched(name)


def all_in(place: str | None, failed: Callable[[Path, UserError], object]) -> Iterator[tuple[Path, Run]]:
    """The recordings in a folder or bucket (None: the folder of recordings), each with its run. One from a bucket is on
    this machine only until the next is taken.

    Bundles in a folder are skipped; `failed` gets recordings in a folder that cannot be opened. Raises StoreError while
    the bucket cannot be reached.
    """
    from appwitness.fleet.objects import is_bucket, objects
    from appwitness.recording import Recording

    if place and is_bucket(place):
        kept = objects(place)
        for name in kept.complete_ones():
            with kept.fetched(name) as path:
                yield path, Recording.open(path).run
        return
    folder = Path(place) if place else recordings()
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        if not path.is_symlink() and ((path / "run.json").exists() or path.suffix == ".zip"):
            try:
                opened = Recording.open(path)
            except UserError as error:
                failed(path, error)
                continue
            if not (opened.archive and opened.archive.is_bundle):
                yield path, opened.run


def read_encrypted_with(identity: Path) -> None:
    """Read encrypted recordings with this identity from now on, in this process and those it starts.

    It is a file from age-keygen or an SSH private key; the environment variable APPWITNESS_IDENTITY names it.
    """
    from appwitness.recording.encryption import IDENTITY

    os.environ[IDENTITY] = str(identity)
