"""Starts the proxy's writer, passes it uploads and gaps, and tracks how far behind it is.

**A disk that is slow or hangs.** What the disk has not taken yet waits in shared memory, at most RING_BYTES. While more
than WAIT_BYTES wait, reading from apps pauses, so that nothing is lost with a disk that writes at PACE or faster. With
a slower disk, reading pauses for at most PATIENCE_S, and then not again until the disk has caught up. Beyond that,
traffic flows on: pieces of bodies are dropped first, then bodies of short uploads, then lines; gaps say so once the
disk is back. A writer that was killed is replaced at once; one that cannot be started counts as a disk that hangs.
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
"""Largest body that mitmproxy may buffer."""
HELD_BYTES = 128 * 1024
"""Bytes of a body that are held before the writer gets any; with a longer body, it gets each piece as it arrives."""
PIECE_BYTES = 1024 * 1024
"""Longest piece of a body."""
WAIT_BYTES = RING_BYTES // 4
PIECES_BYTES = RING_BYTES // 8 * 5
"""While more bytes than this wait, pieces of bodies are dropped."""
BODIES_BYTES = RING_BYTES // 8 * 7
"""While more bytes than this wait, bodies of short uploads are dropped, too; the rest of the ring is for lines."""
BELL_S = 0.005
"""How long the bell may be delayed while at most BELL_BYTES are new."""
BELL_BYTES = 512 * 1024
"""When more bytes than this are new, the bell is rung at once."""
PATIENCE_S = 2.0
PACE = 10 * 1024 * 1024
"""Bytes per second: apps are slowed down to this pace, but no further, to spare the disk."""
LOOK_S = 0.02
"""Seconds between checks whether the writer has caught up."""
AGAIN_S = 1.0
"""Seconds before another writer is started when the last one lived no longer than this."""
STOP_S = 6.0
"""Seconds that an ending proxy waits for its writer."""
TOO_SLOW = "the disk was too slow"

_numbers = itertools.count(1)


class Channel:
    """Carries one recording's uploads to the writer."""

    def __init__(self, folder: Path, *, live: bool, most: int = 0, free: int = 0) -> None:
        self.folder = folder
        self.quota = Quota(str(folder), most, free)
        """The limits that the writer must keep."""
        self.live = live
        """True: traffic waits for us. False: we wait for the disk, as long as it takes."""
        self.name = f"{os.getpid()}-{next(_numbers)}"
        self.memory = memory()
        self.ring = Ring(self.memory)
        self.bell, self.button = os.pipe()
        os.set_blocking(self.button, not live)
        self.ringing = False
        """Whether the bell is about to be rung."""
        self.starts = 0
        self.began = 0.0
        self.closing = False
        self.starting = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.thread: threading.Thread | None = None
        self.until: float | None = None
        """Until when apps are made to wait (monotonic); None while the disk keeps up."""
        self.taken = 0
        if live and os.name == "posix":
            self._watch(self._start())
            atexit.register(self.close)  # connections may break off until the very end, and are still recorded
        else:
            one = writer.Writer(folder, Ring(self.memory), self.bell, self.name, quota=self.quota)
            self.thread = threading.Thread(target=one.run, daemon=True)
            self.thread.start()

    # -- records for the writer
    def piece(self, number: int, at: int, data: Buffer) -> bool:
        """Pass on bytes of a body at this offset; False when there is no room."""
        return self._put(PIECES_BYTES, Put(PIECE, data=(data,), number=number, at=at))

    def upload(self, line: bytes, body: Body, of: int) -> bool:
        """Pass on a body and its line (without body, size and truncated); False when there is no room."""
        problem = body.problem.encode("utf-8", "replace") if body.problem else b""
        if body.number:
            return self._put(RING_BYTES, Put(END, line, (), body.number, body.kept, of, problem))
        if self._put(BODIES_BYTES, Put(WHOLE, line, body.memory, of=of, problem=problem)):
            return True
        problem = problem or (TOO_SLOW.encode() if body.kept else b"")
        return self._put(RING_BYTES, Put(WHOLE, line, of=of, problem=problem))

    def gap(self, line: bytes) -> bool:
        """Pass on the line of a gap; False when there is no room."""
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
            # Each bell wakes the writer, which would take processor time from the traffic; nothing is lost by waiting.
            self.ringing = True
            asyncio.get_running_loop().call_later(BELL_S, self._ring)
        return True

    def _ring(self) -> None:
        self.ringing = False
        try:
            os.write(self.button, self.ring.bell())
        except BlockingIOError:  # the pipe is full: many bells are still unread
            self.ringing = True
            asyncio.get_running_loop().call_later(LOOK_S, self._ring)
        except OSError:
            pass  # closed

    # -- how far behind the writer is

    @property
    def behind(self) -> bool:
        """Whether so many bytes wait for the writer that apps should wait, too."""
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
        """Start a writer; returns a file descriptor that becomes readable when the writer has ended."""
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
        self._ring()  # a new writer has not heard earlier bells
        asyncio.get_running_loop().add_reader(ended, self._died, ended)

    def _died(self, ended: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(ended)
        os.close(ended)
        lived = time.monotonic() - self.began
        loop.call_later(0 if lived > AGAIN_S else AGAIN_S, self._replace)

    def _replace(self) -> None:
        """Start another writer, in a thread, because its program must be read from a disk that may hang."""

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
        """Called when the proxy is told to stop. A writer thread ends with the proxy, so wait until it has written
        everything."""
        if self.thread is not None:
            self.close()

    def close(self) -> None:
        """Wait at most STOP_S until everything is written; the writer process writes the rest when it can."""
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
                    os.close(self._start())  # the writer was killed, or could not be started
                    time.sleep(LOOK_S)
        waits = f"{self.ring.used()} bytes are not on disk yet"
        writer.say(f"{self.folder}: {waits}: the disk is slow, or refuses them. The writer keeps trying")


class Body:
    """The bytes of one upload, as they pass through."""

    def __init__(self, channel: Channel, limit: int) -> None:
        self.channel = channel
        self.limit = limit
        self.seen = 0
        """Number of bytes that have passed."""
        self.kept = 0
        """Number of these bytes that the writer has or will have: the whole body, or its beginning."""
        self.problem: str | None = None
        """Why only the beginning is kept."""
        self.number = 0
        """Number of a body that is sent to the writer in pieces; 0 while it is short."""
        self.memory: list[Buffer] = []
        """The pieces of a body that is still short."""

    def add(self, data: Buffer) -> None:
        """Add the next bytes."""
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
