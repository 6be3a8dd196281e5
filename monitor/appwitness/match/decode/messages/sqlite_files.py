"""Decoders of SQLite files and their write-ahead logs: the rows of every table, read from the pages as sent."""

from __future__ import annotations

import re
import struct

from appwitness.match.decode.walk.paths import child_path
from appwitness.match.decode.walk.pieces import Found, Room, UploadPiece, begins, decoder
from appwitness.match.decode.walk.reader import Broken, format_real, number

Chunk = tuple[int, int]
"""A range in the file: its first byte, and the byte after its last."""

FIXED = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial type of an integer -> its size in bytes."""
CONSTRAINT = re.compile(r"(?i)(?:primary|unique|check|foreign|constraint)\b")
QUOTED = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|'([^']*)'|([^\s(]+))""")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(9):
        if at >= len(data):
            raise Broken
        byte = data[at]
        at += 1
        if count == 8:
            return value << 8 | byte, at
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    raise Broken


def columns(sql: str) -> list[str]:
    """The column names of a table, from the statement that created it; `*name` for the column that is the row
    number."""
    names: list[str] = []
    depth = start = 0
    inside = sql[sql.find("(") + 1 :]
    parts: list[str] = []
    for at, char in enumerate(inside):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        if depth < 0 or (char == "," and depth == 0):
            parts.append(inside[start:at])
            start = at + 1
            if depth < 0:
                break
    for part in parts:
        name = QUOTED.match(part)
        if not name or CONSTRAINT.match(part.strip()):
            continue
        plain = next((group for group in name.groups() if group is not None), "")
        is_number = re.match(r"(?i)\s+integer\s+primary\s+key\b", part[name.end() :])
        names.append(f"*{plain}" if is_number else plain)
    return names


