"""Stamps in seal.jsonl: the state of every file of a recording at a moment, each chained to the one before."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, ValidationError

from appwitness.events import FILES, DeviceImage, ObtainedApp, Record, Run, Sha256, Time
from appwitness.recording import files
from appwitness.recording.lines import Appender, raw_lines
from appwitness.recording.signing import Signature, Signer, signature
from appwitness.support.errors import DamagedRecording, FileError, UserError
from appwitness.support.spoken import Spoken

SEAL = "seal.jsonl"
RUN = "run.json"
BODIES = "bodies"
TOKENS = "tokens"
LINE_DIGEST = 16
"""Hex digits of each sha256 in `FileStamp.added`, the form used by older stamps."""
MOST_LINES = 100_000
"""Maximum number of new lines of one file that one stamp lists; if there are more, another stamp follows at once."""

MAX_STAMP_BYTES = 64 << 20
"""Longest line of seal.jsonl that is read as a stamp: with MOST_LINES of each file a stamp has 58 MB."""
MAX_PARTS = 10_000
"""Maximum number of commas and brackets in a line of seal.jsonl; a line with more is no stamp, and is not parsed."""

_NAMED_BODY = re.compile(rb'"(?:body|tree|image|film)"\s*:\s*"([0-9a-f]{64})"')
_OWN_DIGEST = re.compile(rb',"digest":"([0-9a-f]{64})"\}\n?\Z')
_SIGNATURE = re.compile(rb',"signature":\{"key":"[^"]{44}","value":"[^"]{88}"\},"digest":"[0-9a-f]{64}"\}\n?\Z')


class FileStamp(Record):
    """The state of one file: whole lines only."""

    lines: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: Sha256 = Field(description="digest of all these bytes")
    digests: str = Field(
        default="", description="for each line since the stamp before: its sha256 in hex, newline included"
    )
    added: str = Field(default="", description="the same in stamps of before: 16 hex digits of each")

    @property
    def listed(self) -> tuple[int, int, str]:
        """The first line listed, the number of hex digits of each digest, and all the digests as one string."""
        text, width = (self.digests, 64) if self.digests else (self.added, LINE_DIGEST)
        return self.lines - len(text) // width + 1, width, text


class RunStamp(Record):
    """The state of run.json, the only file that is replaced: its digest now, and the digest it is about to have."""

    sha256: Sha256
    next: Sha256 | None = Field(
        default=None, description="stamped just before run.json is replaced; from then on either of the two is right"
    )


MADE_BY = ("operator", "case", "place", "equipment", "obtained", "image")
"""Fields of run.json that the operator states: by whom, for what, where and with what the run was made."""


class Binds(Record):
    """What the first stamp records of the run, so that no other run can be put in its place later."""

    nonce: str = Field(description="random, so that no two runs begin alike")
    id: str = Field(description="ID of the run")
    package: str
    apk_sha256: str | None = Field(default=None, description="digest of the app's APK; null: not known yet")
    versions: Mapping[str, str | None] = Field(default_factory=dict, description="as run.json had them then")
    operator: str | None = None
    case: str | None = None
    place: str | None = None
    equipment: str | None = None
    obtained: ObtainedApp | None = None
    image: DeviceImage | None = None

    @classmethod
    def of(cls, run: Run, nonce: str) -> Binds:
        """The binding of a run, as far as its values are known."""
        app = run.app
        return cls(
            nonce=nonce,
            id=run.id,
            package=app.package,
            apk_sha256=app.apk_sha256,
            versions=run.versions,
            **{name: getattr(run, name) for name in MADE_BY},
        )

    def differs(self, run: Run) -> str | None:
        """The first field of run.json that has changed; None when none has. A value that was not known may be added."""
        now = Binds.of(run, self.nonce)
        if self.id != now.id:
            return "id"
        if self.package != now.package:
            return "app.package"
        if self.apk_sha256 not in {None, now.apk_sha256}:
            return "app.apk_sha256"
        for name in MADE_BY:
            if getattr(self, name) not in {None, getattr(now, name)}:
                return name
        return next((f"versions.{name}" for name, was in self.versions.items() if now.versions.get(name) != was), None)


Before = Literal["intact", "intact_up_to", "altered"]


class Forgotten(Record):
    """Content that earlier stamps cover and that was then forgotten: lines became tombstones, bodies were removed."""

    lines: dict[str, int] = Field(description="file -> how many of its lines")
    bodies: int = Field(description="how many files of bodies/")
    before: Before = Field(description="whether the recording was what its stamps say until then")
    reason: str | None = None


class Stamp(Record):
    """One line of seal.jsonl; in the file one more field follows, `digest`: sha256 of the line up to the comma
    before it."""

    v: Literal[1] = 1
    kind: Literal["stamp"] = "stamp"
    at: Time
    final: bool = Field(default=False, description="the run has ended")
    previous: Sha256 | None = Field(description="sha256 of the whole line of the stamp before, newline included")
    files: dict[str, FileStamp]
    run: RunStamp
    binds: Binds | None = Field(default=None, description="in the first stamp")
    forgotten: Forgotten | None = Field(default=None, description="what is no longer there from this stamp on")
    signature: Signature | None = Field(default=None, description="the last field before `digest`")


def write(stamp: Stamp, signer: Signer | None = None) -> bytes:
    """A stamp as a line, without newline. Raises UserError when the key cannot be used."""
    left_out: dict[str, Any] = {"files": {"__all__": {"added"}}}
    left_out |= {name: True for name in ("binds", "forgotten", "signature") if getattr(stamp, name) is None}
    text = stamp.model_dump_json(exclude=left_out).encode()[:-1]
    if signer is not None:
        text += f',"signature":{signature(signer, text).model_dump_json()}'.encode()
    return text + f',"digest":"{hashlib.sha256(text).hexdigest()}"}}'.encode()


def signed_part(raw: bytes) -> bytes | None:
    """The part of a stamp's line that its signature covers, besides its context; None when the line does not end
    with a signature."""
    found = _SIGNATURE.search(raw)
    return raw[: found.start()] if found else None


def read(raw: bytes) -> Stamp | None:
    """Parse a line as a stamp; None if it is not one or was changed since it was written."""
    own = _OWN_DIGEST.search(raw)
    if own is None or hashlib.sha256(raw[: own.start()]).hexdigest() != own[1].decode():
        return None
    if sum(raw.count(part) for part in (b",", b"[", b"{")) > MAX_PARTS:
        return None
    try:
        return Stamp.model_validate_json(raw)
    except (ValidationError, OverflowError):
        return None


def link(raw: bytes) -> str:
    """The digest by which the next stamp refers to this stamp's line."""
    return hashlib.sha256(raw.removesuffix(b"\n") + b"\n").hexdigest()


