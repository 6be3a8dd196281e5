"""Starts the proxy's writer, passes it uploads and gaps, and tracks how far behind it is.

**A disk that is slow or hangs.** What it has not taken waits in the shared memory, RING_BYTES at most. While more than
WAIT_BYTES wait, reading from apps waits too, so that a disk that does PACE or better loses nothing; but PATIENCE_S at
most while the disk does less, and then not again until it has caught up. Beyond that, traffic flows on: pieces of
bodies are dropped first, then bodies of short uploads, then lines; gaps say so once the disk is back. A writer that was
killed is replaced at once; one that cannot be started is a disk that hangs.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from addons.disk import writer
from addons.disk.quota import Quota
from addons.disk.ring import END, GAP, PIECE, RING_BYTES, WHOLE, Buffer, Put, Ring, memory

SMALL = 64 * 1024
"""Bytes of a body that mitmproxy may buffer."""
HELD_BYTES = 128 * 1024
"""Bytes of a body that we hold before the writer gets it; of a longer one, it gets each piece as it comes."""
PIECE_BYTES = 1024 * 1024
"""The longest piece of a body."""
WAIT_BYTES = RING_BYTES // 4
PIECES_BYTES = RING_BYTES // 8 * 5
"""While more waits, pieces of bodies are dropped,"""
BODIES_BYTES = RING_BYTES // 8 * 7
"""and here, the bodies of short uploads. What is left after that is for lines."""
BELL_S = 0.005
"""How long the bell may wait while there is something to write,"""
BELL_BYTES = 512 * 1024
"""if it is not more than this."""
PATIENCE_S = 2.0
PACE = 10 * 1024 * 1024
"""Bytes a second that apps are slowed down to for the disk's sake."""
LOOK_S = 0.02
"""How often to look whether the writer has caught up."""
AGAIN_S = 1.0
"""How long to wait before another writer is started, where one has not lived longer than this."""
STOP_S = 6.0
"""How long an ending proxy waits for its writer."""
TOO_SLOW = "the disk was too slow"

_numbers = itertools.count(1)


