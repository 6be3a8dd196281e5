"""Writes the addons' part of a recording: uploads with their bodies, and gaps, with repeated gaps folded into one
line."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from mitmproxy import exceptions

from addons.disk.storage import Line, Lines, gap_line, salted, time_of
from addons.disk.to_writer import Body, Channel
from addons.disk.writer import say

FOLD_S = 60.0
"""Repeats of a gap within this many seconds are counted, and reported in one line after that time."""
KINDS_OF_GAPS = 5000
"""Maximum number of distinct gaps whose repeats are counted at a time; repeats of further gaps are reported one by
one."""
RETRY_S = 1.0
"""Seconds between attempts to report lines that were lost."""


@dataclass
class Repeats:
    """The repeats of a gap that was already reported."""

    count: int = 0
    first: Line | None = None
    last: Line | None = None


class Recorder:
    """Passes the uploads and gaps of all addons of one proxy to the recording."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        """The channel to the recording's writer; None until a recording is set."""
        self.limit = 0
        """Longest body that is stored as a whole."""
        self.most = self.free = 0
        """Largest size of the recording, and space that stays free on its disk, in bytes; 0: no limit."""
        self.repeats: dict[tuple[str, str, str], Repeats] = {}
        self.lost = 0
        """Number of lines lost for lack of room that no gap has reported yet."""

    def open(self, name: str, *, live: bool = True) -> None:
        """Use the recording in this folder from now on. Raises OptionsError.

        `live`: whether traffic waits for us; otherwise it comes from a file.
        """
        if not name:
            raise exceptions.OptionsError("recording is not set. Name the folder of a recording: --set recording=DIR")
        folder = Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise exceptions.OptionsError(f"recording: {folder} is not a folder. Make it, or name another one.")
        try:
            bodies = folder / "bodies"
            bodies.mkdir(mode=0o700, exist_ok=True)
            probe = bodies / f".{os.getpid()}.probe"
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600))
            probe.unlink()
            for file in ("uploads.jsonl", "gaps.jsonl"):
                Lines(folder / file).close()
            if self.channel is not None:
                self.finish()
                self.channel.close()
            self.channel = Channel(folder, live=live, most=self.most, free=self.free)
        except OSError as error:
            raise exceptions.OptionsError(
                f"recording: {folder} cannot be written ({error.strerror}). Fix that, or name another folder."
            ) from error

    def body(self) -> Body:
        """A new, empty body."""
        assert self.channel is not None
        return Body(self.channel, self.limit)

    def upload(self, line: Line, body: Body, announced: str = "") -> None:
        """Pass on a body and its line; `announced` is the declared length of the body."""
        assert self.channel is not None
        of = int(announced) if announced.isdecimal() and len(announced) < 19 else body.seen
        if not self.channel.upload(salted(line), body, of):
            self._lose()

    def gap(self, subject: str, why: str, detail: str, at: str | None = None, about: Line | None = None) -> None:
        """Record that something could not be observed; `about`: the connection (client, SNI), and the alert that
        ended it."""
        if self.channel is None:
            return
        line = gap_line(subject, why, detail, at or time_of(time.time()), **(about or {}))
        key = (subject, why, detail)
        again = self.repeats.get(key)
        if again is not None:
            again.count += 1
            again.first, again.last = again.first or line, line
            return
        if len(self.repeats) < KINDS_OF_GAPS:
            self.repeats[key] = Repeats()
            asyncio.get_running_loop().call_later(FOLD_S, self._tell_repeats, key)
        self._append(line)

    async def room(self) -> None:
        """Wait for a disk that is behind, within the limits of WAIT_BYTES and PATIENCE_S (disk/to_writer.py)."""
        if self.channel is not None and self.channel.behind:
            await self.channel.room()

    def finish(self) -> None:
        """Report what was counted; called when the proxy is told to stop."""
        if self.channel is None:
            return
        for key in list(self.repeats):
            self._tell_repeats(key)
        self._tell_lost(last=True)
        self.channel.done()

    def _tell_repeats(self, key: tuple[str, str, str]) -> None:
        again = self.repeats.pop(key, None)
        if again and again.first and again.last:
            detail = again.last["detail"]
            more = f"{detail} ({again.count} times)" if again.count > 1 else detail
            self._append({**again.first, "detail": more, "until": again.last["at"]})

    def _append(self, gap: Line) -> None:
        assert self.channel is not None
        if not self.channel.gap(salted(gap)):
            self._lose()

    def _lose(self) -> None:
        """Count a line that was lost for lack of room, and report it once there is room."""
        if not self.lost:
            asyncio.get_running_loop().call_later(RETRY_S, self._tell_lost)
        self.lost += 1

    def _tell_lost(self, *, last: bool = False) -> None:
        assert self.channel is not None
        lost, self.lost = self.lost, 0
        detail = f"{lost} lines are lost: the disk did not take them in time"
        line = gap_line("uploads.jsonl", "overflow", detail, time_of(time.time()))
        if not lost or ((last or not self.channel.behind) and self.channel.gap(salted(line))):
            return
        self.lost = lost
        if last:
            say(f"{self.channel.folder}: {detail}")
        else:
            asyncio.get_running_loop().call_later(RETRY_S, self._tell_lost)
