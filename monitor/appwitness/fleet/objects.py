"""Stores a fleet's recordings, each as one archive, in a folder or in a bucket of an object store.

A recording is complete once its marker exists, which can be created only once. A bucket's credentials and endpoint come
only from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL ...), as obstore reads it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, override
from weakref import WeakValueDictionary

from appwitness.fleet.commits import digest_of
from appwitness.recording import Recording, archive, files, packing
from appwitness.recording.seal import RUN, SEAL
from appwitness.support import private_files
from appwitness.support.errors import StoreError, UserError, how_to_install
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from obstore.store import ObjectStore

BUCKET = re.compile(r"(?:s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._/-]*\Z")
"""Addresses of buckets."""
COMPLETE = "COMPLETE"
_ID = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,200}\Z")
_PART_BYTES = 8 << 20
_CLIENT = {"connect_timeout": "5s", "timeout": "300s"}
_RETRY = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}


class Objects(Protocol):
    """The stored recordings of a fleet. Every method raises StoreError while the store cannot be reached."""

    place: str

    def put(self, recording: str, packed: Path) -> None:
        """Store the archive of a recording that is not complete yet; replaces what an earlier attempt left."""

    def digest(self, recording: str) -> str:
        """SHA-256 of the stored archive, read back."""

    def complete(self, recording: str) -> bool:
        """Mark a recording as complete; False when it was already."""

    def is_complete(self, recording: str) -> bool:
        """Whether a recording is marked as complete."""

    def fetched(self, recording: str) -> AbstractContextManager[Path]:
        """The archive as a local file, within the context. Raises UserError when the recording is not complete."""

    def complete_ones(self) -> Iterator[str]:
        """The names of all complete recordings."""


def objects(place: str | Path) -> Objects:
    """The store in a folder, or in a bucket: `s3://bucket/prefix`, `gs://...`, `az://account/container/prefix`.

    Raises UserError for any other address, OSError when the folder cannot be created.
    """
    if "://" not in str(place):
        return Folder(Path(place))
    if not is_bucket(place):
        raise UserError(
            Spoken("{place} is not a place for recordings.", place=place),
            "Name a folder, or s3://bucket/prefix (gs://, az://) without credentials: those belong in the environment.",
        )
    return Bucket(str(place).rstrip("/"))


def is_bucket(place: str | Path) -> bool:
    """Whether it is the address of a bucket or of something in one."""
    return BUCKET.match(str(place)) is not None


def recording_at(place: str) -> Recording | None:
    """The recording at a place that the index names: a folder, an archive, or an archive in a bucket, which is
    downloaded. None when it is gone.

    Raises UserError when it is no longer a recording, and StoreError while a bucket cannot be reached.
    """
    kept, _, name = place.rpartition("/")
    if not is_bucket(kept):
        return Recording.open(Path(place)) if Path(place).exists() else None
    bucket = Bucket(kept)
    if not bucket.is_complete(name):
        return None
    key = place, bucket.version(name)
    if (found := _fetched.get(key)) is None:
        with bucket.fetched(name) as packed:
            found = _fetched[key] = Recording.open(packed)  # it stays unpacked as long as somebody holds it
    return found


_fetched: WeakValueDictionary[tuple[str, str], Recording] = WeakValueDictionary()
"""Downloaded recordings; they are not downloaded again unless the bucket has another version."""


class Folder(Objects):
    """A folder that every host can access: `ID.zip`, with `ID.complete` beside it."""

    def __init__(self, place: Path) -> None:
        self.place = str(place.absolute())
        private_files.folder(place.absolute())

    @override
    def put(self, recording: str, packed: Path) -> None:
        target = self._file(recording, "zip")
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(packed)
        except OSError:  # on another disk
            for left in Path(self.place).glob(f".{target.name}.*.part"):  # left by a host that was killed
                left.unlink(missing_ok=True)
            try:
                with packed.open("rb") as source, packing.created(target) as file:
                    shutil.copyfileobj(source, file, _PART_BYTES)
            except StoreError:
                raise
            except UserError as error:  # the disk is full or unavailable: no fault of the recording
                raise StoreError(error.what, "Make room there, or check the disk; it is tried again.") from None

    @override
    def digest(self, recording: str) -> str:
        return digest_of(self._file(recording, "zip"))

    @override
    def complete(self, recording: str) -> bool:
        try:
            self._file(recording, "complete").touch(0o600, exist_ok=False)
        except FileExistsError:
            return False
        return True

    @override
    def is_complete(self, recording: str) -> bool:
        return self._file(recording, "complete").exists()

    @override
    @contextmanager
    def fetched(self, recording: str) -> Iterator[Path]:
        if not self.is_complete(recording):
            raise _incomplete(self.place, recording)
        yield self._file(recording, "zip")

    @override
    def complete_ones(self) -> Iterator[str]:
        yield from sorted(path.stem for path in Path(self.place).glob("*.complete") if _ID.match(path.stem))

    def _file(self, recording: str, kind: str) -> Path:
        return Path(self.place) / f"{named(recording)}.{kind}"


class Bucket(Objects):
    """A bucket, or a prefix in one: `ID/ID.zip`, with run.json and seal.jsonl beside it for inspection, and
    `ID/COMPLETE`."""

    def __init__(self, place: str) -> None:
        self.place = place

    @cached_property
    def _store(self) -> ObjectStore:
        try:
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ModuleNotFoundError:
            raise UserError(
                Spoken("Recordings in {place} need obstore.", place=self.place), how_to_install("fleet")
            ) from None
        options: Any = {"client_options": _CLIENT, "retry_config": _RETRY}
        if self.place.startswith("s3:") and os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
            options["client_options"] = {**_CLIENT, "allow_http": True}
        try:
            return from_url(self.place, **options)
        except (BaseError, ValueError) as error:
            raise UserError(
                Spoken("{place} cannot be used: {error}.", place=self.place, error=_first(error)),
                "Check the address and the environment.",
            ) from None

    @override
    def put(self, recording: str, packed: Path) -> None:
        import obstore

        beside = {name: archive.member(packed, name) for name in (RUN, SEAL)}
        with self._asked(recording):
            for name, data in beside.items():
                obstore.put(self._store, f"{named(recording)}/{name}", data)
            obstore.put(self._store, self._archive(recording), packed, chunk_size=_PART_BYTES, max_concurrency=4)

    @override
    def digest(self, recording: str) -> str:
        import obstore

        digest = hashlib.sha256()
        with self._asked(recording):
            for block in obstore.get(self._store, self._archive(recording)).stream(_PART_BYTES):
                digest.update(block)
        return digest.hexdigest()

    @override
    def complete(self, recording: str) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._asked(recording):
            try:
                obstore.put(self._store, f"{named(recording)}/{COMPLETE}", b"", mode="create")
            except AlreadyExistsError:
                return False
        return True

    @override
    def is_complete(self, recording: str) -> bool:
        import obstore

        with self._asked(recording):
            try:
                obstore.head(self._store, f"{named(recording)}/{COMPLETE}")
            except FileNotFoundError:
                return False
        return True

    def version(self, recording: str) -> str:
        """A text that identifies the version of the archive; it changes when lines are forgotten."""
        import obstore

        with self._asked(recording):
            held = obstore.head(self._store, self._archive(recording))
            return f"{held['e_tag']} {held['last_modified']} {held['size']}"

    @override
    @contextmanager
    def fetched(self, recording: str) -> Iterator[Path]:
        import obstore

        if not self.is_complete(recording):
            raise _incomplete(self.place, recording)
        with private_files.Temporary() as room:
            packed = archive.Fetched(room / f"{recording}.zip", f"{self.place}/{recording}")
            with self._asked(recording):
                got = obstore.get(self._store, self._archive(recording))
                size = got.meta["size"]
                if not files.has_room(room, size):
                    raise UserError(
                        Spoken("{url} does not fit on the disk: {size:,} bytes.", url=packed.url, size=size),
                        "Make room, or set TMPDIR.",
                    )
                with packed.open("xb") as file:
                    for block in got.stream(_PART_BYTES):
                        file.write(block)
            yield packed

    @override
    def complete_ones(self) -> Iterator[str]:
        import obstore

        with self._asked():
            for some in obstore.list(self._store):
                paths = (each["path"].partition("/") for each in some)
                yield from (name for name, _, rest in paths if rest == COMPLETE and _ID.match(name))

    def _archive(self, recording: str) -> str:
        return f"{named(recording)}/{recording}.zip"

    @contextmanager
    def _asked(self, recording: str = "") -> Iterator[None]:
        """Turn errors of the object store into StoreError with an explanation."""
        _ = self._store
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        place = f"{self.place}/{recording}"
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError):
            raise StoreError(
                Spoken("{place} may not be used with the credentials in the environment.", place=place),
                "Set those of an account that may read and write there.",
            ) from None
        except (BaseError, FileNotFoundError) as error:
            raise StoreError(
                Spoken("{place} cannot be reached: {error}.", place=place, error=_first(error)),
                "Is the address right, and the store up?",
            ) from None


def _first(error: Exception) -> str:
    """A library's error message without its dump of internal state."""
    return re.sub(r"\s+", " ", str(error).partition("Debug source")[0]).strip()[:300].rstrip(".")


def is_name(recording: str) -> bool:
    """Whether a text can be the name of a recording, and so of a file or folder."""
    return _ID.match(recording) is not None


def named(recording: str) -> str:
    """The name of a recording, unchanged. Raises UserError for anything else, such as a path."""
    if not is_name(recording):
        raise UserError(
            Spoken("{recording!r} is not the name of a recording.", recording=recording),
            "Name one that `appwitness fleet` made.",
        )
    return recording


def _incomplete(place: str, recording: str) -> UserError:
    return UserError(
        Spoken("There is no complete recording {recording} in {place}.", recording=recording, place=place),
        "Name one whose upload is complete.",
    )