class Channel:
    """Carries one recording's uploads to the writer."""

    def __init__(self, folder: Path, *, live: bool, most: int = 0, free: int = 0) -> None:
        self.folder = folder
        self.quota = Quota(str(folder), most, free)
        """How much the writer may write."""
        self.live = live
        """Traffic waits for us; false: we wait for the disk, as long as it takes."""
        self.name = f"{os.getpid()}-{next(_numbers)}"
        self.memory = memory()
        self.ring = Ring(self.memory)
        self.bell, self.button = os.pipe()
        os.set_blocking(self.button, not live)
        self.ringing = False
        """The bell will be rung soon."""
        self.starts = 0
        self.began = 0.0
        self.closing = False
        self.starting = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.thread: threading.Thread | None = None
        self.until: float | None = None
        """When apps are no longer made to wait (monotonic); None while the disk keeps up."""
        self.taken = 0
        if live and os.name == "posix":
            self._watch(self._start())
            atexit.register(self.close)  # connections break off, and are recorded, until the very end
        else:
            one = writer.Writer(folder, Ring(self.memory), self.bell, self.name, quota=self.quota)
            self.thread = threading.Thread(target=one.run, daemon=True)
            self.thread.start()

    # -- records for the writer
    def piece(self, number: int, at: int, data: Buffer) -> bool:
        """Bytes of a body, and where in it they belong; False when there is no room."""
        return self._put(PIECES_BYTES, Put(PIECE, data=(data,), number=number, at=at))

    def upload(self, line: bytes, body: Body, of: int) -> bool:
        """A line without its body, size and truncated, and the body; False when there is no room."""
        problem = body.problem.encode("utf-8", "replace") if body.problem else b""
        if body.number:
            return self._put(RING_BYTES, Put(END, line, (), body.number, body.kept, of, problem))
        if self._put(BODIES_BYTES, Put(WHOLE, line, body.memory, of=of, problem=problem)):
            return True
        problem = problem or (TOO_SLOW.encode() if body.kept else b"")
        return self._put(RING_BYTES, Put(WHOLE, line, of=of, problem=problem))

    def gap(self, line: bytes) -> bool:
        """A line for the gaps; False when there is no room."""
        return self._put(RING_BYTES, Put(GAP, line))

    def _put(self, most: int, said: Put) -> bool:
        ring = self.ring
        while not ring.put(most, said):
            if self.live or not (self.thread and self.thread.is_alive() and ring.used()):
                return False
            time.sleep(LOOK_S / 10)
        if not self.live or ring.unheard() > BELL_BYTES:
            self._ring()
        elif not self.ringing:
            # Each ring wakes the writer, which would take processor time from the traffic; nothing is lost by waiting.
            self.ringing = True
            asyncio.get_running_loop().call_later(BELL_S, self._ring)
        return True

    def _ring(self) -> None:
        self.ringing = False
        try:
            os.write(self.button, self.ring.bell())
        except BlockingIOError:  # the pipe is full: it has much to hear
            self.ringing = True
            asyncio.get_running_loop().call_later(LOOK_S, self._ring)
        except OSError:
            pass  # closed

    # -- how far behind it is

    @property
    def behind(self) -> bool:
        """Whether so much waits that apps should."""
        used = self.ring.used()
        if used <= WAIT_BYTES // 2:
            self.until = None
        return used > WAIT_BYTES

    async def room(self) -> None:
        """Wait until the writer is no longer behind, within the limits of WAIT_BYTES and PATIENCE_S."""
        while self.behind:
            now, taken = time.monotonic(), self.ring.taken()
            if self.until is None:
                self.until = now + PATIENCE_S
            else:
                self.until = min(now + PATIENCE_S, self.until + (taken - self.taken) / PACE)
            self.taken = taken
            if now >= self.until:
                return
            await asyncio.sleep(LOOK_S)

    # -- the writer

    def _start(self) -> int:
        """Start a writer; what is returned can be read from once it has ended."""
        ended, held = os.pipe()
        quota = (self.quota.most, self.quota.free)
        arguments = (self.folder, self.memory, self.bell, self.name, int(self.starts > 0), *quota)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", writer.__file__, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                pass_fds=(self.memory, self.bell, held),
                start_new_session=True,
            )
        except OSError as error:
            if not self.starts:
                writer.say(f"the writer cannot be started: {error}")
        finally:
            os.close(held)
        self.starts += 1
        self.began = time.monotonic()
        return ended

    def _watch(self, ended: int) -> None:
        self._ring()  # it has not heard what rang before
        asyncio.get_running_loop().add_reader(ended, self._died, ended)

    def _died(self, ended: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(ended)
        os.close(ended)
        lived = time.monotonic() - self.began
        loop.call_later(0 if lived > AGAIN_S else AGAIN_S, self._replace)

    def _replace(self) -> None:
        """Another writer; started beside the loop, as the program is on a disk too."""

        def start() -> int | None:
            with self.starting:
                return None if self.closing else self._start()

        def watch(done: asyncio.Future[int | None]) -> None:
            ended = None if done.cancelled() else done.result()
            if ended is not None:
                self._watch(ended)

        if not self.closing:
            asyncio.get_running_loop().run_in_executor(None, start).add_done_callback(watch)

    def done(self) -> None:
        """The proxy is told to stop. Where nobody writes once it has ended, wait until all is written."""
        if self.thread is not None:
            self.close()

    def close(self) -> None:
        """Wait until all is written, STOP_S at most; what is not by then, the writer writes when it can."""
        if self.closing:
            return
        self.closing = True
        button, self.button = self.button, -1
        os.close(button)
        if self.thread is not None:
            self.thread.join(STOP_S if self.live else None)
            return
        end = time.monotonic() + STOP_S
        if self.starting.acquire(timeout=STOP_S):
            while time.monotonic() < end:
                with suppress(subprocess.TimeoutExpired):
                    if self.process is not None and self.process.wait(max(0, end - time.monotonic())) == 0:
                        return
                    os.close(self._start())  # it was killed, or is gone
                    time.sleep(LOOK_S)
        waits = f"{self.ring.used()} bytes of it are not on disk yet"
        writer.say(f"{self.folder}: {waits}: the disk is slow, or refuses them. The writer goes on")


class Body:
    """The bytes of one upload, as they pass."""

    def __init__(self, channel: Channel, limit: int) -> None:
        self.channel = channel
        self.limit = limit
        self.seen = 0
        """Bytes that passed."""
        self.kept = 0
        """Bytes of them that the writer has, or will have: all of them, or a beginning."""
        self.problem: str | None = None
        """Why only a beginning is kept."""
        self.number = 0
        """Number of the body being sent to the writer in pieces; 0 while it is short."""
        self.memory: list[Buffer] = []
        """A body that is short."""

    def add(self, data: Buffer) -> None:
        """Take the next bytes."""
        self.seen += len(data)
        if self.problem:
            return
        if self.kept + len(data) > self.limit:
            data = data[: self.limit - self.kept]
            self.problem = f"limit of {self.limit} bytes"
        if self.number:
            self._send(data)
            return
        self.memory.append(data)
        self.kept += len(data)
        if self.kept > HELD_BYTES:
            self.number, self.kept = next(_numbers), 0
            memory, self.memory = self.memory, []
            for piece in memory:
                self._send(piece)

    def _send(self, data: Buffer) -> None:
        view = memoryview(data)
        for begin in range(0, len(view), PIECE_BYTES):
            piece = view[begin : begin + PIECE_BYTES]
            if not self.channel.piece(self.number, self.kept, piece):
                self.problem = self.problem or TOO_SLOW
                return
            self.kept += len(piece)
