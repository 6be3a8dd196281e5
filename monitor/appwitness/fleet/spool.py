"""Recordings waiting for upload, packed on the host's own disk until the store has them.

A device is free as soon as its recording is packed. While the store is unreachable, recordings wait here, up to a size
limit; after a kill, the host continues with those that it finds. A marker file shows that a host began a recording
here; a recording without one is somebody else's, and is neither uploaded nor touched.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock
from typing import NamedTuple

from appwitness.fleet.commits import digest_of, last_stamp, run_of
from appwitness.fleet.objects import Objects, is_name, named
from appwitness.recording import Recording, files, packing
from appwitness.store.fleet_tables import CommittedRecording, HeldLease, LeasedRun
from appwitness.store.runs import Runs
from appwitness.support import private_files
from appwitness.support.errors import DiskFullError, StoreError, UserError
from appwitness.support.spoken import Spoken

log = logging.getLogger(__name__)

MOST_BYTES = 20 << 30
LONGEST_WAIT_S = 30.0
"""Seconds between attempts while the store is unreachable."""
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?<!\.lock)\Z")
"""The name of a host, also the name of its folder; its lock file is beside that folder."""
BEGUN, DAMAGED = ".begun", ".damaged"
"""Suffixes of a recording's marker file, and of an archive that is set aside."""


def folder_of(host: str, spools: Path) -> Path:
    """The spool folder of a host on this machine. Raises UserError for a name that could lead elsewhere."""
    if not HOST.match(host):
        raise UserError(
            Spoken("{host!r} cannot be the name of a host.", host=host),
            "Give it another with --name: up to 100 letters, digits, dots, hyphens and underscores, beginning with "
            "a letter or digit, not ending with .lock.",
        )
    return spools / host


class SpooledRecording(NamedTuple):
    """A recording that waits for upload."""

    lease: str
    """The lease of its run."""
    device: str
    """The device that recorded it."""
    digest: str = ""
    """SHA-256 of its archive; empty until it is packed."""
    stamp: str | None = None
    """SHA-256 of its last stamp; None when it was never stamped."""


