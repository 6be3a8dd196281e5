"""Splits a large capture into parts of whole conversations, small enough for tshark's memory.

tshark's memory grows by about three times what it reads, and by 1 KiB for each conversation. A first pass, which stores
no payloads, finds the conversation of each packet; then each packet goes to the file of its conversation's part.
"""

from __future__ import annotations

import struct
import tempfile
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from appwitness.exchange.pcap import tshark
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

PART = 48 << 20
"""Maximum number of bytes of packets in a part, and of one conversation's packets that are read."""
CONVERSATIONS = 10_000
"""Maximum number of conversations in a part."""
ALL = 250_000
"""Maximum number of conversations of a capture: for more of them, tshark needs more than 500 MB."""
OPEN = 64
"""Maximum number of parts that are open for writing at once."""
FRAGMENT = 0xFFFFFFFF
"""Stands for the conversation of an IP fragment, which goes to all parts."""

INDEX = (
    *("frame.number", "frame.cap_len", "tcp.stream", "udp.stream"),
    *("ip.src", "ipv6.src", "tcp.srcport", "udp.srcport"),
    *tshark.OWNER,
)
FRAGMENTS = "ip.flags.mf == 1 or ip.frag_offset > 0 or ipv6.fraghdr"

CUT_OUT = Spoken(
    "Cut it into pieces, each with whole connections (editcap -i 600 IN OUT: ten minutes a piece), and import those."
)
SAVE_AGAIN = Spoken("Save it again as pcapng (editcap -F pcapng IN OUT), and import that.")


class Sizes:
    """Sizes of conversations of one kind, by number: bytes sent by each end, the first sender first."""

    def __init__(self) -> None:
        self.first: array[int] = array("q")
        """Digest of the first sender."""
        self.bytes = (array("Q"), array("Q"))

    def add(self, number: int, source: int, size: int) -> int:
        """Count a packet; returns the end that sent it."""
        while len(self.first) <= number:
            self.first.append(source)
            for side in self.bytes:
                side.append(0)
        which = int(self.first[number] != source)
        self.bytes[which][number] += size
        return which


class Kept(NamedTuple):
    """How much of a conversation goes to which part."""

    part: int
    most: tuple[int, int]
    """Maximum number of bytes of packets that are kept, for each end."""


@dataclass
class CaptureIndex:
    """The result of the first pass."""

    kinds: tuple[Sizes, Sizes] = field(default_factory=lambda: (Sizes(), Sizes()))
    """TCP, UDP."""
    fragments: int = 0
    """Bytes of IP fragments."""
    damage: str | None = None
    owners: dict[int, str] = field(default_factory=dict)
    """Uids of the packets' owners, each with its app's name or ""; empty: the capture names none."""

    @property
    def conversations(self) -> int:
        """Number of conversations."""
        return sum(len(sizes.first) for sizes in self.kinds)


@dataclass
class Parts:
    """A capture ready to be read."""

    paths: Sequence[Path]
    damage: str | None
    """Why packets are missing; None: complete."""
    cut: Mapping[Path, Mapping[tuple[str, int], int]]
    """Part -> conversations that it holds only in part (transport, number in the part): bytes left out."""
    fragments: int
    """Bytes of IP fragments that are in no part."""
    owners: Mapping[int, str]
    """As in `CaptureIndex`."""


@contextmanager
def in_parts(path: Path, room: Path | None = None) -> Iterator[Parts]:
    """The capture in parts, which are deleted afterwards; a small one is its own only part. `room`: a folder with as
    much space as the capture. Raises UserError if tshark cannot read it, or if it cannot be divided."""
    with ExitStack() as stack:
        try:
            ready = _ready(path, room, stack)
        except OSError as error:
            what = Spoken("cannot be split into parts to be read: {strerror}.", strerror=error.strerror)
            raise FileError(
                path,
                None,
                what,
                Spoken("Make room in {room}: as much as the file takes.", room=room or tempfile.gettempdir()),
            ) from None
        yield ready


