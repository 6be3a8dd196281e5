"""Records traffic without requests: messages on TCP connections, UDP datagrams, DNS queries.

A message on a TCP connection ends where its protocol says so (framing.py); without such a protocol, a message is what
the client sends until it is answered or pauses. Each datagram and each query is one message.
"""

from __future__ import annotations

import asyncio
import time

from mitmproxy import dns, tcp, udp

from addons.disk.storage import Line, time_of
from addons.disk.to_writer import Body
from addons.record.framing import Framing, begins_tls, of_connection
from addons.record.recorder import Recorder
from addons.record.unseen import is_quic
from addons.record.upload_line import dns_line, peer, raw_line

BURST_S = 0.2
"""A pause of this many seconds ends a message if the protocol does not say where messages end."""
BURST_BYTES = 1024 * 1024
"""Such a message is cut at this many bytes."""


class Burst:
    """A message that is being sent."""

    def __init__(self, line: Line, body: Body) -> None:
        self.line = line
        self.body = body
        self.due = 0.0
        """When a pause will have ended the message (monotonic); used only if the protocol does not say where it
        ends."""


class Conversation:
    """What a client sends on one connection."""

    def __init__(self, framing: Framing | None) -> None:
        self.framing = framing
        self.burst: Burst | None = None
        self.encrypted = False
        """Whether the connection has switched to TLS: nothing after that can be read."""


class Raw:
    """Records messages that belong to no request."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.open: dict[str, Conversation] = {}

    def finish(self) -> None:
        """Write the messages that are being sent; called when the proxy is told to stop."""
        for key in list(self.open):
            self._close(key)

    # -- TCP

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        message = flow.messages[-1]
        said = self.open.get(flow.id)
        if not message.from_client:
            # Written before the answer reaches the app, so that every answered message is in the recording.
            if said is not None and said.framing is None:
                self._end(said)
            return
        if self.recorder.channel is None:
            return
        if said is None:
            said = self.open[flow.id] = Conversation(of_connection(message.content))
        elif not said.encrypted and begins_tls(message.content):
            self._end(said)
            said.encrypted = True
            self.recorder.gap(peer(flow), "not_decrypted", "changed to TLS within the connection (STARTTLS)")
        if said.encrypted:
            return
        if said.framing is None:
            self._add(flow, said, message.content, message.timestamp)
            return
        for piece, last in said.framing.cut(message.content):
            self._add(flow, said, piece, message.timestamp)
            if last:
                self._end(said)
        if said.framing.broken:
            said.framing = None
            self._await_pause(flow.id, said)

    def tcp_end(self, flow: tcp.TCPFlow) -> None:
        said = self.open.get(flow.id)
        if said is not None and said.framing is not None:
            rest = said.framing.rest()
            if rest:
                self._add(flow, said, rest, time.time())
            if said.burst is not None:
                said.burst.body.problem = said.burst.body.problem or "connection closed within a message"
        self._close(flow.id)

    tcp_error = tcp_end

    def _add(self, flow: tcp.TCPFlow, said: Conversation, data: bytes, at: float) -> None:
        burst = said.burst
        over = burst is not None and (burst.due <= time.monotonic() or burst.body.seen > BURST_BYTES)
        if over and said.framing is None:
            self._end(said)
            burst = None
        if burst is None:
            burst = said.burst = Burst(raw_line(flow, "tcp"), self.recorder.body())
            if said.framing is None:
                self._await_pause(flow.id, said)
        burst.body.add(data)
        burst.line["at"] = time_of(at)
        burst.due = time.monotonic() + BURST_S

    def _await_pause(self, key: str, said: Conversation) -> None:
        if said.burst is not None:
            asyncio.get_running_loop().call_later(BURST_S, self._look, key, said.burst)

    def _look(self, key: str, burst: Burst) -> None:
        said = self.open.get(key)
        if said is None or said.burst is not burst:
            return
        left = burst.due - time.monotonic()
        if left <= 0:
            self._end(said)
        else:
            asyncio.get_running_loop().call_later(left, self._look, key, burst)

    def _end(self, said: Conversation) -> None:
        burst, said.burst = said.burst, None
        if burst is not None:
            self.recorder.upload(burst.line, burst.body)

    def _close(self, key: str) -> None:
        said = self.open.pop(key, None)
        if said is not None:
            self._end(said)

    # -- datagrams

    def udp_message(self, flow: udp.UDPFlow) -> None:
        message = flow.messages[-1]
        if self.recorder.channel is None or not message.from_client:
            return
        if is_quic(message.content):
            self.recorder.gap(peer(flow), "not_decrypted", "QUIC, within other datagrams")
            return
        body = self.recorder.body()
        body.add(message.content)
        self.recorder.upload({**raw_line(flow, "udp"), "at": time_of(message.timestamp)}, body)

    def dns_request(self, flow: dns.DNSFlow) -> None:
        if self.recorder.channel is None:
            return
        body = self.recorder.body()
        body.add(flow.request.packed)
        self.recorder.upload(dns_line(flow, flow.request.timestamp or time.time()), body)