class _DatabaseFile:
    """The pages of one file."""

    def __init__(self, piece: UploadPiece, room: Room) -> None:
        self.piece = piece
        self.room = room
        data = self.data = piece.data
        size = int.from_bytes(data[16:18])
        self.page = 65536 if size == 1 else size
        if self.page < 512 or self.page & (self.page - 1) or len(data) < 512:
            raise Broken
        self.usable = self.page - data[20]
        self.charset = {2: "utf-16le", 3: "utf-16be"}.get(int.from_bytes(data[56:60]), "utf-8")
        self.seen: set[int] = set()
        self.found: list[UploadPiece] = []
        self.broken = 0
        self.left = len(data)

    def loose(self) -> None:
        """Append the rows of pages whose tables are not known: those of a log, each page as last written."""
        for which in range(1, len(self.data) // self.page + 1):
            at = (which - 1) * self.page + (100 if which == 1 else 0)
            if self.data[at] not in (0x0A, 0x0D):
                continue
            records: list[tuple[int, list[Chunk]]] = []
            try:
                self._page(which, [], records)
            except Broken:
                self.broken += 1
            for index, (_, chunks) in enumerate(records):
                try:
                    values = self.values(chunks)
                except Broken:
                    self.broken += 1
                    continue
                for column, (kind, raw, start, end) in enumerate(values):
                    self.value(kind, raw, start, end, f"{self.piece.path}[{which - 1}][{index}][{column}]")
            if len(self.found) > self.room.leaves_left:
                return

    def rows(self, root: int) -> list[tuple[int, list[Chunk]]]:
        """The row number and the ranges of each record below a page, in order."""
        records: list[tuple[int, list[Chunk]]] = []
        pages = [root]
        while pages and len(records) <= self.room.leaves_left:
            number_of_page = pages.pop()
            if number_of_page in self.seen:
                continue
            self.seen.add(number_of_page)
            try:
                self._page(number_of_page, pages, records)
            except Broken:
                self.broken += 1
        return records

    def _page(self, which: int, pages: list[int], records: list[tuple[int, list[Chunk]]]) -> None:
        base = (which - 1) * self.page
        at = base + (100 if which == 1 else 0)
        if which < 1 or at + 12 > len(self.data):
            raise Broken
        kind = self.data[at]
        if kind not in (0x02, 0x05, 0x0A, 0x0D):
            raise Broken
        count = int.from_bytes(self.data[at + 3 : at + 5])
        first = at + (12 if kind < 0x0A else 8)
        if first + 2 * count > min(base + self.page, len(self.data)):
            raise Broken
        cells = [base + cell for (cell,) in struct.iter_unpack(">H", self.data[first : first + 2 * count])]
        below: list[int] = []
        for cell in cells:
            try:
                if kind < 0x0A:
                    below.append(int.from_bytes(self.data[cell : cell + 4]))
                    cell += 4
                if kind != 0x05:
                    records.append(self._cell(cell, table=kind == 0x0D))
            except Broken:
                self.broken += 1
        if kind < 0x0A:
            pages.append(int.from_bytes(self.data[at + 8 : at + 12]))
        pages.extend(reversed(below))

    def _cell(self, at: int, *, table: bool) -> tuple[int, list[Chunk]]:
        size, at = _varint(self.data, at)
        row = 0
        if table:
            row, at = _varint(self.data, at)
        if size > len(self.data):
            raise Broken
        most = self.usable - 35 if table else (self.usable - 12) * 64 // 255 - 23
        if size <= most:
            if at + size > len(self.data):
                raise Broken
            return row, [(at, at + size)]
        least = (self.usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (self.usable - 4)
        local = local if local <= most else least
        chunks = [(at, at + local)]
        left = size - local
        following = int.from_bytes(self.data[at + local : at + local + 4])
        while left > 0:
            base = (following - 1) * self.page
            if following < 1 or base + 4 > len(self.data) or following in self.seen:
                raise Broken
            self.seen.add(following)
            take = min(left, self.usable - 4)
            chunks.append((base + 4, base + 4 + take))
            left -= take
            following = int.from_bytes(self.data[base : base + 4])
        return row, chunks

    def values(self, chunks: list[Chunk]) -> list[tuple[int, bytes, int, int]]:
        """Serial type, bytes and range of each value of a record."""
        self.left -= sum(end - start for start, end in chunks)
        if self.left < 0:  # records that overlap
            raise Broken
        record = b"".join(self.data[start:end] for start, end in chunks)
        whole = len(chunks) == 1
        begin, stop = min(start for start, _ in chunks), max(end for _, end in chunks)
        head, at = _varint(record, 0)
        kinds: list[int] = []
        if head > len(record):
            raise Broken
        while at < head:
            kind, at = _varint(record, at)
            kinds.append(kind)
        found: list[tuple[int, bytes, int, int]] = []
        at = head
        for kind in kinds:
            size = 8 if kind == 7 else FIXED.get(kind, 0) if kind < 12 else (kind - 12) // 2
            raw = record[at : at + size]
            if len(raw) < size:
                raise Broken
            found.append((kind, raw, begin + at, begin + at + size) if whole else (kind, raw, begin, stop))
            at += size
        if not whole and not self.room.take(len(record), self.piece, "sqlite"):
            raise Broken
        return found

    def text(self, raw: bytes) -> str:
        return raw.decode(self.charset, "replace")

    def table(self, name: str, root: int, sql: str) -> None:
        """Append the rows of a table."""
        names = [] if re.search(r"(?i)\)\s*without\s+rowid", sql) else columns(sql)
        prefix = child_path(self.piece.path, name)
        for index, (row, chunks) in enumerate(self.rows(root)):
            try:
                values = self.values(chunks)
            except Broken:
                self.broken += 1
                continue
            for column, (kind, raw, start, end) in enumerate(values):
                key = names[column] if column < len(names) else ""
                path = f"{prefix}[{index}]"
                path = child_path(path, key.removeprefix("*")) if key else f"{path}[{column}]"
                if kind == 0 and key.startswith("*"):
                    self.number(str(row), start, end, path)
                else:
                    self.value(kind, raw, start, end, path)
            if len(self.found) > self.room.leaves_left:
                return

    def number(self, text: str, start: int, end: int, path: str) -> None:
        if len(text) > 4:
            self.found.append(number(self.piece, "sqlite", text, start, end, path))

    def value(self, kind: int, raw: bytes, start: int, end: int, path: str) -> None:
        if kind in FIXED:
            self.number(str(int.from_bytes(raw, signed=True)), start, end, path)
        elif kind == 7:
            self.number(format_real(struct.unpack(">d", raw)[0], wide=True), start, end, path)
        elif raw and kind >= 12:
            data = self.text(raw).encode("utf-8", "replace") if kind % 2 and self.charset != "utf-8" else raw
            if data is raw and end - start == len(raw):
                self.found.append(self.piece.part("sqlite", start, end, path))
            else:
                self.found.append(self.piece.turned("sqlite", data, start, end, path))


@decoder("sqlite", "binary", order=980, guess=False, sieve="covered", seen_in="Android's SQLiteDatabase")
@begins(rb"SQLite format 3\x00")
def sqlite(piece: UploadPiece, room: Room) -> Found:
    """The rows of every table, under its name, the row's index and the column's name: `$.people[3].phone`."""
    try:
        file = _DatabaseFile(piece, room)
    except Broken:
        return None
    for _, chunks in file.rows(1):
        try:
            values = file.values(chunks)
        except Broken:
            file.broken += 1
            continue
        if len(values) < 5 or file.text(values[0][1]) != "table":
            continue
        file.table(file.text(values[1][1]), int.from_bytes(values[3][1]), file.text(values[4][1]))
    if file.broken:
        room.stop(f"sqlite at {piece.path}: {file.broken} pages or records are missing or broken")
    return file.found or None


LOG_HEAD = 32
FRAME_HEAD = 24


@decoder("sqlite log", "binary", order=990, guess=False, sieve="covered", seen_in="Android's Room, in write-ahead mode")
@begins(rb"\x37\x7f\x06[\x82\x83].{4}")
def log(piece: UploadPiece, room: Room) -> Found:
    """The write-ahead log of a database (`-wal`): the rows of its pages.

    If the log has the first page, its pages are read as the database file that they form; otherwise, page by page.
    """
    data = piece.data
    size = int.from_bytes(data[8:12])
    if size < 512 or size & (size - 1) or size > 65536:
        return None
    pages: dict[int, bytes] = {}
    for at in range(LOG_HEAD, len(data) - FRAME_HEAD - size + 1, FRAME_HEAD + size):
        which = int.from_bytes(data[at : at + 4])
        pages[which] = data[at + FRAME_HEAD : at + FRAME_HEAD + size]
    if not pages or not room.take(len(data), piece, "sqlite log"):
        return None
    if pages.get(1, b"").startswith(b"SQLite format 3") and max(pages) <= 4 * len(pages):
        whole = b"".join(pages.get(which, bytes(size)) for which in range(1, max(pages) + 1))
        return [piece.whole("sqlite log", whole)]
    head = b"SQLite format 3\0" + size.to_bytes(2) if size < 65536 else b"SQLite format 3\0\0\1"
    first = head + bytes(38) + b"\0\0\0\1" + bytes(size - len(head) - 42)
    inner = piece.whole("sqlite log", first + b"".join(pages.values()))
    try:
        file = _DatabaseFile(inner, room)
    except Broken:
        return None
    file.loose()
    return file.found or None