def _ready(path: Path, room: Path | None, stack: ExitStack) -> Parts:
    spool = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile(dir=room)))  # noqa: SIM115  it is entered
    index = _indexed(path, spool)
    if path.stat().st_size <= PART and index.conversations <= CONVERSATIONS:
        return Parts([path], index.damage, {}, 0, index.owners)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parts-", dir=room)))
    return _divided(path, spool, index, folder)


def _indexed(path: Path, spool: BinaryIO) -> CaptureIndex:
    """One pass over the capture; number, size, conversation and end of each packet that matters go to `spool`."""
    index = CaptureIndex()
    rows = array("I")
    command = [*tshark.LEAN, *tshark.table(INDEX), "-Y", f"{tshark.SAID} or {FRAGMENTS}"]
    said: list[str] = []
    for line in tshark.lines(path, None, command, said):
        values = line.rstrip("\n").split("\t")
        if len(values) != len(INDEX):
            continue
        frame, size, tcp, udp, *source, trailer, comment = values
        if owner := tshark.owner_of(trailer, comment):
            index.owners[owner[0]] = index.owners.get(owner[0]) or owner[1]
        if tcp or udp:
            number = int(tcp or udp)
            which = index.kinds[not tcp].add(number, hash(tuple(source)), int(size))
            rows.extend((int(frame), int(size), number << 2 | (not tcp) << 1 | which))
            if index.conversations > ALL:
                raise FileError(path, None, Spoken("has more than {all} connections.", all=ALL), CUT_OUT)
        else:
            index.fragments += int(size)
            rows.extend((int(frame), int(size), FRAGMENT))
        if len(rows) > 30_000:
            spool.write(rows.tobytes())
            del rows[:]
    spool.write(rows.tobytes())
    index.damage = tshark.damage(path, said)
    return index


