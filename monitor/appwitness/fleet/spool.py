"""Recordings of a host on their way to where they are kept: packed on its own disk until the store has them.

A device is free as soon as its recording is packed. While the store is away they wait here, up to a bound; a host that
was killed goes on with those that it finds.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from appwitness import events
from appwitness.fleet.objects import Objects
from appwitness.recording import Recording, archive, files, packing
from appwitness.recording.seal import RUN
from appwitness.store.runs import Run, Runs
from appwitness.support import private_files
from appwitness.support.errors import StoreError, UserError

log = logging.getLogger(__name__)

MOST_BYTES = 20 << 30
LONGEST_WAIT_S = 30.0
"""Between two attempts while the store is away."""


class Spool:
    """The folder in which a host makes recordings, and from which they go to `objects`, the oldest first."""

    def __init__(self, folder: Path, objects: Objects, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._objects = objects
        self._most = most_bytes
        self._of: dict[str, tuple[str, str]] = {}
        """Recording -> its run's lease, and the device that made it."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else uses the folder meanwhile; what a host that was killed had not finished is removed.

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
            for left in self.folder.iterdir():
                if left.is_dir():
                    if not Recording(left).going_on:
                        shutil.rmtree(left, ignore_errors=True)
                elif left.suffix in (".part", ".log"):
                    left.unlink(missing_ok=True)
            yield

    @property
    def leases(self) -> list[str]:
        """Of the runs whose recordings wait."""
        return [lease for lease, _ in list(self._of.values())]

    def add(self, recording: str, run: Run, device: str) -> None:
        """Pack the recording that was made in the folder of its name here. Raises UserError when it cannot be."""
        packing.write(self.folder / recording, self._file(recording))
        self._of[recording] = run.lease, device
        shutil.rmtree(self.folder / recording, ignore_errors=True)

    def adopt(self, run: Run, device: str) -> bool:
        """Whether a recording of a run waits here, made before this host was killed; it counts for this lease then."""
        earlier = [f"{run.id}-a{number}" for number in range(1, run.attempts)]
        there = next((name for name in earlier if self._file(name).exists()), None)
        if there is not None:
            self._of[there] = run.lease, device
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
                for _, packed, _ in self._waiting():
                    self._deliver(packed, runs)
                    if stop.is_set():
                        return
                wait_s = idle_s
            except (StoreError, OSError) as error:
                wait_s = min(LONGEST_WAIT_S, 2 * wait_s)
                log.warning("%s %d recordings wait; it is tried again in %g s.", error, len(self._waiting()), wait_s)

    def _deliver(self, packed: Path, runs: Runs) -> None:
        recording = packed.stem
        try:
            _, device = self._of.get(recording) or ("", _device(packed))
            if not self._objects.is_complete(recording):
                self._objects.put(recording, packed)
                self._objects.complete(recording)
        except StoreError:
            raise
        except (UserError, ValueError) as error:  # the disk changed it: the run is made again
            log.warning("%s", error)
            packed.replace(packed.with_suffix(".damaged"))
        else:
            if not runs.recorded(recording.rpartition("-a")[0], recording, device):
                log.warning("Another recording of this run was first; %s is kept beside.", recording)
            packed.unlink()
        self._of.pop(recording, None)

    def _waiting(self) -> list[tuple[int, Path, int]]:
        """When each was packed, its archive and size, the oldest first."""
        found = []
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(".zip"):
                    with suppress(FileNotFoundError):
                        held = entry.stat()
                        found.append((held.st_mtime_ns, Path(entry.path), held.st_size))
        return sorted(found)

    def _file(self, recording: str) -> Path:
        return self.folder / f"{recording}.zip"


def _device(packed: Path) -> str:
    return events.Run.model_validate_json(archive.member(packed, RUN)).device.serial
