"""Films the screen in alternating segments, and keeps those around a finding."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.events import Event, Gap, Screen

SEGMENT_S = 60
"""Length of a segment in seconds; Android's screenrecord allows at most 180."""
BIT_RATE = 2_000_000
MOST_FAULTS = 3
"""After this many failures in a row, the screen is no longer filmed."""


class Film:
    """Records one segment after another; a segment is kept if something was found during it or the next one.

    Not tried on Android; some emulators and redroid have no encoder: a gap then says so.
    """

    def __init__(
        self,
        control: Control,
        record: Callable[[Event], object],
        put_body: Callable[[bytes], str | None],
        package: str,
        segment_s: int = SEGMENT_S,
    ) -> None:
        self._control = control
        self._record = record
        self._put_body = put_body
        self._package = package
        self._segment_s = segment_s
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, folder: str) -> None:
        """Start filming; the files are in `folder` on the device."""
        self._folder = folder
        self._thread = threading.Thread(target=self._run, args=(folder,), name="film", daemon=True)
        self._thread.start()

    def keep(self) -> None:
        """Keep the current segment and the previous one, because something was found."""
        self._wanted.set()

    def stop(self) -> None:
        """End the current segment, and stop filming."""
        self._stop.set()
        with suppress(DeviceFault):
            self._control.shell.user(f"kill -INT $(cat {self._folder}/film.pid)")
        if self._thread is not None:
            self._thread.join(10)

    def _run(self, folder: str) -> None:
        before: tuple[datetime, str] | None = None
        number = failed = 0
        while not self._stop.is_set():
            begun = datetime.now(UTC)
            file = f"{folder}/film-{number % 2}.mp4"
            number += 1
            record = f"screenrecord --time-limit {self._segment_s} --bit-rate {BIT_RATE} {file}"
            command = f"sh -c 'echo $$ >{folder}/film.pid; exec {record}'"
            try:
                done = self._control.shell.user(command, timeout_s=self._segment_s + 30)
                if not done.ok and not self._stop.is_set():
                    self._gap(f"the screen is not filmed: {(done.err or done.out).strip()[:200] or 'no reason given'}")
                    return
                failed = 0
                if self._wanted.is_set():
                    self._wanted.clear()
                    for at, name in filter(None, (before, (begun, file))):
                        self._keep(at, name)
                    before = None
                else:
                    before = (begun, file)
            except DeviceFault as error:
                failed += 1
                back = self._control.returns(self._stop)
                if self._stop.is_set():
                    break
                if failed == MOST_FAULTS or not back:
                    self._gap(f"the screen is not filmed any more: {error}")
                    return

    def _keep(self, at: datetime, file: str) -> None:
        body = self._put_body(self._control.shell.adb.pull(file))
        note = "film from this moment on, around a finding"
        self._record(
            Screen(at=at, app=self._package, package=self._package, film=body, why="finding", by="host", note=note)
        )

    def _gap(self, detail: str) -> None:
        now = datetime.now(UTC)
        self._record(Gap(at=now, app=self._package, where="device", subject="film", why="not_observed", detail=detail))
