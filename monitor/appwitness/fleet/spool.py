"""Recordings of a host on their way to where they are kept: packed on its own disk until the store has them.

A device is free as soon as its recording is packed. While the store is away they wait here, up to a bound; a host that
was killed goes on with those that it finds. A mark says of each that a host began it here: what has none is somebody
else's, and is neither uploaded nor touched.
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
from threading import Event
from typing import NamedTuple

from appwitness.fleet.commits import digest_of, last_stamp, run_of
from appwitness.fleet.objects import Objects, is_name, named
from appwitness.recording import Recording, files, packing
from appwitness.store.runs import CommittedRecording, LeasedRun, Runs
from appwitness.support import private_files
from appwitness.support.errors import DiskFullError, StoreError, UserError

log = logging.getLogger(__name__)

MOST_BYTES = 20 << 30
LONGEST_WAIT_S = 30.0
"""Between two attempts while the store is away."""
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?<!\.lock)\Z")
"""The name of a host, which is that of its folder; a lock is beside it."""
BEGUN, DAMAGED = ".begun", ".damaged"
"""The ends of the mark of a recording, and of an archive that is set aside."""


def folder_of(host: str, spools: Path) -> Path:
    """The folder of a host among those of this machine. Raises UserError for a name that could lead elsewhere."""
    if not HOST.match(host):
        raise UserError(
            f"{host!r} is no name for a host.",
            "Give it another with --name: up to 100 letters, digits, dots, hyphens and underscores, a letter or digit "
            "first, no .lock last.",
        )
    return spools / host


class SpooledRecording(NamedTuple):
    """What is known of a recording that waits."""

    lease: str
    """Of its run."""
    device: str
    """That made it."""
    digest: str
    """SHA-256 of its archive; empty: it is not packed yet."""
    stamp: str | None
    """SHA-256 of its last stamp; None: it was never stamped."""


class Spool:
    """The folder in which a host makes recordings, and from which they go to `objects`, the oldest first."""

    def __init__(self, folder: Path, objects: Objects, most_bytes: int = MOST_BYTES, index: str = "") -> None:
        """`index`: the database of the host, as a message may name it."""
        self.folder = folder
        self._index = index
        self._objects = objects
        self._most = most_bytes
        self._of: dict[str, tuple[str, str]] = {}
        """Recording -> its run's lease, and the device that made it."""
        self._unpacked: dict[str, SpooledRecording] = {}
        """Finished recordings that an earlier host could not pack."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else uses the folder meanwhile; what a host that was killed had begun and not finished is removed.

        Raises UserError when another host has it.
        """
        private_files.folder(self.folder)
        with self.folder.with_name(f"{self.folder.name}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"Another host of this machine has {self.folder}.", "Give this one another name: --name."
                ) from None
            begun = self._begun()
            for recording in begun:
                folder, noted = self.folder / recording, self._noted(recording)
                if noted and (self._file(recording).exists() or not noted.digest):
                    self._of[recording] = noted.lease, noted.device
                if noted and not noted.digest:
                    self._unpacked[recording] = noted
                    continue
                if not folder.is_dir() or not Recording(folder).going_on:  # by a run that outlived its host
                    self.drop(recording)
            known = {name for each in begun for name in (each, f"{each}.zip", f"{each}.log", _mark(each))}
            others = [path for path in self.folder.iterdir() if path.name not in known and path.suffix != DAMAGED]
            if others:
                log.warning(
                    "%s: files and folders that no host made there, and that stay: %d", self.folder, len(others)
                )
            self._tell_of_others()
            yield

    def _tell_of_others(self) -> None:
        """Say where recordings wait in the folder of a host of this machine that does not run."""
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
        """Where a recording is to be made, which is removed here by `add`, by `drop`, or when the host starts again.

        Raises UserError where something of that name is there that no host began.
        """
        folder, mark = self.folder / named(recording), self._mark(recording)
        if not mark.exists():
            for path in (folder, self._file(recording), self._log(recording)):
                if os.path.lexists(path):
                    raise UserError(f"{path} is there already, and no host began it.", "Move it elsewhere.")
            private_files.folder(self.folder)
            mark.touch(0o600)
        return folder

    def drop(self, recording: str) -> None:
        """Remove what was begun of a recording, but for its archive."""
        for left in (self._log(recording), *self.folder.glob(f".{recording}.zip.*.part")):
            left.unlink(missing_ok=True)
        shutil.rmtree(self.folder / recording, ignore_errors=True)
        self._unmark(recording)

    def _unmark(self, recording: str) -> None:
        """Nothing is known of a recording any more once nothing of it is here."""
        if not self._file(recording).exists() and not (self.folder / recording).exists():
            self._mark(recording).unlink(missing_ok=True)
            self._of.pop(recording, None)

    def _begun(self) -> list[str]:
        """The recordings that a host began here, and that are not delivered."""
        marks = (path.name.removeprefix(".").removesuffix(BEGUN) for path in self.folder.glob(f".*{BEGUN}"))
        return sorted(name for name in marks if is_name(name))

    @property
    def leases(self) -> list[str]:
        """Of the runs whose recordings wait."""
        return [lease for lease, _ in list(self._of.values())]

    def add(self, recording: str, run: LeasedRun, device: str) -> None:
        """Pack the recording that was made where `begin` said, to be called again where the disk was full: until then
        it stays as it is, also for a host that comes after us.

        Raises DiskFullError or OSError where there is no room, UserError when it cannot be packed.
        """
        made = SpooledRecording(run.lease, device, "", None)
        self._note(recording, made)
        self._pack(recording, made)

    def _pack(self, recording: str, made: SpooledRecording) -> None:
        packed = self._file(recording)
        if not packed.exists():  # else it was packed, and there was no room to note that
            packing.write(self.folder / recording, packed)
        self._note(recording, made._replace(digest=digest_of(packed), stamp=last_stamp(packed)))
        self.drop(recording)

    def _pack_rest(self) -> None:
        """Pack what an earlier host could not. Raises as `add` does, but for what can never be packed."""
        for recording, made in list(self._unpacked.items()):
            try:
                self._pack(recording, made._replace(lease=self._of[recording][0]))
            except DiskFullError:
                raise
            except UserError as error:
                log.warning("%s", error)
                self.drop(recording)
            del self._unpacked[recording]

    def _note(self, recording: str, noted: SpooledRecording) -> None:
        """Keep what is known of a recording for a host that comes after us."""
        self._of[recording] = noted.lease, noted.device
        with private_files.writing(self._mark(recording)) as file:
            file.write(json.dumps(noted._asdict()).encode())

    def _noted(self, recording: str) -> SpooledRecording | None:
        """What an earlier host of this name noted; None: nothing, as versions before this one."""
        with suppress(OSError, ValueError, TypeError):
            return SpooledRecording(**json.loads(self._mark(recording).read_bytes()))
        return None

    def adopt(self, run: LeasedRun, device: str) -> bool:
        """Whether a recording of a run waits here, made before this host was killed; it counts for this lease then."""
        earlier = [f"{run.id}-a{number}" for number in range(1, run.attempts)]
        there = next((name for name in earlier if name in self._unpacked), None)
        if there is not None:
            self._note(there, self._unpacked[there]._replace(lease=run.lease))
            return True
        there = next((name for name in earlier if self._file(name).exists() and self._mark(name).exists()), None)
        if there is not None:
            noted = self._noted(there)
            if noted is None:  # of a version that noted nothing
                packed = self._file(there)
                noted = SpooledRecording(run.lease, _device(packed), digest_of(packed), last_stamp(packed))
            self._note(there, noted._replace(lease=run.lease))
        return there is not None

    def full(self) -> str | None:
        """Why no run begins; None: there is room."""
        with suppress(OSError):
            if not files.has_room(self.folder):
                return f"The disk of {self.folder} is full."
        waiting = self._waiting()
        size = sum(size for _, _, size in waiting)
        if size < self._most:
            return None
        return f"The spool is full: recordings that wait to be uploaded: {len(waiting)}, {size:,} bytes."

    def work(self, runs: Runs, stop: Event, idle_s: float) -> None:
        """Have `objects` keep what waits, until the host ends."""
        wait_s = idle_s
        while not stop.wait(wait_s):
            try:
                self._pack_rest()
                for _, packed, _ in self._waiting():
                    self._deliver(packed, runs)
                    wait_s = idle_s  # the store is there: what fails now and then is tried again soon
                    if stop.is_set():
                        return
                wait_s = idle_s
            except (StoreError, DiskFullError, OSError) as error:
                wait_s = min(LONGEST_WAIT_S, 2 * wait_s)
                log.warning("%s %d recordings wait; it is tried again in %g s.", error, len(self._waiting()), wait_s)

    def _deliver(self, packed: Path, runs: Runs) -> None:
        recording = packed.stem
        run = recording.rpartition("-a")[0]
        try:
            noted = self._noted(recording)
            _, device = self._of.get(recording) or ("", noted.device if noted else _device(packed))
            if self._objects.is_complete(recording):
                self._see_that_it_is_ours(recording, noted, runs)
            else:
                noted = noted or SpooledRecording("", device, digest_of(packed), last_stamp(packed))
                if digest_of(packed) != noted.digest:
                    raise UserError(f"{packed} is not what was packed.", "See to the disk.")
                self._objects.put(recording, packed)
                if self._objects.digest(recording) != noted.digest:
                    raise StoreError(
                        f"{self._objects.place} does not give {recording} back as it was put there.",
                        "See to its disk; it is tried again.",
                    )
                if not runs.commit(
                    CommittedRecording(recording, run, self.folder.name, noted.device, noted.digest, noted.stamp)
                ):
                    raise UserError(f"Another recording has the name {recording}.", "Look at both.")
                self._objects.complete(recording)
        except StoreError:
            raise
        except (UserError, ValueError) as error:  # the disk changed it: the run is made again
            log.warning("%s", error)
            packed.replace(packed.with_suffix(DAMAGED))
        else:
            if not runs.recorded(run, recording, device):
                log.warning("Another recording of this run was first; %s is kept beside.", recording)
            packed.unlink()
        self._unmark(recording)
        self._of.pop(recording, None)

    def _see_that_it_is_ours(self, recording: str, noted: SpooledRecording | None, runs: Runs) -> None:
        """Raise UserError where what is complete under this name is not what waits here."""
        committed = runs.committed(recording)
        if noted is None or (committed and committed.digest == noted.digest):
            return
        if committed is None:  # this host was killed before it said so, or somebody else has put it there
            with self._objects.fetched(recording) as packed:
                if digest_of(packed) == noted.digest:
                    return
        raise UserError(f"Another recording has the name {recording} in {self._objects.place}.", "Look at both.")

    def _waiting(self) -> list[tuple[int, Path, int]]:
        """When each was packed, its archive and size, the oldest first."""
        found = []
        for packed in map(self._file, self._begun()):
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
    """Whether a host has the folder."""
    try:
        with folder.with_name(f"{folder.name}.lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


def _mark(recording: str) -> str:
    return f".{recording}{BEGUN}"


def _device(packed: Path) -> str:
    return run_of(packed).device.serial