def named_bodies(raw: bytes) -> list[str]:
    """The bodies that a line refers to (quotes inside JSON strings are escaped, so text cannot imitate a reference)."""
    return [name.decode() for name in _NAMED_BODY.findall(raw)]


class _Tail:
    """The running digest of one file, so that a stamp costs only what is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.recent: list[str] = []
        """Digests of the last lines, at least of those that no stamp, ours or another process's, covers yet."""
        self.behind = False
        """Whether there are more new lines than one stamp lists."""

    def advance(self, sealed: int) -> list[str]:
        """Read the whole lines that were added; returns the bodies that they refer to. The first `sealed` lines are
        stamped."""
        bodies: list[str] = []
        self.behind = False
        try:
            file = files.reading(self.path.parent, self.path.name)
        except FileNotFoundError:
            return bodies
        with file:
            file.seek(self.bytes)
            before = self.bytes
            running = self.digest.copy()
            for raw in raw_lines(file, running):
                self.behind = raw.whole and self.lines >= sealed + MOST_LINES
                if self.behind or not raw.whole:
                    break
                self.digest = running.copy()
                if self.lines >= sealed:
                    self.recent.append(raw.sha256)
                self.lines += 1
                self.bytes += raw.size
                bodies += named_bodies(raw.head)
            if self.bytes > before:
                os.fsync(file.fileno())
        return bodies

    def stamp(self, sealed: int) -> FileStamp:
        """The state of the file, with the digests of the lines after the first `sealed`."""
        new = self.recent[max(0, sealed - (self.lines - len(self.recent))) :]
        return FileStamp(lines=self.lines, bytes=self.bytes, sha256=self.digest.hexdigest(), digests="".join(new))


