"""Makes uploads from what the agent sees in TLS libraries: the plaintext of connections that the proxy cannot
decrypt."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from appwitness.agent.agent_messages import About, PlainSent, RefusedMessage
from appwitness.agent.plaintext.http1 import Http1
from appwitness.agent.plaintext.http2 import PREFACE, Http2
from appwitness.agent.plaintext.message import MOST_BYTES, PlaintextMessage, WritingCode, WrittenPart
from appwitness.agent.plaintext.raw import RawMessages
from appwitness.events import Event, Gap, Tls, Upload

__all__ = ["MOST_BYTES", "Plaintext"]

WAIT_S = 3.0
"""How long a request waits for its response, by the host's clock, before it is written without a status."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
MOST_LINKS = 10_000
"""Maximum number of connections that are followed at a time."""
ENOUGH = 16
"""This many bytes are enough to tell the protocol."""


@dataclass
class _Link:
    """One connection."""

    about: About
    caller: WritingCode = field(default_factory=WritingCode)
    at: datetime = LONG_AGO
    """When something was last written."""
    begun: bytes = b""
    speaks: Http1 | Http2 | RawMessages | None = None
    waiting: list[PlaintextMessage] = field(default_factory=list)
    """Complete requests without a response yet; the first is answered first."""


class Plaintext:
    """Takes the agent's messages in order; may be called from several threads."""

    def __init__(
        self,
        app: str,
        put_body: Callable[[bytes], str | None],
        clock: Callable[[], float],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`put_body` stores bytes in bodies/ and returns their sha256, or None. `clock` returns monotonic seconds."""
        self._app = app
        self._put_body = put_body
        self._clock = clock
        self._most = most_bytes
        self.links: dict[int, _Link] = {}
        self._lock = threading.Lock()

    def feed(self, message: PlainSent, data: bytes, pid: int | None) -> list[Event]:
        """Take one message of the agent; returns the events that can be written now. Raises
        RefusedMessage if there are too many connections."""
        with self._lock:
            at = datetime.fromtimestamp(message.at / 1_000_000, UTC)
            if message.id not in self.links and len(self.links) >= MOST_LINKS:
                raise RefusedMessage(f"plaintext of more than {MOST_LINKS} connections at a time")
            link = self.links.setdefault(message.id, _Link(About()))
            link.about = message.about or link.about
            try:
                match message.way:
                    case "out":
                        if message.stack is not None:
                            link.caller = WritingCode(tuple(message.stack), tuple(message.owners or ()))
                        link.at = at
                        done = self._out(link, WrittenPart(at, data, link.caller))
                    case "in":
                        done = self._answered(link, at, data)
                    case "end":
                        self.links.pop(message.id)
                        done = self._ended(link)
                return [event for one in done for event in self._written(link, one, pid)]
            except Exception:
                self.links.pop(message.id, None)  # later data on it could no longer be parsed
                raise

    def due(self, pid: int | None) -> list[Event]:
        """The requests that have waited long enough for a response."""
        with self._lock:
            now = self._clock()
            events: list[Event] = []
            for link in self.links.values():
                late = [one for one in link.waiting if now - one.complete >= WAIT_S]
                link.waiting = [one for one in link.waiting if one not in late]
                paused = link.speaks.paused(now) if isinstance(link.speaks, RawMessages) else []
                events += [event for one in (*late, *paused) for event in self._written(link, one, pid)]
            return events

    def close(self, pid: int | None) -> list[Event]:
        """Everything that is pending, at the end of the run."""
        with self._lock:
            links, self.links = self.links, {}
            return [
                event for link in links.values() for one in self._ended(link) for event in self._written(link, one, pid)
            ]

    def _out(self, link: _Link, part: WrittenPart) -> list[PlaintextMessage]:
        if link.speaks is None:
            link.begun += part.data
            if len(link.begun) < ENOUGH and (PREFACE.startswith(link.begun) or Http1.may_begin(link.begun)):
                return []
            link.speaks = self._language(link.begun)
            part = part._replace(data=link.begun)
            link.begun = b""
        done = link.speaks.out(part)
        if isinstance(link.speaks, Http1) and link.speaks.rest is not None:
            # From here on it is something else: a WebSocket, or no HTTP after all.
            rest, link.speaks = link.speaks.rest, RawMessages(self._clock, self._most)
            done += link.speaks.out(rest) if rest.data else []
        now = self._clock()
        for one in done:
            one.complete = now
        later = [one for one in done if one.may_be_answered]
        link.waiting += later
        return [one for one in done if one not in later]

    def _language(self, begun: bytes) -> Http1 | Http2 | RawMessages:
        if begun.startswith(PREFACE[:ENOUGH]):
            return Http2(self._most)
        return Http1(self._most) if Http1.may_begin(begun) else RawMessages(self._clock, self._most)

    def _answered(self, link: _Link, at: datetime, data: bytes) -> list[PlaintextMessage]:
        if isinstance(link.speaks, RawMessages):
            return link.speaks.answered()
        status = Http1.status(data)
        if status is None or not link.waiting or 100 <= status < 101 or 102 <= status < 200:
            return []
        first = link.waiting.pop(0)
        first.status = status
        return [first]

    def _ended(self, link: _Link) -> list[PlaintextMessage]:
        done, link.waiting = link.waiting, []
        if link.speaks is None and link.begun:
            link.speaks = RawMessages(self._clock, self._most)
            link.speaks.out(WrittenPart(link.at, link.begun, link.caller))
        return done + (link.speaks.ended() if link.speaks else [])

    def _written(self, link: _Link, message: PlaintextMessage, pid: int | None) -> list[Event]:
        about = link.about
        body = bytes(message.body)
        stored = self._put_body(body) if body else None
        cut = message.cut or ("not stored, the recording is full" if body and stored is None else None)
        local, remote = about.local, about.remote
        host = message.host or about.host or (remote.ip if remote else None)
        upload = Upload(
            at=message.at,
            app=self._app,
            pid=pid,
            via=message.via,
            method=message.method,
            url=message.url(host),
            host=host,
            headers=tuple(message.headers),
            body=stored,
            size=len(body),
            type=next((value for name, value in message.headers if name.lower() == "content-type"), None),
            truncated=cut is not None,
            client=local,
            server=remote if remote and _is_far(remote.ip) else None,
            tls=Tls(version=about.version, sni=about.host, alpn=about.alpn or None),
            status=message.status,
            stack=message.caller.stack,
            owners=message.caller.owners,
        )
        events: list[Event] = [upload]
        if cut is not None:
            detail = f"body {stored or '-'}, {len(body) if stored else 0} of {message.size} bytes: {cut}"
            events.append(
                Gap(
                    at=message.at,
                    app=self._app,
                    pid=pid,
                    where="hook",
                    subject=host or "",
                    why="body_truncated",
                    detail=detail,
                )
            )
        return events


def _is_far(ip: str) -> bool:
    """Whether an address may be the recipient's; a local one is the proxy's."""
    try:
        return ipaddress.ip_address(ip).is_global
    except ValueError:
        return False
