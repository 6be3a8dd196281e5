"""A ring buffer in memory shared by the proxy and its writer; it survives the death of either.

The proxy puts in whole records and rings a bell: a message through a pipe that says where the records begin and end in
memory. The writer takes a record out only when it is done with it. So a record survives the death of the proxy once it
was put in, and the death of the writer until it is taken out; the next writer continues where the last one stopped.
Neither side waits for the other: `put` returns False when there is no room. Positions are trusted only if they came
through the pipe (a system call, so everything written before is visible), or when the pipe has ended.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

RING_BYTES = 16 * 1024 * 1024
"""Capacity of the ring, for times when the disk is slow."""
LONGEST = RING_BYTES // 4
"""Longest record."""

WHOLE, PIECE, END, GAP = range(1, 5)
"""Kinds of record: an upload with its body; a piece of a body; an upload whose body came in pieces; a gap."""
_SKIP = 0
"""Kind that marks the unused end of the memory: the next record is at the beginning."""

_HEAD = struct.Struct("<B3xIIIQQQ")
_BELL = struct.Struct("<QQ")
_PAGE = 4096
_PUT, _BASE, _TAKEN = 0, 1, 8
"""Indexes of counters in the first page, in 8-byte integers: two that the proxy writes, and one that the writer
writes."""

Buffer = bytes | bytearray | memoryview


class Put(NamedTuple):
    """A record for `Ring.put`."""

    kind: int
    line: bytes = b""
    data: Sequence[Buffer] = ()
    number: int = 0
    """For this and the following fields see `Record`."""
    at: int = 0
    of: int = 0
    problem: bytes = b""


@dataclass(slots=True)
class Record:
    """A record as the writer reads it. `data` is memory of the ring, valid until the record is taken out."""

    kind: int
    number: int
    """Number of a body that comes in pieces."""
    at: int
    """Offset of a piece in its body; with END, the length of the body."""
    of: int
    """Expected length of the body."""
    line: bytes
    problem: str
    """Why the proxy has only the beginning of a body; "" when it has the whole body."""
    data: memoryview


def memory() -> int:
    """A file descriptor for new shared memory."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("appwitness")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, _PAGE + RING_BYTES)
    return fd


class Ring:
    """One end of the ring, or both."""

    def __init__(self, fd: int) -> None:
        view = memoryview(mmap.mmap(fd, _PAGE + RING_BYTES))
        self._counts = view[:_PAGE].cast("Q")
        self._bytes = view[_PAGE:]
        self._put = self._known = self._counts[_PUT]
        self._base = self._counts[_BASE]
        self._length = 0
        self._heard = 0

    # -- the proxy's end

    def used(self) -> int:
        """Bytes that wait for the writer."""
        return self._put - self._counts[_TAKEN]

    def taken(self) -> int:
        """Bytes that the writer has taken out so far."""
        return self._counts[_TAKEN]

    def put(self, most: int, said: Put) -> bool:
        """Put a record in, unless more than `most` bytes would then wait; returns whether the record was put in. Ring
        the bell afterwards."""
        kind, line, data, number, at, of, problem = said
        size = 0
        for piece in data:
            size += len(piece)
        length = _rounded(_HEAD.size + len(line) + len(problem) + size)
        put = self._put
        used = put - self._counts[_TAKEN]
        if not used:
            self._base = put  # start again at the beginning, which is still in the processor's cache
        place = (put - self._base) % RING_BYTES
        left = RING_BYTES - place
        skipped = left if length > left else 0
        if used + skipped + length > most:
            return False
        memory = self._bytes
        if skipped:
            if left >= _HEAD.size:
                _HEAD.pack_into(memory, place, _SKIP, 0, 0, 0, 0, 0, 0)
            place = 0
        _HEAD.pack_into(memory, place, kind, len(line), len(problem), size, number, at, of)
        place += _HEAD.size
        for piece in (line, problem, *data):
            end = place + len(piece)
            memory[place:end] = piece
            place = end
        self._put = put + skipped + length
        self._counts[_BASE] = self._base
        self._counts[_PUT] = self._put
        return True

    def unheard(self) -> int:
        """Bytes that were put in since the last bell."""
        return self._put - self._heard

    def bell(self) -> bytes:
        """The message to send through the pipe."""
        self._heard = self._put
        return _BELL.pack(self._put, self._base)

    # -- the writer's end

    def hear(self, rung: bytes) -> None:
        """Read what came through the pipe: whole messages, of which the last one counts."""
        self._known, self._base = _BELL.unpack(rung[-_BELL.size :])

    def ended(self) -> None:
        """Note that nothing more will be put in; from now on, the counters in memory are trusted."""
        self._known, self._base = self._counts[_PUT], self._counts[_BASE]

    def first(self) -> Record | None:
        """The next record; None when the writer knows of no further one."""
        while self._counts[_TAKEN] < self._known:
            place = (self._counts[_TAKEN] - self._base) % RING_BYTES
            left = RING_BYTES - place
            kind = _SKIP
            if left >= _HEAD.size:
                kind, line, problem, size, number, at, of = _HEAD.unpack_from(self._bytes, place)
            if kind == _SKIP:
                self._counts[_TAKEN] += left
                continue
            begin = place + _HEAD.size
            middle = begin + line
            end = middle + problem
            self._length = _rounded(_HEAD.size + line + problem + size)
            memory = self._bytes
            words = str(memory[middle:end], "utf-8", "replace") if problem else ""
            return Record(kind, number, at, of, bytes(memory[begin:middle]), words, memory[end : end + size])
        return None

    def take(self) -> None:
        """Take the first record out, once it is completely on disk."""
        self._counts[_TAKEN] += self._length


def _rounded(size: int) -> int:
    return (size + 7) & ~7