class Sealer:
    """Stamps one recording; several processes may do so, one at a time."""

    def __init__(self, folder: Path, clock: Callable[[], datetime], signer: Signer | None = None) -> None:
        self.folder = folder
        self.clock = clock
        self.signer = signer
        self._file = Appender(folder / SEAL)
        self._tails = {name: _Tail(folder / name) for name in FILES.values()}
        self._read = 0
        self._last: Stamp | None = None
        self._previous: str | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process and thread from stamping and from replacing run.json."""
        with self._file.locked():
            yield

    def stamp(self, *, final: bool = False, next_run: str | None = None) -> None:
        """Append a stamp over everything that is in the recording now, signed if there is a key.

        Raises UserError when the key cannot be used for the first stamp; a later one is then left unsigned, and
        `verify` says so.
        """
        with self.locked():
            self._advance()
            while any(tail.behind for tail in self._tails.values()):
                self._append()
                self._advance()
            self._append(final=final, next_run=next_run)

    def forget(
        self, forgotten: Forgotten, instead: Mapping[str, FileStamp], next_run: str | None, *, final: bool
    ) -> None:
        """Append a stamp over the future state of files in which lines are forgotten. The caller must hold the lock,
        and replace the files at once.

        Raises UserError when the key cannot be used: every hole must be covered by a signature.
        """
        self._advance()
        if any(tail.lines > self._sealed(name) for name, tail in self._tails.items()):
            self.stamp(final=final)  # lines are stamped before they are forgotten, so that tombstones can be checked
        self._append(final=final, next_run=next_run, forgotten=forgotten, instead=instead)

    def _advance(self) -> None:
        """Read everything that was added since the last call, and sync it to disk."""
        self._catch_up()
        self._sync([name for file, tail in self._tails.items() for name in tail.advance(self._sealed(file))])

    def _sealed(self, name: str) -> int:
        """The number of lines of a file that are stamped."""
        return self._last.files[name].lines if self._last and name in self._last.files else 0

    def _append(
        self,
        *,
        final: bool = False,
        next_run: str | None = None,
        forgotten: Forgotten | None = None,
        instead: Mapping[str, FileStamp] = MappingProxyType({}),
    ) -> None:
        held = {name: tail.stamp(self._sealed(name)) for name, tail in self._tails.items()}
        stamp = Stamp(
            at=self.clock(),
            final=final,
            previous=self._previous,
            files={**held, **instead},
            run=RunStamp(sha256=self._run_digest(), next=next_run),
            binds=None if self._last else self._binds(),
            forgotten=forgotten,
        )
        self._file.append([self._line(stamp)])
        self._file.sync()
        self._catch_up()
        for tail in self._tails.values():
            tail.recent.clear()

    def close(self) -> None:
        """Close seal.jsonl."""
        self._file.close()

    def _line(self, stamp: Stamp) -> bytes:
        try:
            return write(stamp, self.signer)
        except UserError:
            if stamp.previous is None or stamp.forgotten:
                raise
            return write(stamp)

    def _binds(self) -> Binds | None:
        try:
            run = Run.model_validate_json(files.whole(self.folder, RUN, most=files.RUN_BYTES))
        except (ValidationError, OverflowError):
            return None
        return Binds.of(run, secrets.token_hex(16))

    def _run_digest(self) -> str:
        try:
            with files.reading(self.folder, RUN) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise DamagedRecording(
                Spoken("{folder} is missing.", folder=self.folder / RUN), "Put the original file back."
            ) from None

    def _catch_up(self) -> None:
        """Read the stamps, ours and others', that were appended since the last call."""
        with files.reading(self.folder, SEAL) as file:
            file.seek(self._read)
            for raw in raw_lines(file, hashlib.sha256(), MAX_STAMP_BYTES):
                stamp = read(raw.head) if raw.size <= MAX_STAMP_BYTES else None
                if stamp is not None:
                    self._last, self._previous = stamp, link(raw.head)
                    for name in stamp.forgotten.lines if stamp.forgotten else ():
                        self._tails[name] = _Tail(self.folder / name)  # it was replaced: count it anew
                if raw.whole:
                    self._read += raw.size

    def _sync(self, bodies: list[str]) -> None:
        """Sync bodies to disk before a stamp covers the lines that refer to them."""
        for name in dict.fromkeys(bodies):
            try:
                fd = files.opened(self.folder, BODIES, name)
            except (FileNotFoundError, files.NotAFile):
                continue
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        for below in ((BODIES,), ()) if bodies else ():
            sync_folder(self.folder, *below)


def first_key(folder: Path) -> str | None:
    """Fingerprint of the key that signed a recording's first stamp; None when there is no stamp or it is unsigned."""
    stamp = read(_first_line(folder))
    return stamp.signature.fingerprint if stamp and stamp.signature else None


def first_stamp(folder: Path) -> str | None:
    """The digest of a recording's first stamp, unique to its run; None when there is none."""
    line = _first_line(folder)
    return link(line) if read(line) else None


def _first_line(folder: Path) -> bytes:
    with suppress(FileNotFoundError, FileError), files.reading(folder, SEAL) as file:
        return file.readline(MAX_STAMP_BYTES)
    return b""


def sync_folder(path: Path, *names: str) -> None:
    """Sync a folder's entries to disk."""
    with suppress(FileNotFoundError, files.NotAFile), files.folder(path, *names) as fd:
        os.fsync(fd)