class Spool:
    """The folder in which a host records runs, and from which recordings are uploaded to `objects`, the oldest
    first."""

    def __init__(self, folder: Path, objects: Objects, most_bytes: int = MOST_BYTES, index: str = "") -> None:
        """`index`: the host's database, in the form in which messages may name it."""
        self.folder = folder
        self._index = index
        self._objects = objects
        self._most = most_bytes
        self._finished: dict[str, SpooledRecording] = {}
        """Recordings that are finished but not uploaded."""
        self._packs = Lock()
        """Held while the record of a finished recording changes."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the folder, and remove what a killed host left unfinished. Raises UserError when another host holds
        it."""
        private_files.folder(self.folder)
        with self.folder.with_name(f"{self.folder.name}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    Spoken("Another host of this machine uses {folder}.", folder=self.folder),
                    "Give this one another name: --name.",
                ) from None
            begun = self._begun()
            for recording in begun:
                folder, noted = self.folder / recording, self._noted(recording)
                if noted and (self._file(recording).exists() or not noted.digest):
                    self._finished[recording] = noted
                    if noted.digest:
                        self.drop(recording)  # killed after packing it, before removing the rest
                elif not folder.is_dir() or not Recording(folder).going_on:  # a run may outlive its host and go on
                    self.drop(recording)
            known = {name for each in begun for name in (each, f"{each}.zip", f"{each}.log", _mark(each))}
            others = [path for path in self.folder.iterdir() if path.name not in known and path.suffix != DAMAGED]
            if others:
                log.warning(
                    "%s: files and folders left alone because no host created them: %d", self.folder, len(others)
                )
            self._tell_of_others()
            yield

    def _tell_of_others(self) -> None:
        """Log a warning about recordings that wait in the folder of a host that is not running."""
        for folder in sorted(self.folder.parent.iterdir()):
            if folder == self.folder or not folder.is_dir() or not HOST.match(folder.name):
                continue
            other = Spool(folder, self._objects)
            waiting = sum(map(other._waits, other._begun()))
            if waiting and not _is_held(folder):
                options = ["--recordings", self._objects.place, *(["--db", self._index] if self._index else [])]
                log.warning(
                    "Recordings that wait in the spool of the host %s, which does not run: %d. Until Ctrl-C, they are "
                    "delivered by: appwitness fleet host --name %s --devices none --judges 0 %s (if that host had "
                    "another --recordings or --db, name that)",
                    *(folder.name, waiting, folder.name, shlex.join(options)),
                )

    def _waits(self, recording: str) -> bool:
        """Whether a recording is finished, packed or not."""
        noted = self._noted(recording)
        return self._file(recording).exists() or (noted is not None and not noted.digest)

    def begin(self, recording: str) -> Path:
        """The folder for a new recording; `add`, `drop` or the next start of the host removes it. Raises UserError
        when something with that name exists that no host began."""
        folder, mark = self.folder / named(recording), self._mark(recording)
        if not mark.exists():
            for path in (folder, self._file(recording), self._log(recording)):
                if os.path.lexists(path):
                    raise UserError(
                        Spoken("{path} already exists, and no host started it.", path=path), "Move it elsewhere."
                    )
            private_files.folder(self.folder)
            mark.touch(0o600)
        return folder

    def drop(self, recording: str) -> None:
        """Remove the unfinished parts of a recording, but not its archive."""
        for left in (self._log(recording), *self.folder.glob(f".{recording}.zip.*.part")):
            left.unlink(missing_ok=True)
        shutil.rmtree(self.folder / recording, ignore_errors=True)
        self._unmark(recording)

    def _unmark(self, recording: str) -> None:
        """Remove the record of a recording that is no longer here."""
        if not self._file(recording).exists() and not (self.folder / recording).exists():
            self._mark(recording).unlink(missing_ok=True)
            self._finished.pop(recording, None)

    def _begun(self) -> list[str]:
        """The recordings that a host began here and has not uploaded."""
        marks = (path.name.removeprefix(".").removesuffix(BEGUN) for path in self.folder.glob(f".*{BEGUN}"))
        return sorted(name for name in marks if is_name(name))

    @property
    def leases(self) -> list[HeldLease]:
        """The leases of runs whose recordings wait."""
        return [HeldLease(_run(name), noted.lease) for name, noted in list(self._finished.items())]

    def add(self, recording: str, run: LeasedRun, device: str) -> None:
        """Pack the recording at the path that `begin` returned. After a full disk, call this again: until then the
        recording is kept, even if the host is restarted. Raises DiskFullError or OSError when there is no room,
        UserError when the recording cannot be packed."""
        if recording not in self._finished:
            self._note(recording, SpooledRecording(run.lease, device))
        self._pack(recording)

    def _pack(self, recording: str) -> None:
        packed = self._file(recording)
        with self._packs:
            made = self._finished.get(recording)
            if made is None or made.digest:  # another thread has packed it, and it may be uploaded by now
                return
            if not packed.exists():  # otherwise it was packed, but there was no room for the record
                packing.write(self.folder / recording, packed)
            self._note(recording, made._replace(digest=digest_of(packed), stamp=last_stamp(packed)))
            self.drop(recording)

    def _pack_rest(self) -> None:
        """Pack recordings that did not fit before. Raises as `add` does, but drops those that can never be packed."""
        for recording in list(self._finished):
            try:
                self._pack(recording)
            except (DiskFullError, StoreError):
                raise
            except UserError as error:
                log.warning("%s", error)
                self._finished.pop(recording, None)
                self.drop(recording)

    def _note(self, recording: str, noted: SpooledRecording) -> None:
        """Write the record of a recording to disk, so that it survives the end of this host."""
        with private_files.writing(self._mark(recording)) as file:
            file.write(json.dumps(noted._asdict()).encode())
        self._finished[recording] = noted

    def _noted(self, recording: str) -> SpooledRecording | None:
        """The record that an earlier host with this name wrote; None if there is none: older versions wrote none."""
        with suppress(OSError, ValueError, TypeError):
            return SpooledRecording(**json.loads(self._mark(recording).read_bytes()))
        return None

    def _known(self, recording: str) -> SpooledRecording:
        """The record of a recording; if there is none, one made from its archive. Raises UserError or ValueError when
        the archive is invalid."""
        noted = self._finished.get(recording) or self._noted(recording)
        if noted is None:
            packed = self._file(recording)
            noted = SpooledRecording("", run_of(packed).device.serial, digest_of(packed), last_stamp(packed))
        return noted

    def adopt(self, run: LeasedRun) -> bool:
        """Look for a recording of a run that was made before this host was killed; if one waits here, assign it to
        this lease and return True."""
        for earlier in (f"{run.id}-a{number}" for number in range(1, run.attempts)):
            if earlier in self._finished or (self._file(earlier).exists() and self._mark(earlier).exists()):
                with self._packs:
                    self._note(earlier, self._known(earlier)._replace(lease=run.lease))
                return True
        return False

    def full(self) -> str | None:
        """Why no run can begin; None when there is room."""
        with suppress(OSError):
            if not files.has_room(self.folder):
                return f"The disk of {self.folder} is full."
        waiting = self.waiting()
        size = sum(size for _, _, size in waiting)
        if size < self._most:
            return None
        return f"The spool is full: recordings that wait to be uploaded: {len(waiting)}, {size:,} bytes."

    def work(self, runs: Runs, stop: Event, idle_s: float) -> None:
        """Upload waiting recordings to `objects` until the host ends."""
        wait_s = idle_s
        while not stop.wait(wait_s):
            try:
                self._pack_rest()
                for _, packed, _ in self.waiting():
                    self.deliver(packed, runs)
                    wait_s = idle_s  # the store is reachable: retry occasional failures soon
                    if stop.is_set():
                        return
                wait_s = idle_s
            except (StoreError, DiskFullError, OSError) as error:
                wait_s = min(LONGEST_WAIT_S, 2 * wait_s)
                log.warning("%s %d recordings wait; trying again in %g s.", error, len(self.waiting()), wait_s)

    def deliver(self, packed: Path, runs: Runs) -> None:
        """Upload a packed recording, unless the store has it, and count it as that of its run."""
        recording, run = packed.stem, _run(packed.stem)
        try:
            noted = self._known(recording)
            made = CommittedRecording(recording, run, self.folder.name, noted.device, noted.digest, noted.stamp)
            if self._objects.is_complete(recording):
                self._see_that_it_is_ours(made, runs)
            else:
                self._upload(made, packed, runs)
        except StoreError:
            raise
        except (UserError, ValueError) as error:  # damaged, or its name is taken: recorded again
            log.warning("%s", error)
            packed.replace(packed.with_suffix(DAMAGED))
        else:
            if not runs.recorded(run, recording, noted.device):
                log.warning("Another recording of this run came first; %s is kept, but not counted.", recording)
            packed.unlink()
        self._unmark(recording)
        self._finished.pop(recording, None)

    def _upload(self, made: CommittedRecording, packed: Path, runs: Runs) -> None:
        """Upload a recording, and mark it as complete after writing its commit record. Raises UserError when that is
        impossible."""
        place = self._objects.place
        if digest_of(packed) != made.digest:
            raise UserError(Spoken("{packed} does not contain what was packed.", packed=packed), "Check the disk.")
        self._objects.put(made.recording, packed)
        if self._objects.digest(made.recording) != made.digest:
            raise StoreError(
                Spoken("{place} does not return {recording} as it was stored.", place=place, recording=made.recording),
                "Check its disk; it is tried again.",
            )
        if not runs.commit(made):
            raise UserError(
                Spoken("Another recording has the name {recording}.", recording=made.recording), "Compare the two."
            )
        self._objects.complete(made.recording)

    def _see_that_it_is_ours(self, made: CommittedRecording, runs: Runs) -> None:
        """Raise UserError unless the complete recording with this name is the one that waits here."""
        committed = runs.committed(made.recording)
        if committed is None:  # this host was killed before writing it, or somebody else uploaded the recording
            with self._objects.fetched(made.recording) as packed:
                there = digest_of(packed)
        else:
            there = committed.digest
        if there != made.digest:
            raise UserError(
                Spoken(
                    "Another recording has the name {recording} in {place}.",
                    recording=made.recording,
                    place=self._objects.place,
                ),
                "Check what is there.",
            )

    def waiting(self) -> list[tuple[int, Path, int]]:
        """Packing time, archive and size of each waiting recording, the oldest first; without those whose digest is
        still being computed."""
        found = []
        for recording in self._begun():
            made, packed = self._finished.get(recording), self._file(recording)
            if made is None or made.digest:
                with suppress(FileNotFoundError):
                    held = packed.stat()
                    found.append((held.st_mtime_ns, packed, held.st_size))
        return sorted(found)

    def _file(self, recording: str) -> Path:
        return self.folder / f"{recording}.zip"

    def _log(self, recording: str) -> Path:
        return self.folder / f"{recording}.log"

    def _mark(self, recording: str) -> Path:
        return self.folder / _mark(recording)


def _is_held(folder: Path) -> bool:
    """Whether a running host holds the folder."""
    try:
        with folder.with_name(f"{folder.name}.lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


def _mark(recording: str) -> str:
    return f".{recording}{BEGUN}"


def _run(recording: str) -> str:
    return recording.rpartition("-a")[0]
