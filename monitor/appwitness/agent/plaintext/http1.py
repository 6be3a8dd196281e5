"""Parses HTTP/1 requests from a client's stream of bytes (RFC 9112); lenient, as apps are."""

from __future__ import annotations

import re

from appwitness.agent.plaintext.message import PlaintextMessage, WrittenPart

_METHODS = (
    b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"CONNECT", b"TRACE", b"REPORT", b"PROPFIND",
    b"PROPPATCH", b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"UNLOCK", b"SEARCH", b"NOTIFY", b"SUBSCRIBE", b"PURGE",
)  # fmt: skip
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
LONGEST_HEAD = 256 * 1024


class Http1:
    """Requests of one connection, one after the other."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = b""
        self._last: WrittenPart | None = None
        self._message: PlaintextMessage | None = None
        self._left: int | None = None
        """Bytes of the body still to come; None: chunked."""
        self._trailers = False
        self._chunk = 0
        """Bytes of a chunk still to come, including its line end."""
        self.rest: WrittenPart | None = None
        """Data after the end of HTTP/1; this parser is then done."""

    @staticmethod
    def may_begin(data: bytes) -> bool:
        """Whether a request may begin with this."""
        word, space, _ = data.partition(b" ")
        return word in _METHODS if space else any(method.startswith(data) for method in _METHODS)

    @staticmethod
    def status(data: bytes) -> int | None:
        """The status of the response that begins here."""
        found = _STATUS.match(data)
        return int(found[1]) if found else None

    def out(self, part: WrittenPart) -> list[PlaintextMessage]:
        """The requests that these bytes complete."""
        done: list[PlaintextMessage] = []
        self._last = part
        self.held += part.data
        while self.held and self.rest is None:
            before = len(self.held)
            if self._message is None:
                self._head(part)
            if self._message is not None and self._body(part):
                done.append(self._message)
                upgraded = self._is_upgrade(self._message)
                self._message = None
                if upgraded:
                    self.rest = part._replace(data=self.held)
            if len(self.held) == before:
                break
        return done

    def answered(self) -> list[PlaintextMessage]:
        """Nothing: a response completes no request."""
        return []

    def ended(self) -> list[PlaintextMessage]:
        """The request that was cut off."""
        message, self._message = self._message, None
        if message is None:
            return self._never_a_request()
        message.cut = message.cut or "broke off"
        return [message]

    def _never_a_request(self) -> list[PlaintextMessage]:
        held, self.held = self.held, b""
        if not held or self._last is None:
            return []
        message = PlaintextMessage(at=self._last.at, caller=self._last.caller, via="tcp")
        message.add(held, self._most)
        return [message]

    def _head(self, part: WrittenPart) -> None:
        head, blank, rest = self.held.partition(b"\r\n\r\n")
        if not blank:
            if len(self.held) > LONGEST_HEAD or not self.may_begin(self.held):
                self.rest = part._replace(data=self.held)
                self.held = b""
            return
        first, *lines = head.decode("utf-8", "replace").split("\r\n")
        words = first.split(" ")
        if len(words) < 3 or not words[-1].startswith("HTTP/"):
            self.rest = part._replace(data=self.held)
            self.held = b""
            return
        headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        named = {name.lower(): value for name, value in headers}
        self._message = PlaintextMessage(
            at=part.at,
            caller=part.caller,
            method=words[0],
            target=" ".join(words[1:-1]),
            authority=named.get("host"),
            headers=headers,
            may_be_answered=True,
        )
        self.held = rest
        length = named.get("content-length", "")
        self._trailers = False
        self._chunk = 0
        self._left = None if "chunked" in named.get("transfer-encoding", "").lower() else _number(length)

    def _body(self, part: WrittenPart) -> bool:
        """Take the available bytes of the body; returns whether it is complete."""
        assert self._message is not None
        self._message.at = part.at
        if self._left is not None:
            taken = self.held[: self._left]
            self._message.add(taken, self._most)
            self.held, self._left = self.held[len(taken) :], self._left - len(taken)
            return self._left == 0
        return self._chunks()

    def _chunks(self) -> bool:
        assert self._message is not None
        while True:
            if self._chunk:
                taken = self.held[: self._chunk]
                self._message.add(taken[: max(0, self._chunk - 2)], self._most)
                self.held, self._chunk = self.held[len(taken) :], self._chunk - len(taken)
                if self._chunk:
                    return False
            line, end, rest = self.held.partition(b"\r\n")
            if not end:
                return False
            if self._trailers:
                self.held = rest
                if not line:
                    return True
                continue
            self._chunk = _number(line.split(b";")[0].strip().decode("latin-1"), 16)
            self.held = rest
            if self._chunk == 0:
                self._trailers = True
            else:
                self._chunk += 2  # the line end after it

    @staticmethod
    def _is_upgrade(message: PlaintextMessage) -> bool:
        return message.method == "CONNECT" or any(name.lower() == "upgrade" for name, _ in message.headers)


def _number(text: str, base: int = 10) -> int:
    try:
        return max(0, int(text or "0", base))
    except ValueError:
        return 0
