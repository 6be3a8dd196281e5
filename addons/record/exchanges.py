"""Records HTTP requests and WebSocket messages.

**When a line is written.** `status` is part of the line, and no line is ever rewritten, so an upload waits for the head
of its response. mitmproxy passes that head on only after our hook returns, and by then the writer has the line
(disk/storage.py says what that means): whatever the app knows to be answered is in the recording, even if the proxy or
its writer is killed. An upload that has no answer `upload_wait` seconds after its end is written with `status` null, as
are those whose exchange broke off, and those that wait when the proxy is told to stop. So a kill -9 can lose only
uploads that had no answer and ended less than `upload_wait` + 0.5 seconds before.

**How a body is read.** A body with a short declared length is buffered by mitmproxy: we have it before the server sees
any of it, even when the server cannot be reached. Any other body passes through `Body.add` chunk by chunk; the writer
gets what exceeds HELD_BYTES as it arrives, so memory use stays flat. Bytes are recorded as they left the device:
chunked framing is removed, content encodings are kept. What the disk does not take in time is dropped, and a gap says
so (disk/to_writer.py).

**A request that does not end.** If its protocol has messages (gRPC), each is recorded as a separate upload as soon as
there is a next message, an answer or a pause. Any other body without a declared length is recorded in parts: the bytes
up to a pause of `PAUSE_S`, or up to a piece of the response, are one upload. Only the first line has the headers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from mitmproxy import connection, ctx, http

from addons.disk.storage import Line, time_of
from addons.disk.to_writer import SMALL, Body
from addons.record.framing import of_request
from addons.record.recorder import Recorder
from addons.record.upload_line import endpoint, headers, http_line, peer, websocket_line

SWEEP_S = 0.5
"""Seconds between checks for uploads that have waited long enough."""
PAUSE_S = 5.0
"""After a pause of this many seconds in a request without a declared length, what came so far becomes a message."""
MESSAGE_S = 0.2
"""The same for a pause after a whole message, in a protocol that has messages."""
LONG = 1024 * 1024
"""A longer WebSocket message is passed to the writer in pieces of this many bytes."""

Chunks = Iterable[bytes] | bytes


class Upload:
    """One HTTP request that is being recorded."""

    def __init__(self, flow: http.HTTPFlow, line: Line, body: Body, named: dict[str, str]) -> None:
        self.flow = flow
        self.line = line
        self.body = body
        self.length = named.get("content-length", "")
        """Declared length of the body; "" when there is none."""
        self.chunked = "transfer-encoding" in named
        self.framing = of_request(line["type"]) if not self.length else None
        self.complete = False
        self.whole = False
        """Whether `body` holds a whole message."""
        self.written = 0
        """Number of messages of this request that were written."""
        self.due = 0.0
        """When to stop waiting for the response, or for more of a request that pauses (monotonic)."""

    @property
    def short(self) -> bool:
        """Whether the declared length is so short that mitmproxy may buffer the body."""
        return self.length.isdecimal() and int(self.length) <= SMALL and not self.chunked

    @property
    def has_body(self) -> bool:
        """Whether a body was to follow the head; for requests that never became complete."""
        request = self.flow.request
        if request.is_http2 or request.is_http3:
            return request.method not in ("GET", "HEAD")
        return self.length not in ("", "0") or self.chunked


class Exchanges:
    """Records uploads over HTTP and WebSocket."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.wait = 0
        """Seconds to wait for a response before its request is written."""
        self.own: bytes | None = None
        """The Authorization header that mitmproxy adds for the tester."""
        self.pending: dict[str, Upload] = {}
        self.sweeper: asyncio.TimerHandle | None = None
        self.ending = False

    def finish(self) -> None:
        """Write all waiting uploads; called when the proxy is told to stop."""
        self.ending = True
        for upload in list(self.pending.values()):
            self._end(upload, "proxy stopped")

    # -- requests

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        if self.recorder.channel is None or flow.is_replay == "request":
            return
        if request.method == "PRI" and request.path == "*":
            self.recorder.gap(peer(flow), "protocol_unsupported", "HTTP/2 without TLS")
            return
        line, named = http_line(flow, self.own)
        upload = self.pending[flow.id] = Upload(flow, line, self.recorder.body(), named)
        if not upload.short and not flow.response and not flow.error:
            # (When a response is set already, as after failed proxy authentication, mitmproxy cannot stream.)
            request.stream = self._through(upload, request.stream)

    def _through(self, upload: Upload, inner: Callable[[bytes], Chunks] | bool) -> Callable[[bytes], Chunks]:
        """The function that mitmproxy calls with each chunk of a body; `inner` is another addon's."""

        def chunk(data: bytes) -> Chunks:
            if data:
                self._take(upload, data)
            return inner(data) if callable(inner) else data

        return chunk

    def _take(self, upload: Upload, data: bytes) -> None:
        if upload.length:
            upload.body.add(data)
            return
        if upload.framing is None:
            upload.body.add(data)
            self._look_again(upload, PAUSE_S)
            return
        for piece, last in upload.framing.cut(data):
            if upload.whole:
                self._write_message(upload)
            upload.body.add(piece)
            upload.whole = last
            if last and (upload.written or upload.flow.response):
                self._write_message(upload)
        if upload.framing.broken:
            upload.framing = None
        self._look_again(upload, MESSAGE_S if upload.whole else PAUSE_S)

    def request(self, flow: http.HTTPFlow) -> None:
        upload = self.pending.get(flow.id)
        if upload is None:
            return
        request = flow.request
        upload.complete = True
        upload.line["at"] = time_of(request.timestamp_end or time.time())
        if request.trailers:
            upload.line["headers"] += headers(request.trailers)
        if request.raw_content and not upload.body.seen:
            upload.body.add(request.raw_content)
        if upload.framing is not None:
            upload.body.add(upload.framing.rest())
        if flow.response or self.ending:
            self._write(upload)
        else:
            self._look_again(upload, self.wait)

    def _look_again(self, upload: Upload, after_s: float) -> None:
        upload.due = time.monotonic() + after_s
        if self.sweeper is None:
            self.sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """Write the uploads that have waited long enough. (One timer for all is cheaper than one for each.)"""
        self.sweeper = None
        now = time.monotonic()
        waiting = [upload for upload in self.pending.values() if upload.due]
        for upload in waiting:
            if upload.due <= now:
                if upload.complete:
                    self._write(upload)
                else:
                    upload.due = 0.0
                    if upload.whole or upload.framing is None:
                        self._write_message(upload)
        if waiting:
            self.sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        upload = self.pending.get(flow.id)
        if upload is None:
            return
        if upload.complete:
            self._write(upload)
        elif not upload.length and flow.response:
            # Answered before the request has ended: what was sent must be recorded before the app sees the answer.
            self._answered(upload)
            flow.response.stream = self._answers(upload, flow.response.stream)

    def _answers(self, upload: Upload, inner: Callable[[bytes], Chunks] | bool) -> Callable[[bytes], Chunks]:
        def chunk(data: bytes) -> Chunks:
            if data and not upload.complete:
                self._answered(upload)
            return inner(data) if callable(inner) else data

        return chunk

    def _answered(self, upload: Upload) -> None:
        if upload.body.seen and (upload.whole or upload.framing is None):
            self._write_message(upload)

    def error(self, flow: http.HTTPFlow) -> None:
        upload = self.pending.get(flow.id)
        if upload is not None:
            self._end(upload, flow.error.msg if flow.error else "broke off")

    def client_disconnected(self, client: connection.Client) -> None:
        # After an early response, mitmproxy does not report that a request breaks off.
        for upload in [one for one in self.pending.values() if one.flow.client_conn is client]:
            self._end(upload, "client disconnected")

    def _end(self, upload: Upload, reason: str) -> None:
        """Write an upload whose exchange ended before its response came or before its request was complete."""
        if not upload.complete:
            upload.line["at"] = time_of(time.time())
            if not upload.body.seen and not upload.written:
                upload.body.add(_buffered(upload.flow))
            if upload.framing is not None:
                upload.body.add(upload.framing.rest())
            if (upload.body.seen and not upload.whole) or (upload.has_body and not upload.written):
                upload.body.problem = upload.body.problem or reason
        self._write(upload)

    def _write(self, upload: Upload) -> None:
        flow = upload.flow
        if self.pending.pop(flow.id, None) is None:
            return
        if upload.written and not upload.body.seen:
            return  # everything is in the lines of its messages
        self._append(upload, upload.length)

    def _write_message(self, upload: Upload) -> None:
        """Write what has come so far of a request that goes on, as a message."""
        upload.line["at"] = time_of(time.time())
        self._append(upload, "")
        upload.written += 1
        upload.whole = False
        upload.body = self.recorder.body()
        upload.line = {**upload.line, "headers": []}

    def _append(self, upload: Upload, announced: str) -> None:
        flow = upload.flow
        upload.line["server"] = endpoint(flow.server_conn.peername)
        upload.line["status"] = flow.response.status_code if flow.response else None
        self.recorder.upload(upload.line, upload.body, announced)

    # -- WebSocket

    def websocket_message(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        if self.recorder.channel is None or flow.websocket is None:
            return None
        message = flow.websocket.messages[-1]
        if not message.from_client or message.injected:
            return None
        line = websocket_line(flow, message.timestamp)
        if len(message.content) > LONG:
            return self._record_long(line, message.content)
        body = self.recorder.body()
        body.add(message.content)
        self.recorder.upload(line, body)
        return None

    async def _record_long(self, line: Line, content: bytes) -> None:
        """Record a message piece by piece: it comes as a whole, however long it is, and the writer must be able to
        keep up."""
        body, view = self.recorder.body(), memoryview(content)
        for begin in range(0, len(view), LONG):
            body.add(view[begin : begin + LONG])
            await self.recorder.room()
        self.recorder.upload(line, body)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        begun = _buffered(flow)
        if begun and self.recorder.channel is not None:
            body = self.recorder.body()
            body.add(begun)
            body.problem = "connection closed within a message"
            self.recorder.upload(websocket_line(flow, time.time()), body)


def _buffered(flow: http.HTTPFlow) -> bytes:
    """The bytes that mitmproxy holds of an incomplete body or message. There is no API for this, so we look for the
    layer that has them."""
    server = ctx.master.addons.get("proxyserver")
    live = server.connections.get(flow.client_conn.id) if server else None
    found: list[Any] = [live.layer] if live else []
    seen: set[int] = set()
    while found:
        one = found.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if getattr(one, "flow", None) is flow:
            if flow.websocket is not None and hasattr(one, "client_ws"):
                return b"".join(one.client_ws.frame_buf)
            if flow.websocket is None and hasattr(one, "request_body_buf"):
                return bytes(one.request_body_buf)
        found += one.context.layers
        found += (getattr(one, "child_layer", None), getattr(one, "layer", None), *getattr(one, "streams", {}).values())
    return b""
