"""The folder of one run: appends and reads lines by kind, bodies by digest, run.json, stamps."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import re
import secrets
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from pydantic import ValidationError

from appwitness.events import FILES, Event, Line, Ref, Run, kind_of, salt, salted
from appwitness.events.seen import Seen, holds
from appwitness.recording import files
from appwitness.recording.lines import START, Appender, Position, ReadLine, read_lines
from appwitness.recording.seal import BODIES, RUN, SEAL, TOKENS, Before, Forgotten, Sealer, first_key, sync_folder
from appwitness.recording.signing import Signer, fingerprint
from appwitness.recording.tombstones import holed, remove
from appwitness.support import private_files
from appwitness.support.errors import FileError, UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:
    from appwitness.recording.archive import Unpacked

POLL_S = 0.01
ACTIVE_POLL_S = 0.001
"""Polling interval while lines are coming in."""
ACTIVE_S = 0.5
"""How long after the last new line ACTIVE_POLL_S applies."""
HELD_BYTES = 8 << 20
"""Largest body that is read into memory; larger ones are memory-mapped."""
BATCH_LINES = 1000
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_SNAPSHOT = ("upload", *(kind for kind in FILES if kind != "upload"))
"""Order in which `follow` notes the ends of the files: uploads.jsonl first, so that whatever was written before an
upload is read before it."""


def _now() -> datetime:
    return datetime.now(UTC)


class Recording:
    """One run on disk. Safe for use from several threads, and from several processes if each has its own Recording."""

    def __init__(
        self,
        path: Path | str,
        clock: Callable[[], datetime] = _now,
        signer: Signer | None = None,
        archive: Unpacked | None = None,
    ) -> None:
        if not isinstance(path, Path):
            path = Path(path)
        if archive is None and path.is_file():
            from appwitness.recording.archive import unpacked

            archive = unpacked(path)
            path = archive.path
        self.path = path
        """The folder that holds its files."""
        self._folder = os.fspath(path)  # for calls made a thousand times a second
        self.place = archive.name if archive else str(path)
        """The path that names it: for an archive, the archive's rather than that of the folder it is unpacked to."""
        self.archive = archive
        self._clock = clock
        self._signer = signer
        self._appenders: dict[tuple[int, str], Appender] = {}
        self._sealers: dict[int, Sealer] = {}
        self._opening = threading.Lock()

    @classmethod
    def create(
        cls, path: Path, run: Run, *, clock: Callable[[], datetime] = _now, signer: Signer | None = None
    ) -> Recording:
        """A new, private recording with its first stamp, in a folder that does not exist or is empty.

        The `signer` signs each stamp. Raises UserError when the folder is not empty or cannot be made, and when the
        signer's key cannot be used.
        """
        path = Path(path)
        try:
            private_files.folder(path)
            if any(path.iterdir()):
                raise UserError(
                    Spoken("{path} is not empty.", path=path), "Name a new folder; a recording is never written over."
                )
            path.chmod(0o700)
            (path / BODIES).mkdir(mode=0o700)
            for name in (*FILES.values(), SEAL):
                os.close(os.open(path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            recording = cls(path, clock, signer)
            recording._replace_run(_run_bytes(run))
        except OSError as error:
            raise UserError(
                Spoken("{path} cannot be made: {strerror}.", path=path, strerror=error.strerror),
                "Name a folder that you may write to.",
            ) from None
        recording.stamp()
        return recording

    @classmethod
    def open(cls, path: Path | str, *, clock: Callable[[], datetime] = _now, signer: Signer | None = None) -> Recording:
        """An existing recording, live or finished, or an archive of one, which is read-only.

        Raises UserError when it is neither.
        """
        if not isinstance(path, Path):
            path = Path(path)
        if path.is_file():
            recording = cls(path, clock, signer)
        elif not path.is_dir():
            raise UserError(
                Spoken("There is no folder {path}.", path=path), "Name the folder of a recording, where run.json is."
            )
        elif not os.path.lexists(path / RUN):
            raise UserError(
                Spoken("{path} is not a recording: it has no {run}.", path=path, run=RUN),
                "Name the folder where run.json is.",
            )
        else:
            recording = cls(path, clock, signer)
        _ = recording.run
        return recording

    def unpacked(self) -> Recording:
        """The folder that an archive was unpacked to, which exists as long as this recording is held; a recording
        that is a folder returns itself."""
        return Recording(self.path, self._clock, self._signer) if self.archive else self

    def close(self) -> None:
        """Close the open files; the recording can still be used."""
        with self._opening:
            for appender in self._appenders.values():
                appender.close()
            for sealer in self._sealers.values():
                sealer.close()
            self._appenders.clear()
            self._sealers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    # run.json

    @property
    def run(self) -> Run:
        """run.json as it is now. Raises FileError when it does not fit the contract."""
        path = self.path / RUN
        try:
            return Run.model_validate_json(files.whole(self.path, RUN, most=files.RUN_BYTES))
        except FileNotFoundError:
            raise FileError(path, None, "is missing.", "Put the original file back.") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise FileError(
                path, None, Spoken("{where}: {first}.", where=where, first=first["msg"]), "Put the original file back."
            ) from None
        except OverflowError:
            raise FileError(
                path, None, "has a time that is beyond the years that UTC can express.", "Put the original file back."
            ) from None

    def update_run(self, **changes: Any) -> Run:
        """Change fields of run.json in one step: a reader sees the old file or the new one.

        A stamp that names both digests is written first, so that a run killed in between still verifies.
        """
        sealer = self._sealer()
        with sealer.locked():
            run = Run.model_validate({**self.run.model_dump(), **changes})
            data = _run_bytes(run)
            sealer.stamp(final=run.ended is not None, next_run=hashlib.sha256(data).hexdigest())
            self._replace_run(data)
        return run

    def _replace_run(self, data: bytes) -> None:
        _write_new(self.path, RUN, data=data, sync=True)
        sync_folder(self.path)

    # lines

    def append(self, event: Event) -> Ref:
        """Append an event to the file of its kind; returns its ref once the operating system has the whole line."""
        return self.append_all((event,))[0]

    def append_all(self, events: Iterable[Event]) -> list[Ref]:
        """Append events, each to the file of its kind, with one write for each file; returns their refs in the given
        order.

        Raises FileError when a file could not be written, for example because the disk is full.
        """
        events = tuple(events)
        by_kind: dict[str, list[tuple[int, bytes]]] = {}
        for index, (event, line) in enumerate(zip(events, salted(events), strict=True)):
            by_kind.setdefault(event.kind, []).append((index, line))
        refs = [""] * len(events)
        for kind, numbered in by_kind.items():
            first = self._appender(kind).append([line for _, line in numbered])
            for number, (index, _) in enumerate(numbered, first):
                refs[index] = f"{FILES[kind]}:{number}"
        return refs

    def read(
        self, kind: str, after: Position | None = None, *, until: int | None = None, finished: bool | None = None
    ) -> Iterator[ReadLine]:
        """The whole lines of one kind after a position, in order, including those that do not parse.

        A last line without newline is still being written and is left for later. In a recording that is `finished`
        (default: whether run.json says when it ended) it is read like any other line; most likely it does not parse.
        """
        if finished is None:
            finished = self.run.ended is not None
        return read_lines(self.path / FILES[kind], kind, after or START, until=until, finished=finished)

    def events[Kind: Line](self, kind: type[Kind]) -> Iterator[Kind]:
        """All events of one kind that parse, in order: `recording.events(Upload)`."""
        return (event for read in self.read(kind_of(kind)) if isinstance(event := read.event, kind))

    def seen[Kind: Event](self, kind: type[Kind]) -> Iterator[Seen[Kind]]:
        """All events of one kind that parse, with their refs and their times on the host's clock, including an
        unfinished last line."""
        run = self.run
        for read in self.read(kind_of(kind), finished=True):
            if (seen := read.seen(run.clock_offset_ms)) and holds(seen, kind):
                yield seen

    def follow(self, after: Mapping[str, Position], stop: Callable[[], bool]) -> Iterator[list[ReadLine]]:
        """New lines of all files in batches as they appear, each file in order; an empty batch after each poll without
        news.

        Everything that was in the recording before an upload is delivered no later than that upload. After `stop()`,
        lines that exist by then are still delivered, including unfinished last lines if the run has ended.
        """
        positions = {kind: after.get(kind, START) for kind in FILES}
        active_until = 0.0
        while True:
            stopping = stop()
            idle = True
            for batch in self._drain(positions, finished=stopping and self.run.ended is not None):
                idle = False
                yield batch
            if stopping:
                return
            if idle:
                yield []
                time.sleep(ACTIVE_POLL_S if time.monotonic() < active_until else POLL_S)
            else:
                active_until = time.monotonic() + ACTIVE_S

    def _drain(self, positions: dict[str, Position], *, finished: bool) -> Iterator[list[ReadLine]]:
        ends = {kind: self._size(kind) for kind in _SNAPSHOT}
        batch: list[ReadLine] = []
        for kind in (*_SNAPSHOT[1:], "upload"):
            if ends[kind] <= positions[kind].offset:
                continue
            path = self.path / FILES[kind]
            for read in read_lines(path, kind, positions[kind], until=ends[kind], finished=finished):
                positions[kind] = read.position
                batch.append(read)
                if len(batch) >= BATCH_LINES:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _size(self, kind: str) -> int:
        try:
            return os.lstat(f"{self._folder}/{FILES[kind]}").st_size
        except FileNotFoundError:
            return 0

    # bodies

    def body_path(self, sha256: str) -> Path:
        """The path of the body with that digest, whether or not it exists. Raises ValueError if it is not a digest."""
        if not _DIGEST.match(sha256):
            raise ValueError(f"not a sha256 in hex: {sha256!r}")
        return self.path / BODIES / sha256

    def put_body(self, data: bytes) -> str:
        """Store bytes under their digest, whole or not at all; returns the digest. Storing them again changes
        nothing."""
        name = hashlib.sha256(data).hexdigest()
        with suppress(FileNotFoundError), files.folder(self.path, BODIES) as bodies:
            held = os.stat(name, dir_fd=bodies, follow_symlinks=False)
            if stat.S_ISREG(held.st_mode) and held.st_size == len(data):
                return name
        self._put(BODIES, name, data)
        return name

    def put_token(self, name: str, data: bytes) -> None:
        """Store a time-stamp token over a stamp, whole or not at all."""
        self._put(TOKENS, name, data)

    def _put(self, below: str, name: str, data: bytes) -> None:
        self._see_that_it_grows()
        path = self.path / below / name
        try:
            with suppress(FileExistsError):
                path.parent.mkdir(mode=0o700)
            _write_new(self.path, below, name, data=data)
        except OSError as error:
            raise FileError(
                path,
                None,
                Spoken("could not be written: {strerror}.", strerror=error.strerror),
                "Make room and try again.",
            ) from error

    def body(self, sha256: str) -> bytes | None:
        """The bytes with that digest; None when there is no such file or it is not a regular one."""
        with self._body(sha256) as file:
            return file.read() if file else None

    def body_view(self, sha256: str) -> bytes | mmap.mmap | None:
        """Like `body`, but a large body is memory-mapped."""
        with self._body(sha256) as file:
            if file is None or os.fstat(file.fileno()).st_size <= HELD_BYTES:
                return file.read(HELD_BYTES + 1) if file else None
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    @contextmanager
    def _body(self, sha256: str) -> Iterator[BinaryIO | None]:
        try:
            file = files.reading(self.path, BODIES, self.body_path(sha256).name)
        except (FileNotFoundError, files.NotAFile, ValueError):
            yield None
            return
        with file:
            yield file

    def scratch(self, blocks: Iterable[bytes]) -> bytes | mmap.mmap:
        """Blocks joined in an unnamed, memory-mapped file, which disappears with its last user; empty bytes if they are
        empty."""
        with tempfile.TemporaryFile(
            dir=private_files.roomy()
        ) as file:  # nothing is written into a recording while it is read
            for block in blocks:
                file.write(block)
            file.flush()
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if file.tell() else b""

    # stamps

    @property
    def sealed(self) -> bool:
        """Whether there are stamps; a folder that was put together by hand has none."""
        return os.path.lexists(self.path / SEAL)

    @property
    def begun_by(self) -> str | None:
        """Fingerprint of the key that signed the first stamp; None when there is no stamp or it is unsigned."""
        return first_key(self.path)

    @property
    def signs_as(self) -> str | None:
        """Fingerprint of the key that signs new stamps; None when they are not signed."""
        return fingerprint(self._signer.public) if self._signer else None

    def stamp(self, final: bool = False) -> None:
        """Append a stamp over all whole lines to seal.jsonl, after syncing them to disk; costs only what is new."""
        self._sealer().stamp(final=final)

    def forget(
        self,
        lines: Mapping[str, Collection[int]],
        bodies: Collection[str] = (),
        run: Run | None = None,
        *,
        before: Before,
        reason: str | None = None,
    ) -> Forgotten:
        """Irreversibly replace lines (kind -> numbers) by tombstones, remove files of bodies/, and replace run.json.

        A stamp that says so is written first. If the process is killed in between, `verify` names what is left over,
        and calling this again completes it. Raises UserError, with nothing done, when the key cannot be used.
        """
        self._see_that_it_grows()
        data = None if run is None else _run_bytes(run)
        sealer = self._sealer() if self.sealed else None
        with sealer.locked() if sealer else nullcontext():
            made = [holed(self.path, kind, gone) for kind, gone in lines.items()]
            what = Forgotten(
                lines={each.name: each.forgotten for each in made}, bodies=len(bodies), before=before, reason=reason
            )
            if sealer:
                try:
                    sealer.forget(
                        what,
                        {each.name: each.stamp for each in made},
                        hashlib.sha256(data).hexdigest() if data else None,
                        final=self.run.ended is not None,
                    )
                except UserError:
                    remove(self.path, ())
                    raise
            for each in made:
                each.put(self.path)
            remove(self.path, bodies)
            if data:
                self._replace_run(data)
        self.close()
        return what

    @contextmanager
    def sealing(self, every_s: float = 5.0) -> Iterator[None]:
        """Stamp at this interval in seconds, in a separate thread, and once more at the end."""
        done = threading.Event()

        def run() -> None:
            while not done.wait(every_s):
                with suppress(UserError, OSError):  # retried after the interval; the stamp at the end raises
                    self.stamp()

        thread = threading.Thread(target=run, name="sealing", daemon=True)
        with files.folder(self.path) as here:
            with suppress(OSError):  # a disk without locks: nobody can tell whether the run is going on
                fcntl.flock(here, fcntl.LOCK_SH | fcntl.LOCK_NB)
            thread.start()
            try:
                yield
            finally:
                done.set()
                thread.join()
                self.stamp()

    @property
    def going_on(self) -> bool:
        """Whether a process is recording here now; a killed process does not count."""
        with files.folder(self.path) as here:
            try:
                fcntl.flock(here, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                pass
        return False

    def note(self, event: Event) -> Ref:
        """Append a person's mark. A mark made after the end of the run is stamped at once, separately from the run.

        What the run itself stamped stays unchanged: everything after the stamp that ended the run was noted later, and
        `verify` says so.
        """
        if self.run.ended is None or not self.sealed:
            return self.append(event)
        sealer = self._sealer()
        with sealer.locked():
            ref = self.append(event)
            sealer.stamp(final=True)
        return ref

    def _see_that_it_grows(self) -> None:
        if self.archive:
            first = f"appwitness pack {self.place}, then unzip" if self.archive.encrypted else f"unzip {self.place}"
            raise UserError(
                Spoken("{place} is an archive, to which nothing can be added.", place=self.place),
                Spoken("Unpack it first: {first}.", first=first),
            )

    @property
    def is_encrypted(self) -> bool:
        """Whether it is read from an encrypted archive."""
        return self.archive is not None and self.archive.encrypted

    # open files belong to one process: a lock shared with a forked child would exclude nobody

    def _appender(self, kind: str) -> Appender:
        self._see_that_it_grows()
        key = (os.getpid(), kind)
        appender = self._appenders.get(key)
        if appender is None:
            with self._opening:
                appender = self._appenders.get(key) or Appender(self.path / FILES[kind])
                self._appenders[key] = appender
        return appender

    def _sealer(self) -> Sealer:
        self._see_that_it_grows()
        key = os.getpid()
        with self._opening:
            sealer = self._sealers.get(key) or Sealer(self.path, self._clock, self._signer)
            self._sealers[key] = sealer
        return sealer


def _run_bytes(run: Run) -> bytes:
    """run.json as bytes, with a new salt each time: stamps contain its digest, which must not reveal forgotten
    values."""
    return f'{run.model_dump_json(indent=1)[:-2]},\n "salt": "{salt()}"\n}}\n'.encode()


def _write_new(path: Path, *names: str, data: bytes, sync: bool = False) -> None:
    """Write a private file as a whole: under a temporary name first, then renamed."""
    *above, name = names
    temporary = f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    with files.folder(path, *above) as folder:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
