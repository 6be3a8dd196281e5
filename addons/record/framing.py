"""Finds message boundaries in protocols that have them: gRPC, MQTT, XMPP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

Piece = tuple[bytes, bool]
"""Bytes of a message, and whether they are its last."""

LONGEST_TAG = 64 * 1024
_MARK = re.compile(rb"[>\"']")
_XMPP = re.compile(rb"\s*(<\?xml[^>]{0,200}>\s*)?<(stream:stream|open)[\s>]")
_TLS_RECORD = re.compile(rb"\x16\x03[\x00-\x04]..\x01", re.DOTALL)


class Framing(Protocol):
    """Follows the bytes of one direction of a connection."""

    broken: bool
    """The bytes are not of this protocol after all; from there on nothing is cut."""

    def cut(self, data: bytes) -> Iterator[Piece]:
        """The next bytes in pieces, none of which belongs to two messages."""

    def rest(self) -> bytes:
        """Bytes still held back: the connection ended within the head of a message."""


class Prefixed:
    """Messages that begin with how long they are; a subclass knows how that is written."""

    def __init__(self) -> None:
        self.broken = False
        self.begun = bytearray()
        """The beginning of a message whose length is not known yet."""
        self.missing = 0
        """Bytes that the current message still lacks."""

    def size(self, begun: bytes) -> int | None:
        """Total size of the message with this beginning; None: more bytes are needed. Raises ValueError."""
        raise NotImplementedError

    def cut(self, data: bytes) -> Iterator[Piece]:
        """As Framing says. Bytes of a beginning are given once the length is known."""
        while data:
            if self.broken:
                yield data, False
                return
            if not self.missing:
                data = bytes(self.begun) + data
                self.begun.clear()
                try:
                    size = self.size(data)
                except ValueError:
                    self.broken = True
                    continue
                if size is None:
                    self.begun += data
                    return
                self.missing = size
            piece, data = data[: self.missing], data[self.missing :]
            self.missing -= len(piece)
            yield piece, not self.missing

    def rest(self) -> bytes:
        """As Framing says."""
        return bytes(self.begun)


class Grpc(Prefixed):
    """gRPC over HTTP/2: one byte for compression, four for the length."""

    def size(self, begun: bytes) -> int | None:
        """As Prefixed says."""
        if begun[0] not in (0, 1, 0x80):
            raise ValueError("not a gRPC message")
        return 5 + int.from_bytes(begun[1:5], "big") if len(begun) >= 5 else None


class Mqtt(Prefixed):
    """MQTT 3.1 to 5: one byte for the kind, one to four for the length."""

    def size(self, begun: bytes) -> int | None:
        """As Prefixed says."""
        if not begun[0] >> 4:
            raise ValueError("not an MQTT packet")
        size = 0
        for number, byte in enumerate(begun[1:5]):
            size |= (byte & 0x7F) << 7 * number
            if byte < 0x80:
                return 2 + number + size
        if len(begun) >= 5:
            raise ValueError("not an MQTT packet")
        return None


class Xmpp:
    """XMPP over TCP (RFC 6120): each element below the stream's own is a message, the stream's opening another."""

    def __init__(self) -> None:
        self.broken = False
        self.depth = 0
        self.tag = bytearray()
        """The tag that is being read, from its `<`."""
        self.quote = 0
        """The quotation mark that an attribute in it began with."""

    def cut(self, data: bytes) -> Iterator[Piece]:
        """As Framing says."""
        begin = at = 0
        while at < len(data) and not self.broken:
            if not self.tag:
                at = data.find(b"<", at)
                if at < 0:
                    break
                self.tag += b"<"
                at += 1
                continue
            found = _MARK.search(data, at)
            end = found.end() if found else len(data)
            self.tag += data[at:end]
            at = end
            if len(self.tag) > LONGEST_TAG:
                self.broken = True
            elif found and self._closes(found[0][0]):
                if self._is_last(bytes(self.tag)):
                    yield data[begin:at], True
                    begin = at
                self.tag.clear()
        if begin < len(data):
            yield data[begin:], False

    def _closes(self, mark: int) -> bool:
        """Whether the tag ends with this character."""
        if self.tag.startswith(b"<!"):
            return mark == ord(">") and (not self.tag.startswith(b"<![") or self.tag.endswith(b"]]>"))
        if mark == ord(">"):
            return not self.quote
        if not self.quote:
            self.quote = mark
        elif self.quote == mark:
            self.quote = 0
        return False

    def _is_last(self, tag: bytes) -> bool:
        """Whether a message ends with this tag."""
        if tag.startswith((b"<?", b"<!")):
            return False
        if tag.startswith(b"<stream:stream"):
            self.depth = 1  # also later: after authentication, a stream begins again
            return True
        if tag.startswith(b"</"):
            self.depth -= 1
            if self.depth < 0:
                self.broken = True
                return False
        elif not tag.endswith(b"/>"):
            self.depth += 1
            return False
        return self.depth <= 1

    def rest(self) -> bytes:
        """Nothing: all that was taken was given."""
        return b""


def of_request(type_: str | None) -> Framing | None:
    """The framing of an HTTP request's body by its Content-Type; None when it has none that we know."""
    if type_ and type_.startswith("application/grpc") and not type_.startswith("application/grpc-web-text"):
        return Grpc()
    return None


def of_connection(begin: bytes) -> Framing | None:
    """The framing of a raw connection by the first bytes that the client sends on it."""
    if begin[:1] == b"\x10" and (b"\x00\x04MQTT" in begin[:12] or b"\x00\x06MQIsdp" in begin[:14]):
        return Mqtt()
    if _XMPP.match(begin):
        return Xmpp()
    return None


def begins_tls(data: bytes) -> bool:
    """Whether a connection goes over to TLS with these bytes (STARTTLS)."""
    return bool(_TLS_RECORD.match(data))
