"""The mitmproxy addon that records each upload: line in uploads.jsonl, bytes in bodies/, what it missed in gaps.jsonl.

Works with the stock programs (`mitmdump -s addons/uploads.py --set recording=DIR`) and in capture.py. Standard library
and mitmproxy only; the lines are those of the recording contract (monitor/events.py is its other side).

**When a line is written.** `status` stands in the same line and no line is ever rewritten, so an upload waits for the
head of its response. mitmproxy passes that head on only after our hook returns: whatever the app knows to be answered
is in the recording, whenever the proxy is killed. An upload without an answer `upload_wait` seconds after its end is
written with `status` null, as is one whose exchange broke off, and each one that waits when the proxy is told to stop.
So a kill -9 can lose only uploads that had no answer yet and ended less than `upload_wait` + 0.5 seconds before.

**How a body is taken.** A body that says it is short is buffered by mitmproxy: we have it before the server sees any of
it, also when the server cannot be reached. Any other passes through `Body.add` chunk by chunk on its way, so that
memory stays flat. Bytes are as they left the device: chunked framing is gone, content encodings are untouched.

**What has no requests.** On a raw TCP connection a message is what the client sends until it is answered or pauses; a
UDP datagram and a DNS query are one each.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import itertools
import json
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mitmproxy import connection, ctx, dns, exceptions, http, tcp, tls, udp
from mitmproxy.addonmanager import Loader
from mitmproxy.net.dns import types as dns_types
from mitmproxy.proxy import layer, layers
from mitmproxy.utils import human

try:
    import fcntl
except ImportError:  # Windows: there, nobody else may write the same recording
    fcntl = None  # type: ignore[assignment]

SMALL = 64 * 1024
"""Bytes of a body that may be held in memory; a longer one goes to disk as it comes."""
BACKLOG = 1000
"""Lines kept for another try while the disk refuses them."""
SWEEP_S = 0.5
"""How often to look for uploads that have waited long enough."""
FOLD_S = 60.0
"""The same gap within this time is counted, and told in one line at its end."""
BURST_S = 0.2
"""A pause this long ends a message on a connection that has no messages of its own (raw TCP)."""
BURST_BYTES = 1024 * 1024
"""A message there is cut at this many bytes."""
SILENT_S = 5.0
"""A client that closes this soon after its TLS handshake, and asked nothing, most likely pins a certificate."""

ALERT = re.compile(r"alert ([a-z][a-z ]*[a-z])")
"""The alert in what OpenSSL says of a handshake: `tlsv1 alert unknown ca`."""

Line = dict[str, Any]
Chunks = Iterable[bytes] | bytes

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_part = itertools.count(1)


class Lines:
    """A file of the recording that whole lines are appended to, by other processes too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self.backlog: deque[bytes] = deque()
        self.dropped = 0

    def append(self, line: Line) -> OSError | None:
        """Write a line, after those that could not be written before. Returns what was in the way, if anything."""
        self.backlog.append((_encode(line) + "\n").encode("utf-8", "replace"))
        if len(self.backlog) > BACKLOG:
            self.backlog.popleft()
            self.dropped += 1
        try:
            while self.backlog:
                self._write(self.backlog[0])
                self.backlog.popleft()
        except OSError as error:
            return error
        return None

    def _write(self, data: bytes) -> None:
        with _locked(self.fd):
            end = os.fstat(self.fd).st_size
            if end and os.pread(self.fd, 1, end - 1) != b"\n":
                # A writer was killed, or the disk was full, in the middle of a line: it stays a line of its own.
                data = b"\n" + data
            while data:
                data = data[os.write(self.fd, data) :]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)


@contextmanager
def _locked(fd: int) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


