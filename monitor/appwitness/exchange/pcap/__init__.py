"""Packet captures (PCAP, PCAPNG) with a key log: HTTP/1, 2 and 3, WebSocket, DNS, other TCP and UDP as uploads.

tshark reassembles connections and decrypts TLS and QUIC with the keys (an SSLKEYLOGFILE, or those inside a PCAPNG); the
decrypted content is parsed here. A connection that cannot be decrypted becomes a gap that names the host.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from hpack import HPACKError

from appwitness.events import Gap, Tls, Upload
from appwitness.exchange.conversion import DAMAGE, TLS_PORTS, Conversion, possible, problem
from appwitness.exchange.pcap import captured_http1, captured_http2, captured_http3
from appwitness.exchange.pcap.capture_parts import PART, in_parts
from appwitness.exchange.pcap.tshark import Conversation, ConversationSide, conversations, only_app
from appwitness.support.spoken import Spoken

SECRET = frozenset({"proxy-authorization"})
DNS_PORTS = (53, 5353)
MORE = f"no more than {PART >> 20} MiB of one connection are read"
END = b"no packet"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def read(path: Path, app: str, keys: Path | None = None, into: Conversion | None = None) -> Conversion:
    """What clients sent in a capture, as far as it can be read; captures of any size, in bounded memory. Only the
    beginning of a connection with more than PART bytes is read, and a gap says so. Raises UserError if the capture
    cannot be read at all."""
    conversion = Conversion() if into is None else into
    last: datetime | None = None
    received = 0
    with in_parts(path, conversion.room) as divided:
        whose = only_app(divided.owners)
        for part in divided.paths:
            found = conversations(part, keys)
            cut = dict(divided.cut.get(part, {}))
            while found:  # what has been read is released
                one = found.pop(0)
                lost = cut.pop((one.transport, one.number), 0)
                one.cut = lost > 0
                try:
                    last = max(last or EARLIEST, possible(datetime.fromtimestamp(one.ended, UTC)))
                    received += one.received
                    to = _Recorder(one, _app_of(one, app, whose) if divided.owners else app, conversion)
                    _conversation(to)
                    if lost:
                        to.gap("overflow", f"{lost} bytes of its packets: {MORE}")
                except DAMAGE as error:
                    subject = f"{path.name} {one.transport} {one.client.ip}:{one.client.port}"
                    why = f"{problem(error)}; {lost} bytes of its packets: {MORE}" if lost else problem(error)
                    conversion.missed(None, app, subject, why)
            for (transport, number), lost in cut.items():
                conversion.missed(None, app, f"{path.name} {transport} {number}", f"{lost} bytes of packets: {MORE}")
    if len(divided.owners) > 1:
        named = ", ".join(f"{uid} {name}".strip() for uid, name in sorted(divided.owners.items()))
        conversion.notes.append(
            Spoken(
                "{name}: packets of several uids, of which none is taken for the app's: {uids}",
                name=path.name,
                uids=named,
            )
            if whose is None
            else Spoken(
                "{name}: packets of several uids, of which those of {whose} are taken for the app's: {uids}",
                name=path.name,
                whose=whose,
                uids=named,
            )
        )
    if received:
        conversion.notes.append(
            Spoken(
                "{name}: {received} connections came to the device; what it received on them is not an upload",
                name=path.name,
                received=received,
            )
        )
    if divided.fragments:
        detail = f"{divided.fragments} bytes of packets that came in pieces: more than are put together"
        conversion.missed(last, app, path.name, detail)
    if divided.damage:
        conversion.missed(last, app, path.name, divided.damage)
    return conversion


def _app_of(one: Conversation, app: str, whose: int | None) -> str | None:
    """The app of a conversation in a capture that names uids: the app, another one by its uid, or unknown."""
    if whose is None or one.uid is None or one.uid < 0:
        return None
    return app if one.uid == whose else f"uid {one.uid}"


@dataclass(frozen=True)
class _Recorder:
    """Records the content of one conversation."""

    one: Conversation
    app: str | None
    """As in `_app_of`."""
    conversion: Conversion

    def upload(self, at: datetime, body: bytes, **known: Any) -> None:
        one = self.one
        self.conversion.add(
            Upload(
                at=at,
                app=self.app,
                body=hashlib.sha256(body).hexdigest() if body else None,
                size=len(body),
                client=one.client,
                server=one.server,
                tls=Tls(sni=one.sni, alpn="h3" if one.quic else None) if one.tls or one.quic else None,
                tls_unknown=self.tls_unknown,
                answered=None if known.get("via") == "http" else one.heard,
                **{"host": one.sni or one.server.ip, **known},
            ),
            body=body,
        )

    @property
    def tls_unknown(self) -> bool:
        """Whether it is unknown if TLS protected the conversation."""
        one = self.one
        return one.transport == "tcp" and not one.tls and one.server.port in TLS_PORTS

    def gap(self, why: Any, detail: str, at: datetime | None = None) -> None:
        moment = at or datetime.fromtimestamp(self.one.began, UTC)
        subject = self.one.sni or self.one.server.ip
        self.conversion.add(Gap(at=moment, app=self.app, where="proxy", subject=subject, why=why, detail=detail))


def _conversation(to: _Recorder) -> None:
    one = to.one
    possible(datetime.fromtimestamp(one.began, UTC))
    if one.received:
        _answers(to)
    elif one.transport == "udp":
        _datagrams(to)
    elif one.tls and not one.packets:
        to.gap("not_decrypted", "TLS, and the key log has no key for it")
    elif one.packets:
        _connection(to)


def _answers(to: _Recorder) -> None:
    """What the device sent on an incoming connection: its responses, as they are."""
    one = to.one
    if one.quic or (one.tls and not one.packets):
        to.gap("not_decrypted", "encrypted, on a connection that came to the device")
        return
    one.turned()
    if one.transport == "udp":
        _datagrams(to)
    else:
        _raw(to)


def _connection(to: _Recorder) -> None:
    one = to.one
    client = one.side(client=True)
    is_http2 = client.data.startswith(captured_http2.PREFACE)
    if not is_http2 and not captured_http1.REQUEST.match(client.data):
        _raw(to)
        return
    answered = bytes(one.side(client=False).data)
    one.packets.clear()
    if is_http2:
        try:
            _http2(to, client, answered)
        except (HPACKError, ValueError, IndexError) as error:
            to.gap("protocol_unsupported", f"HTTP/2 that cannot be read: {error}")
    else:
        _http1(to, client, answered)


def _http1(to: _Recorder, client: ConversationSide, answered: bytes) -> None:
    one = to.one
    sent = bytes(client.data)
    statuses = captured_http1.responses(answered, (request.start[0] for request in captured_http1.requests(sent)))
    end = count = 0
    for request in captured_http1.requests(sent):
        status = next(statuses, None)
        end, count = request.end, count + 1
        method, target = (part.decode("utf-8", "replace") for part in request.start)
        if method == "CONNECT":
            to.gap("protocol_unsupported", f"a proxy's tunnel to {target}")
            return
        scheme = "https:" if one.tls else "" if to.tls_unknown else "http:"
        authority = request.header("host") or one.sni or one.server.ip
        url = target if "://" in target else f"{scheme}//{authority}{target}"
        _http(to, client, request, method, url, status)
        if status == 101 and request.header("upgrade").lower() == "websocket":
            deflated = b"permessage-deflate" in answered[:4096].lower()
            for message in captured_http1.websocket(sent, end, deflated):
                if not message.whole:
                    detail = f"{len(message.body)} bytes of a message: it is broken off, or too large when inflated"
                    to.gap("body_truncated", detail, client.at(message.end))
                to.upload(
                    client.at(message.end),
                    message.body,
                    via="websocket",
                    url=url.replace("http", "ws", 1) if scheme else url,
                    truncated=not message.whole,
                )
            return
    if end < len(sent):
        detail = f"{len(sent) - end} bytes after {count} requests that are no HTTP/1"
        to.gap("protocol_unsupported", detail)


def _http2(to: _Recorder, client: ConversationSide, answered: bytes) -> None:
    statuses = captured_http2.statuses(answered)
    for stream, request in captured_http2.requests(bytes(client.data)).items():
        if not request.fields:
            continue
        _multiplexed(to, client, request, statuses.get(stream))


def _http3(to: _Recorder, streams: captured_http3.Streams) -> None:
    if not captured_http3.is_http3(streams):
        to.gap("protocol_unsupported", "QUIC that carries no HTTP/3, or its beginning is missing")
        return
    try:
        statuses, requests = captured_http3.statuses(streams), captured_http3.requests(streams)
    except captured_http3.UNREADABLE as error:
        to.gap("protocol_unsupported", f"HTTP/3 that cannot be read: {error}")
        return
    for stream, request in requests.items():
        if not request.fields:
            detail = f"a request of HTTP/3 whose headers are missing, {len(request.body)} bytes"
            to.gap("protocol_unsupported", detail)
            continue
        _multiplexed(to, streams[stream][0], request, statuses.get(stream))


def _multiplexed(to: _Recorder, client: ConversationSide, request: captured_http2.Request, status: int | None) -> None:
    one = to.one
    authority = request.pseudo(":authority") or one.sni or one.server.ip
    url = f"{request.pseudo(':scheme')}://{authority}{request.pseudo(':path')}"
    _http(to, client, request, request.pseudo(":method"), url, status)


def _http(
    to: _Recorder,
    client: ConversationSide,
    said: captured_http1.CapturedMessage | captured_http2.Request,
    method: str,
    url: str,
    status: int | None,
) -> None:
    named = {name.lower(): value for name, value in said.headers}
    at = client.at(said.end)
    if not said.whole:
        why = MORE if to.one.cut else "the capture ends before it does"
        to.gap("body_truncated", f"{len(said.body)} bytes of {url}: {why}", at)
    host = url.partition("//")[2].partition("/")[0].rpartition("@")[2]
    to.upload(
        at,
        bytes(said.body),
        via="http",
        method=method,
        url=url,
        host=host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host,
        headers=tuple((name, value) for name, value in said.headers if name.lower() not in SECRET),
        type=named.get("content-type"),
        truncated=not said.whole,
        status=status,
    )


def _raw(to: _Recorder) -> None:
    """Record everything that the client sends before an answer as one message."""
    one = to.one
    said = bytearray()
    last = one.began
    for at, from_client, data in chain(one.packets, ((one.began, False, END),)):
        if from_client:
            said += data
            last = at
        elif said:
            cut = one.cut and data is END
            to.upload(datetime.fromtimestamp(last, UTC), bytes(said), via="tcp", truncated=cut)
            said.clear()


def _datagrams(to: _Recorder) -> None:
    one = to.one
    if one.quic:
        if not one.streams:
            to.gap("not_decrypted", "QUIC, and the key log has no key for it, or nothing was said")
        for streams in one.streams.values():
            _http3(to, streams)
        return
    dns = one.server.port in DNS_PORTS
    for at, from_client, data in one.packets:
        if from_client:
            name = _question(data) if dns else None
            known = {"host": name, "url": f"dns:{name}", "type": "application/dns-message"} if name else {}
            moment = datetime.fromtimestamp(at, UTC)
            to.upload(moment, data, via="dns" if dns else "udp", **known)


def _question(data: bytes) -> str | None:
    """The name that a DNS query asks for."""
    labels, at = [], 12
    while at < len(data) and 0 < data[at] < 64:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace"))
        at += 1 + data[at]
    return ".".join(labels) or None
