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
    """Whether the bytes turned out not to be of this protocol; from then on nothing is split."""

    def cut(self, data: bytes) -> Iterator[Piece]:
        """The next bytes in pieces, each of which belongs to one message."""

    def rest(self) -> bytes:
        """Bytes still held back, when the connection ended inside the head of a message."""


class Prefixed:
    """Messages with a length prefix; a subclass knows its format."""

    def __init__(self) -> None:
        self.broken = False
        self.begun = bytearray()
        """The beginning of a message whose length is still unknown."""
        self.missing = 0
        """Bytes that the current message still lacks."""

    def size(self, begun: bytes) -> int | None:
        """Total size of the message that begins with `begun`; None when more bytes are needed. Raises ValueError if
        it is not of this protocol."""
        raise NotImplementedError

    def cut(self, data: bytes) -> Iterator[Piece]:
        """See Framing. The first bytes of a message are held back until its length is known."""
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
        """See Framing."""
        return bytes(self.begun)


class Grpc(Prefixed):
    """gRPC over HTTP/2: one byte for compression, four for the length."""

    def size(self, begun: bytes) -> int | None:
        """See Prefixed."""
        if begun[0] not in (0, 1, 0x80):
            raise ValueError("not a gRPC message")
        return 5 + int.from_bytes(begun[1:5], "big") if len(begun) >= 5 else None


class Mqtt(Prefixed):
    """MQTT 3.1 to 5: one byte for the packet type, one to four for the length."""

    def size(self, begun: bytes) -> int | None:
        """See Prefixed."""
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
    """XMPP over TCP (RFC 6120): each child element of the stream is a message, and so is the opening of the stream."""

    def __init__(self) -> None:
        self.broken = False
        self.depth = 0
        self.tag = bytearray()
        """The tag being read, from its `<`."""
        self.quote = 0
        """The quotation mark that opened the current attribute value; 0 outside of one."""

    def cut(self, data: bytes) -> Iterator[Piece]:
        """See Framing."""
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
        """Whether this character ends the tag."""
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
        """Whether this tag ends a message."""
        if tag.startswith((b"<?", b"<!")):
            return False
        if tag.startswith(b"<stream:stream"):
            self.depth = 1  # not only at first: after authentication, the stream begins again
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
        """Always empty: nothing is held back."""
        return b""


def of_request(type_: str | None) -> Framing | None:
    """The framing of an HTTP request's body, by its Content-Type; None when it has none that we know."""
    if type_ and type_.startswith("application/grpc") and not type_.startswith("application/grpc-web-text"):
        return Grpc()
    return None


def of_connection(begin: bytes) -> Framing | None:
    """The framing of a raw connection, by the first bytes from the client; None when it has none that we know."""
    if begin[:1] == b"\x10" and (b"\x00\x04MQTT" in begin[:12] or b"\x00\x06MQIsdp" in begin[:14]):
        return Mqtt()
    if _XMPP.match(begin):
        return Xmpp()
    return None


def begins_tls(data: bytes) -> bool:
    """Whether a connection switches to TLS with these bytes (STARTTLS)."""
    return bool(_TLS_RECORD.match(data))