class Body:
    """The bytes of one upload, on their way to bodies/<sha256>."""

    def __init__(self, folder: str, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.seen = 0
        """Bytes that passed."""
        self.kept = 0
        """Bytes of them that are, or will be, stored: all of them, or a beginning."""
        self.problem: str | None = None
        """Why only a beginning is stored."""
        self.digest: str | None = None
        self._memory = bytearray()
        self._hash = hashlib.sha256()
        self._part = ""
        self._fd = -1

    def add(self, data: bytes) -> None:
        """Take the next bytes. Never raises: mitmproxy would close the app's connection, and traffic must go on."""
        self.seen += len(data)
        if self.problem:
            return
        if self.kept + len(data) > self.limit:
            data = data[: self.limit - self.kept]
            self.problem = f"limit of {self.limit} bytes"
        try:
            if self._fd >= 0:
                self._spill(data)
            else:
                self._memory += data
                self.kept += len(data)
                if self.kept > SMALL:
                    self._open()
        except Exception as error:
            self.problem = str(error)

    def store(self) -> str | None:
        """Put what was taken into place and return its sha256; None when there is nothing. Never raises."""
        if self.digest is None and self.kept:
            try:
                self.digest = self._store()
            except Exception as error:
                self.problem = str(error)
            finally:
                self._memory.clear()
                self._discard()
            if self.digest is None:
                self.kept = 0
        return self.digest

    def _store(self) -> str | None:
        if self._fd < 0:
            digest = hashlib.sha256(self._memory).hexdigest()
            if os.access(f"{self.folder}/{digest}", os.F_OK):
                return digest
            self._open()
        digest = self._hash.hexdigest()
        if not self.kept:
            return None
        place = f"{self.folder}/{digest}"
        if not os.access(place, os.F_OK):
            os.replace(self._part, place)  # noqa: PTH105 as below
            self._part = ""
        return digest

    def _open(self) -> None:
        """Move what is in memory to a file of its own, named so that nobody takes it for a body."""
        # Bare system calls here: with pathlib, this is a tenth of what the proxy does for a small request.
        part = f"{self.folder}/.{os.getpid()}-{next(_part)}.part"
        self._fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._part = part
        data, self._memory = self._memory, bytearray()
        self.kept = 0
        try:
            self._spill(data)
        except OSError as error:
            self.problem = str(error)

    def _spill(self, data: bytes | bytearray) -> None:
        view = memoryview(data)
        while view:
            # Only what the disk really took is hashed and counted, so that a beginning still has its right name.
            written = os.write(self._fd, view)
            self._hash.update(view[:written])
            self.kept += written
            view = view[written:]

    def _discard(self) -> None:
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1
        if self._part:
            with suppress(OSError):
                os.unlink(self._part)  # noqa: PTH108 as above
            self._part = ""


class Upload:
    """One HTTP request that is being recorded."""

    def __init__(self, flow: http.HTTPFlow, line: Line, body: Body, named: dict[str, str]) -> None:
        self.flow = flow
        self.line = line
        self.body = body
        self.length = named.get("content-length", "")
        """Bytes that the request announces, "" when it does not."""
        self.chunked = "transfer-encoding" in named
        self.complete = False
        self.due = 0.0
        """When to stop waiting for the response (monotonic); set once complete."""

    @property
    def short(self) -> bool:
        """Whether the body is announced to be so short that mitmproxy may buffer it."""
        return self.length.isdecimal() and int(self.length) <= SMALL and not self.chunked

    @property
    def has_body(self) -> bool:
        """Whether there is more to come after the head, in a request that never became complete."""
        request = self.flow.request
        if request.is_http2 or request.is_http3:
            return request.method not in ("GET", "HEAD")
        return self.length not in ("", "0") or self.chunked

    def stream_through(self, inner: Callable[[bytes], Chunks] | bool) -> Callable[[bytes], Chunks]:
        """What mitmproxy shall call with each chunk of the body; `inner` is what another addon wanted it to call."""

        def chunk(data: bytes) -> Chunks:
            if data:
                self.body.add(data)
            return inner(data) if callable(inner) else data

        return chunk


class Burst:
    """What a client sends on a raw connection before it pauses or is answered: one message, as far as can be told."""

    def __init__(self, line: Line, body: Body) -> None:
        self.line = line
        self.body = body
        self.due = 0.0
        """When a pause has ended it (monotonic)."""


class Uploads:
    """Records what leaves the device."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.lines: Lines | None = None
        self.gaps: Lines | None = None
        self.limit = 0
        self.wait = 0
        self.sweeper: asyncio.TimerHandle | None = None
        self.pending: dict[str, Upload] = {}
        self.bursts: dict[str, Burst] = {}
        self.silent: dict[str, tuple[float, str, Line]] = {}
        self.refusing: set[str] = set()
        """Hosts whose app has refused our certificate; with `pass_refused` its later connections pass undecrypted."""
        self.repeats: dict[tuple[str, str, str], list[Line]] = {}
        self.ending = False

    # -- options

    def load(self, loader: Loader) -> None:
        loader.add_option("recording", str, "", "Folder of the recording that uploads are written into.")
        loader.add_option(
            "upload_limit", str, "4g", "Longest body that is stored whole; of a longer one, so much. Understands k/m/g."
        )
        loader.add_option("upload_wait", int, 3, "Seconds to wait for a response before its request is written.")
        loader.add_option(
            "pass_refused",
            bool,
            False,
            "A host for which an app refused our certificate is let through undecrypted from then on; a gap says so.",
        )

    def configure(self, updated: set[str]) -> None:
        if "upload_limit" in updated:
            try:
                self.limit = human.parse_size(ctx.options.upload_limit) or 0
            except ValueError as error:
                raise exceptions.OptionsError(
                    f"upload_limit is not a size: {ctx.options.upload_limit!r}. Write it as 500m or 4g."
                ) from error
        if "upload_wait" in updated:
            self.wait = ctx.options.upload_wait
        if "recording" in updated:
            self._open(ctx.options.recording)

    def _open(self, name: str) -> None:
        if not name:
            raise exceptions.OptionsError("recording is not set. Name the folder of a recording: --set recording=DIR")
        folder = Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise exceptions.OptionsError(f"recording: {folder} is not a folder. Make it, or name another one.")
        try:
            bodies = folder / "bodies"
            bodies.mkdir(mode=0o700, exist_ok=True)
            probe = bodies / f".{os.getpid()}-{next(_part)}.part"
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            probe.unlink()
            lines, gaps = Lines(folder / "uploads.jsonl"), Lines(folder / "gaps.jsonl")
        except OSError as error:
            raise exceptions.OptionsError(
                f"recording: {folder} cannot be written ({error.strerror}). Mend that, or name another folder."
            ) from error
        for old in (self.lines, self.gaps):
            if old is not None:
                old.close()
        self.folder, self.lines, self.gaps = str(bodies), lines, gaps

    def done(self) -> None:
        self.ending = True
        for upload in list(self.pending.values()):
            self._end(upload, "proxy stopped")
        for burst in list(self.bursts):
            self._end_burst(burst)
        for key in list(self.repeats):
            self._tell_repeats(key)

    # -- HTTP

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request = flow.request
        if self.folder is None or flow.is_replay == "request":
            return
        self.silent.pop(flow.client_conn.id, None)
        if request.method == "PRI" and request.path == "*":
            self._gap(_peer(flow), "protocol_unsupported", "HTTP/2 without TLS")
            return
        line, named = _http_line(flow)
        upload = self.pending[flow.id] = Upload(flow, line, Body(self.folder, self.limit), named)
        if not upload.short and not flow.response and not flow.error:
            # (With a response that is set already, mitmproxy cannot stream: proxy authentication failed.)
            request.stream = upload.stream_through(request.stream)

    def request(self, flow: http.HTTPFlow) -> None:
        upload = self.pending.get(flow.id)
        if upload is None:
            return
        request = flow.request
        upload.complete = True
        upload.line["at"] = _time(request.timestamp_end or time.time())
        if request.trailers:
            upload.line["headers"] += _headers(request.trailers)
        if request.raw_content and not upload.body.seen:
            upload.body.add(request.raw_content)
        # The body is in place before anybody hears of the request's end; the line waits for the status.
        upload.body.store()
        if flow.response or self.ending:
            self._write(upload)
        else:
            upload.due = time.monotonic() + self.wait
            if self.sweeper is None:
                self.sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """Write the uploads that have waited long enough. (One timer for all is cheaper than one each.)"""
        self.sweeper = None
        now = time.monotonic()
        waiting = [upload for upload in self.pending.values() if upload.complete]
        for upload in waiting:
            if upload.due <= now:
                self._write(upload)
        if waiting:
            self.sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        upload = self.pending.get(flow.id)
        if upload is not None and upload.complete:
            self._write(upload)

    def error(self, flow: http.HTTPFlow) -> None:
        upload = self.pending.get(flow.id)
        if upload is not None:
            self._end(upload, flow.error.msg if flow.error else "broke off")

    def client_disconnected(self, client: connection.Client) -> None:
        # After an early response, mitmproxy says nothing of a request that then breaks off.
        for upload in [one for one in self.pending.values() if one.flow.client_conn is client]:
            self._end(upload, "client disconnected")
        begun, host, about = self.silent.pop(client.id, (0.0, "", {}))
        if time.monotonic() - begun < SILENT_S and host:
            self.refusing.add(host)
            self._gap(host, "tls_refused", "closed after the handshake, no request", about=about)

    def _end(self, upload: Upload, reason: str) -> None:
        """An exchange is over before its response came, or before its request was complete."""
        if not upload.complete:
            upload.line["at"] = _time(time.time())
            if not upload.body.seen:
                upload.body.add(_buffered(upload.flow))
            if upload.body.seen or upload.has_body:
                upload.body.problem = upload.body.problem or reason
        self._write(upload)

    def _write(self, upload: Upload) -> None:
        flow = upload.flow
        if self.pending.pop(flow.id, None) is None:
            return
        upload.line["server"] = _endpoint(flow.server_conn.peername)
        upload.line["status"] = flow.response.status_code if flow.response else None
        self._upload(upload.line, upload.body, upload.length)

    # -- WebSocket

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        if self.folder is None or flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        if message.from_client and not message.injected:
            body = Body(self.folder, self.limit)
            body.add(message.content)
            self._upload(_websocket_line(flow, message.timestamp), body)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        begun = _buffered(flow)
        if begun and self.folder is not None:
            body = Body(self.folder, self.limit)
            body.add(begun)
            body.problem = "connection closed within a message"
            self._upload(_websocket_line(flow, time.time()), body)

    # -- what cannot be observed

    def tls_established_client(self, data: tls.TlsData) -> None:
        self.silent[data.conn.id] = (time.monotonic(), _asked(data.context), _about(data.context))

    def tls_failed_client(self, data: tls.TlsData) -> None:
        words, host, about = data.conn.error or "", _asked(data.context), _about(data.context)
        if words.startswith("Cannot parse ClientHello"):
            self._gap(host, "protocol_unsupported", "not a TLS ClientHello", about=about)
        elif "closed early" in words or "unsupported protocol" in words or "no shared cipher" in words:
            self._gap(host, "not_decrypted", words, about=about)
        else:
            alert = ALERT.search(words)
            self.refusing.add(host)
            self._gap(host, "tls_refused", words, about={**about, "alert": alert[1] if alert else None})

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        host = _asked(data.context)
        if ctx.options.pass_refused and host in self.refusing:
            data.ignore_connection = True
            self._gap(host, "not_decrypted", "passed on: the app refuses our certificate", about=_about(data.context))
            return

        def look() -> None:
            if data.ignore_connection:
                self._gap(host, "not_decrypted", "connection ignored", about=_about(data.context))

        asyncio.get_running_loop().call_soon(look)

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        # Whoever decides may come after us; then the choice is made in this turn of the loop all the same.
        def look() -> None:
            chosen = nextlayer.layer
            if isinstance(chosen, layers.TCPLayer | layers.UDPLayer) and chosen.flow is None:
                self._gap(_asked(nextlayer.context), "not_decrypted", "connection ignored")

        asyncio.get_running_loop().call_soon(look)

    # -- what has no requests: raw TCP, UDP, DNS

    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        self.silent.pop(flow.client_conn.id, None)

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        message = flow.messages[-1]
        if not message.from_client:
            # Written before the answer reaches the app: what it knows to be answered is in the recording.
            self._end_burst(flow.id)
            return
        if self.folder is None:
            return
        burst = self.bursts.get(flow.id)
        if burst is not None and (burst.due <= time.monotonic() or burst.body.seen > BURST_BYTES):
            self._end_burst(flow.id)
            burst = None
        if burst is None:
            burst = self.bursts[flow.id] = Burst(_raw_line(flow, "tcp"), Body(self.folder, self.limit))
            asyncio.get_running_loop().call_later(BURST_S, self._end_pause, flow.id)
        burst.body.add(message.content)
        burst.line["at"] = _time(message.timestamp)
        burst.due = time.monotonic() + BURST_S

    def tcp_end(self, flow: tcp.TCPFlow) -> None:
        self._end_burst(flow.id)

    tcp_error = tcp_end

    def _end_pause(self, key: str) -> None:
        burst = self.bursts.get(key)
        if burst is None:
            return
        left = burst.due - time.monotonic()
        if left <= 0:
            self._end_burst(key)
        else:
            asyncio.get_running_loop().call_later(left, self._end_pause, key)

    def _end_burst(self, key: str) -> None:
        burst = self.bursts.pop(key, None)
        if burst is not None:
            self._upload(burst.line, burst.body)

    def udp_message(self, flow: udp.UDPFlow) -> None:
        message = flow.messages[-1]
        if self.folder is None or not message.from_client:
            return
        if _is_quic(message.content):
            self._gap(_peer(flow), "not_decrypted", "QUIC")
            return
        body = Body(self.folder, self.limit)
        body.add(message.content)
        self._upload({**_raw_line(flow, "udp"), "at": _time(message.timestamp)}, body)

    def dns_request(self, flow: dns.DNSFlow) -> None:
        if self.folder is None:
            return
        question = flow.request.questions[0] if flow.request.questions else None
        body = Body(self.folder, self.limit)
        body.add(flow.request.packed)
        line = {
            **_raw_line(flow, "dns"),
            "at": _time(flow.request.timestamp or time.time()),
            "type": "application/dns-message",
        }
        if question is not None:
            # Whoever serves the name hears of it, whichever resolver is asked.
            line["host"] = question.name
            line["url"] = f"dns:{question.name}?type={dns_types.to_str(question.type)}"
        self._upload(line, body)

    # -- lines

    def _upload(self, line: Line, body: Body, announced: str = "") -> None:
        line["body"] = body.store()
        line["size"] = body.kept
        line["truncated"] = body.problem is not None
        assert self.lines is not None
        problem = self.lines.append(line)
        if body.problem:
            of = announced or body.seen
            detail = f"body {line['body'] or '-'}, {body.kept} of {of} bytes: {body.problem}"
            self._gap(line["host"] or "", "body_truncated", detail, line["at"])
        if problem:
            detail = f"{len(self.lines.backlog)} lines wait, {self.lines.dropped} lost: {problem}"
            self._gap("uploads.jsonl", "overflow", detail)

    def _gap(self, subject: str, why: str, detail: str, at: str | None = None, about: Line | None = None) -> None:
        """`about`: of which connection (client, SNI), and the alert that it ended with."""
        if self.gaps is None:
            return
        gap = {
            **_head("gap", at or _time(time.time())),
            "where": "proxy",
            "subject": subject,
            "why": why,
            "detail": detail,
            "until": None,
            **(about or {}),
        }
        if why != "body_truncated":  # those belong to one upload each
            key = (subject, why, "" if why == "overflow" else detail)
            if key in self.repeats:
                self.repeats[key].append(gap)
                return
            self.repeats[key] = []
            asyncio.get_running_loop().call_later(FOLD_S, self._tell_repeats, key)
        self._append_gap(gap)

    def _tell_repeats(self, key: tuple[str, str, str]) -> None:
        again = self.repeats.pop(key, [])
        if again:
            more = f"{again[-1]['detail']} ({len(again)} times)" if len(again) > 1 else again[-1]["detail"]
            self._append_gap({**again[0], "detail": more, "until": again[-1]["at"]})

    def _append_gap(self, gap: Line) -> None:
        assert self.gaps is not None
        problem = self.gaps.append(gap)
        if problem:
            print(f"appwitness: {self.gaps.path}: {problem}: {_encode(gap)}", file=sys.stderr, flush=True)


def _head(kind: str, at: str) -> Line:
    return {"v": 1, "kind": kind, "at": at, "app": None, "pid": None}


def _http_line(flow: http.HTTPFlow) -> tuple[Line, dict[str, str]]:
    """The line as far as it is known with the head of a request; and its headers by lower-case name."""
    request, client = flow.request, flow.client_conn
    headers = _headers(request.headers)
    named = {name.lower(): value for name, value in headers}
    host, url = _where(flow, request.scheme, named.get("host", ""))
    line = {
        **_head("upload", ""),
        "via": "http",
        "method": _text(request.data.method),
        "url": url,
        "host": host,
        "headers": headers,
        "body": None,
        "size": 0,
        "type": named.get("content-type"),
        "truncated": False,
        "client": _endpoint(client.peername),
        "server": None,
        "tls": _tls(client),
        "status": None,
    }
    return line, named


def _websocket_line(flow: http.HTTPFlow, at: float) -> Line:
    scheme = "wss" if flow.request.scheme == "https" else "ws"
    host, url = _where(flow, scheme, flow.request.headers.get("host", ""))
    return {
        **_head("upload", _time(at)),
        "via": "websocket",
        "method": None,
        "url": url,
        "host": host,
        "headers": [],
        "body": None,
        "size": 0,
        "type": None,
        "truncated": False,
        "client": _endpoint(flow.client_conn.peername),
        "server": _endpoint(flow.server_conn.peername),
        "tls": _tls(flow.client_conn),
        "status": None,
    }


def _raw_line(flow: tcp.TCPFlow | udp.UDPFlow | dns.DNSFlow, via: str) -> Line:
    """The line of a message that no request belongs to, but for its time and body."""
    return {
        **_head("upload", ""),
        "via": via,
        "method": None,
        "url": None,
        "host": _peer(flow),
        "headers": [],
        "body": None,
        "size": 0,
        "type": None,
        "truncated": False,
        "client": _endpoint(flow.client_conn.peername),
        "server": _endpoint(flow.server_conn.peername or flow.server_conn.address),
        "tls": _tls(flow.client_conn),
        "status": None,
    }


def _is_quic(data: bytes) -> bool:
    """A QUIC packet with a long header (RFC 9000, 17.2): form and fixed bit, then a version that is not 0."""
    return len(data) >= 1200 and data[0] & 0xC0 == 0xC0 and data[1:5] != b"\0\0\0\0"


def _where(flow: http.HTTPFlow, scheme: str, header: str) -> tuple[str, str]:
    """Host and URL as the app asked for them: by its Host header, else by SNI, else by the address alone."""
    request = flow.request
    name, port = _split(_text(request.data.authority) or header)
    if _is_address(name) and flow.client_conn.sni:
        name, port = flow.client_conn.sni, port or str(request.port)
    if not name:
        name, port = _text(request.data.host.encode("utf-8", "surrogateescape")), str(request.port)
    usual = "443" if scheme in ("https", "wss") else "80"
    authority = f"[{name}]" if ":" in name else name
    if port and port != usual:
        authority += f":{port}"
    path = _text(request.data.path)
    return name, f"{scheme}://{authority}{'' if path == '*' else path}"


def _split(authority: str) -> tuple[str, str]:
    """`host:port` in two; the port is "" when none is named."""
    name, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = authority, ""
    return name.strip("[]"), port


def _is_address(name: str) -> bool:
    if not name or not (name[0].isdecimal() or ":" in name):
        return not name
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _headers(headers: http.Headers) -> list[list[str]]:
    # The password for the proxy is between the user and us; no upload carries it.
    return [[_text(name), _text(value)] for name, value in headers.fields if name.lower() != b"proxy-authorization"]


def _text(data: bytes) -> str:
    """Bytes of a header as text that JSON can carry, without losing one."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _endpoint(address: tuple[Any, ...] | None) -> Line | None:
    if not address:
        return None
    ip = str(address[0])
    return {"ip": ip.removeprefix("::ffff:") if "." in ip else ip, "port": address[1]}


def _tls(client: connection.Client) -> Line | None:
    if not client.tls_established:
        return None
    alpn = client.alpn.decode("ascii", "replace") if client.alpn else None
    return {"version": client.tls_version, "sni": client.sni, "alpn": alpn}


def _about(context: Any) -> Line:
    """Which connection a gap is about: the port tells whose it is."""
    return {"client": _endpoint(context.client.peername), "sni": context.client.sni}


def _asked(context: Any) -> str:
    """Which host a connection is for, for a gap."""
    address = context.server.address or ("",)
    return str(context.client.sni or address[0] or "unknown")


def _peer(flow: http.HTTPFlow | tcp.TCPFlow | udp.UDPFlow | dns.DNSFlow) -> str:
    client, server = flow.client_conn, flow.server_conn
    address = server.address or ("",)
    return str(client.sni or address[0] or "unknown")


def _buffered(flow: http.HTTPFlow) -> bytes:
    """What mitmproxy holds of a body or message that broke off. It cannot be asked, so we look for the layer."""
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


addons = [Uploads()]