def _shares(index: CaptureIndex) -> tuple[list[Kept], list[Kept]]:
    """Assign conversations to parts, in order, as many in one as fit."""
    part = used = count = 0
    kept: tuple[list[Kept], list[Kept]] = ([], [])
    for sizes, into in zip(index.kinds, kept, strict=True):
        for first, second in zip(*sizes.bytes, strict=True):
            less = min(first, second, PART // 2)
            most = (min(first, PART - less), less) if first > second else (less, min(second, PART - less))
            if count and (used + sum(most) > PART or count >= CONVERSATIONS):
                part, used, count = part + 1, 0, 0
            used, count = used + sum(most), count + 1
            into.append(Kept(part, most))
    return kept


def _divided(path: Path, spool: BinaryIO, index: CaptureIndex, folder: Path) -> Parts:
    kept = _shares(index)
    count = max((one.part for kind in kept for one in kind), default=0) + 1
    paths = [folder / f"{path.name}-{number}" for number in range(count)]
    cut: dict[Path, dict[tuple[str, int], int]] = {each: {} for each in paths}
    left = tuple([list(one.most) for one in kind] for kind in kept)
    numbers: tuple[dict[int, int], ...] = ({}, {})  # in its part, tshark gives a conversation another number
    given = [[0, 0] for _ in paths]
    lost = 0
    head, frames = _head(path)
    with path.open("rb") as file, _Written(paths, head) as out:
        rows = _rows(spool)
        wanted = next(rows, None)
        seen = 0
        for raw, size in frames(file):
            if size is None:  # a block that packets depend on
                out.everywhere(raw)
                continue
            seen += 1
            if wanted is None:
                break
            if wanted[0] != seen:
                continue
            _, expected, what = wanted
            if size not in (-1, expected):
                break
            wanted = next(rows, None)
            if what == FRAGMENT:
                lost += 0 if out.everywhere(raw, most=PART // 4) else size
                continue
            number, kind, which = what >> 2, what >> 1 & 1, what & 1
            one = kept[kind][number]
            if number not in numbers[kind]:
                numbers[kind][number] = given[one.part][kind]
                given[one.part][kind] += 1
            room = left[kind][number]
            if room[which] >= expected:
                room[which] -= expected
                out.to(one.part, raw)
            else:
                room[which] = -1  # after a hole, nothing can be reassembled
                key = (("tcp", "udp")[kind], numbers[kind][number])
                cut[paths[one.part]][key] = cut[paths[one.part]].get(key, 0) + expected
    if wanted is not None:
        raise FileError(
            path,
            None,
            Spoken("is read in parts, and its packet {wanted} has no known format.", wanted=wanted[0]),
            SAVE_AGAIN,
        )
    return Parts(paths, index.damage, cut, lost, index.owners)


def _rows(spool: BinaryIO) -> Iterator[tuple[int, int, int]]:
    spool.seek(0)
    for chunk in iter(lambda: spool.read(12 * 10_000), b""):
        yield from struct.iter_unpack("=III", chunk)


class _Written:
    """Parts being written, only some of which are open."""

    def __init__(self, paths: Sequence[Path], head: bytes) -> None:
        self.paths = paths
        self.open: OrderedDict[int, BinaryIO] = OrderedDict()
        self.spread = 0
        for path in paths:
            path.write_bytes(head)

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.open.values():
            file.close()

    def to(self, part: int, raw: bytes) -> None:
        file = self.open.get(part)
        if file is None:
            if len(self.open) >= OPEN:
                self.open.popitem(last=False)[1].close()
            file = self.open[part] = self.paths[part].open("ab")
        else:
            self.open.move_to_end(part)
        file.write(raw)

    def everywhere(self, raw: bytes, most: int | None = None) -> bool:
        """Write to all parts, up to this many bytes; returns whether it fitted."""
        if most is not None:
            if self.spread + len(raw) > most:
                return False
            self.spread += len(raw)
        for part in range(len(self.paths)):
            self.to(part, raw)
        return True


Frames = Iterator[tuple[bytes, int | None]]
"""Each packet as in the file, with its captured size (-1: not given), and other blocks (None)."""

PCAP = {
    b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">",
}  # fmt: skip
"""Magic number of a PCAP file -> its byte order."""
SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET, SECRETS = 0x0A0D0D0A, 1, 2, 3, 6, 10
"""Blocks of PCAPNG."""
JOURNAL, CUSTOM, SYSDIG = 9, (0xBAD, 0x40000BAD), range(0x204, 0x220)
"""Other blocks that tshark counts as packets."""
BLOCK = 256 << 20
"""Maximum number of bytes of a packet or block."""


def _head(path: Path) -> tuple[bytes, Callable[[BinaryIO], Frames]]:
    """The header of each part, and the reader of the rest."""
    with path.open("rb") as file:
        head = file.read(24)
    if head[:4] in PCAP:
        return head, partial(_pcap, order=PCAP[head[:4]])
    if head[:4] == struct.pack("<I", SECTION):
        return b"", _pcapng
    raise FileError(path, None, "is too large to be read at once, and is neither PCAP nor PCAPNG.", SAVE_AGAIN)


def _pcap(file: BinaryIO, order: str) -> Frames:
    file.seek(24)
    while len(head := file.read(16)) == 16:
        (size,) = struct.unpack_from(f"{order}I", head, 8)
        if size > BLOCK or len(data := file.read(size)) < size:
            return
        yield head + data, size


def _pcapng(file: BinaryIO) -> Frames:
    order = "<"
    while len(head := file.read(12)) == 12:
        if head[:4] == struct.pack("<I", SECTION):  # the same in both byte orders
            order = "<" if head[8:] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, size = struct.unpack_from(f"{order}II", head)
        if not 12 <= size <= BLOCK or len(rest := file.read(size - 12)) < size - 12:
            return
        raw = head + rest
        if kind in (PACKET, OLD_PACKET) and size >= 24:
            yield raw, struct.unpack_from(f"{order}I", raw, 20)[0]
        elif kind in (SIMPLE_PACKET, JOURNAL, *CUSTOM, *SYSDIG):
            yield raw, -1
        elif kind in (SECTION, INTERFACE, SECRETS):
            yield raw, None
