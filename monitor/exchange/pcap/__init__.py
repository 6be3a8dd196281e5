"""Packet captures (PCAP, PCAPNG) with a key log: HTTP/1, 2 and 3, WebSocket, DNS, other TCP and UDP as uploads.

tshark puts connections together and decrypts TLS by the keys (an SSLKEYLOGFILE, or those inside a PCAPNG); what is
said on them is read here. What cannot be decrypted is a gap that names the host, QUIC too.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from hpack import HPACKError

from monitor.events import Gap, Tls, Upload
from monitor.exchange.conversion import DAMAGE, Conversion, possible, problem
from monitor.exchange.pcap import http1, http2, http3
from monitor.exchange.pcap.parts import PART, in_parts
from monitor.exchange.pcap.tshark import Conversation, Side, conversations

SECRET = frozenset({"proxy-authorization"})
DNS_PORTS = (53, 5353)
MORE = f"no more than {PART >> 20} MiB of one connection are read"
END = b"no packet"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def read(path: Path, app: str, keys: Path | None = None, into: Conversion | None = None) -> Conversion:
    """What clients sent in a capture, as far as it goes; of one of any size, in bounded memory.

    Of a connection with more than PART bytes only the beginning is read, and a gap says so. Raises UserError when the
    capture cannot be read at all.
    """
    conversion = Conversion() if into is None else into
    last: datetime | None = None
    with in_parts(path, conversion.room) as divided:
        for part in divided.paths:
            found = conversations(part, keys)
            cut = dict(divided.cut.get(part, {}))
            while found:  # what has been read is released
                one = found.pop(0)
                lost = cut.pop((one.transport, one.number), 0)
                one.cut = lost > 0
                try:
                    last = max(last or EARLIEST, possible(datetime.fromtimestamp(one.ended, UTC)))
                    _conversation(one, app, conversion)
                    if lost:
                        _gap(conversion, app, one, "overflow", f"{lost} bytes of its packets: {MORE}")
                except DAMAGE as error:
                    subject = f"{path.name} {one.transport} {one.client.ip}:{one.client.port}"
                    why = f"{problem(error)}; {lost} bytes of its packets: {MORE}" if lost else problem(error)
                    conversion.missed(None, app, subject, why)
            for (transport, number), lost in cut.items():
                conversion.missed(None, app, f"{path.name} {transport} {number}", f"{lost} bytes of packets: {MORE}")
    if divided.fragments:
        detail = f"{divided.fragments} bytes of packets that came in pieces: more than are put together"
        conversion.missed(last, app, path.name, detail)
    if divided.damage:
        conversion.missed(last, app, path.name, divided.damage)
    return conversion


def _conversation(one: Conversation, app: str, conversion: Conversion) -> None:
    possible(datetime.fromtimestamp(one.began, UTC))
    if one.transport == "udp":
        _datagrams(one, app, conversion)
    elif one.tls and not one.packets:
        _gap(conversion, app, one, "not_decrypted", "TLS, and the key log has no key for it")
    elif one.packets:
        _connection(one, app, conversion)


def _connection(one: Conversation, app: str, conversion: Conversion) -> None:
    client = one.side(client=True)
    is_http2 = client.data.startswith(http2.PREFACE)
    if not is_http2 and not http1.REQUEST.match(client.data):
        _raw(one, app, conversion)
        return
    answered = bytes(one.side(client=False).data)
    one.packets.clear()
    if is_http2:
        try:
            _http2(one, client, answered, app, conversion)
        except (HPACKError, ValueError, IndexError) as error:
            _gap(conversion, app, one, "protocol_unsupported", f"HTTP/2 that cannot be read: {error}")
    else:
        _http1(one, client, answered, app, conversion)


def _http1(one: Conversation, client: Side, answered: bytes, app: str, conversion: Conversion) -> None:
    sent = bytes(client.data)
    statuses = http1.responses(answered, (request.start[0] for request in http1.requests(sent)))
    end = count = 0
    for request in http1.requests(sent):
        status = next(statuses, None)
        end, count = request.end, count + 1
        method, target = (part.decode("utf-8", "replace") for part in request.start)
        if method == "CONNECT":
            _gap(conversion, app, one, "protocol_unsupported", f"a proxy's tunnel to {target}")
            return
        scheme = "https" if one.tls else "http"
        authority = request.header("host") or one.sni or one.server.ip
        url = target if "://" in target else f"{scheme}://{authority}{target}"
        _http(one, client, request.headers, request.body, request.whole, end, app, conversion, method, url, status)
        if status == 101 and request.header("upgrade").lower() == "websocket":
            deflated = b"permessage-deflate" in answered[:4096].lower()
            for message in http1.websocket(sent, end, deflated):
                if not message.whole:
                    detail = f"{len(message.body)} bytes of a message: it is broken off, or too large when inflated"
                    _gap(conversion, app, one, "body_truncated", detail, client.at(message.end))
                _upload(
                    one, app, conversion, client.at(message.end), message.body, via="websocket",
                    url=url.replace("http", "ws", 1), truncated=not message.whole,
                )  # fmt: skip
            return
    if end < len(sent):
        detail = f"{len(sent) - end} bytes after {count} requests that are no HTTP/1"
        _gap(conversion, app, one, "protocol_unsupported", detail)


def _http2(one: Conversation, client: Side, answered: bytes, app: str, conversion: Conversion) -> None:
    statuses = http2.statuses(answered)
    for stream, request in http2.requests(bytes(client.data)).items():
        if not request.fields:
            continue
        _multiplexed(one, client, request, statuses.get(stream), app, conversion)


def _http3(one: Conversation, streams: http3.Streams, app: str, conversion: Conversion) -> None:
    if not http3.is_http3(streams):
        _gap(conversion, app, one, "protocol_unsupported", "QUIC that carries no HTTP/3, or its beginning is missing")
        return
    try:
        statuses, requests = http3.statuses(streams), http3.requests(streams)
    except http3.UNREADABLE as error:
        _gap(conversion, app, one, "protocol_unsupported", f"HTTP/3 that cannot be read: {error}")
        return
    for stream, request in requests.items():
        if not request.fields:
            detail = f"a request of HTTP/3 whose headers are missing, {len(request.body)} bytes"
            _gap(conversion, app, one, "protocol_unsupported", detail)
            continue
        _multiplexed(one, streams[stream][0], request, statuses.get(stream), app, conversion)


def _multiplexed(
    one: Conversation, client: Side, request: http2.Request, status: int | None, app: str, conversion: Conversion
) -> None:
    authority = request.pseudo(":authority") or one.sni or one.server.ip
    url = f"{request.pseudo(':scheme')}://{authority}{request.pseudo(':path')}"
    headers = tuple((name, value) for name, value in request.fields if not name.startswith(":"))
    body, method = bytes(request.body), request.pseudo(":method")
    _http(one, client, headers, body, request.whole, request.end, app, conversion, method, url, status)


def _http(
    one: Conversation,
    client: Side,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    whole: bool,
    end: int,
    app: str,
    conversion: Conversion,
    method: str,
    url: str,
    status: int | None,
) -> None:
    named = {name.lower(): value for name, value in headers}
    at = client.at(end)
    if not whole:
        why = MORE if one.cut else "the capture ends before it does"
        _gap(conversion, app, one, "body_truncated", f"{len(body)} bytes of {url}: {why}", at)
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    _upload(
        one,
        app,
        conversion,
        at,
        body,
        via="http",
        method=method,
        url=url,
        host=host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host,
        headers=tuple((name, value) for name, value in headers if name.lower() not in SECRET),
        type=named.get("content-type"),
        truncated=not whole,
        status=status,
    )


def _raw(one: Conversation, app: str, conversion: Conversion) -> None:
    """What the client says until it is answered is a message."""
    said = bytearray()
    last = one.began
    for at, from_client, data in chain(one.packets, ((one.began, False, END),)):
        if from_client:
            said += data
            last = at
        elif said:
            cut = one.cut and data is END
            _upload(one, app, conversion, datetime.fromtimestamp(last, UTC), bytes(said), via="tcp", truncated=cut)
            said.clear()


def _datagrams(one: Conversation, app: str, conversion: Conversion) -> None:
    if one.quic:
        if not one.streams:
            _gap(conversion, app, one, "not_decrypted", "QUIC, and the key log has no key for it, or nothing was said")
        for streams in one.streams.values():
            _http3(one, streams, app, conversion)
        return
    dns = one.server.port in DNS_PORTS
    for at, from_client, data in one.packets:
        if from_client:
            name = _question(data) if dns else None
            known = {"host": name, "url": f"dns:{name}", "type": "application/dns-message"} if name else {}
            moment = datetime.fromtimestamp(at, UTC)
            _upload(one, app, conversion, moment, data, via="dns" if dns else "udp", **known)


def _question(data: bytes) -> str | None:
    """The name that a DNS query asks for."""
    labels, at = [], 12
    while at < len(data) and 0 < data[at] < 64:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace"))
        at += 1 + data[at]
    return ".".join(labels) or None


def _upload(one: Conversation, app: str, conversion: Conversion, at: datetime, body: bytes, **known: Any) -> None:
    conversion.add(
        Upload(
            at=at,
            app=app,
            body=hashlib.sha256(body).hexdigest() if body else None,
            size=len(body),
            client=one.client,
            server=one.server,
            tls=Tls(sni=one.sni, alpn="h3" if one.quic else None) if one.tls or one.quic else None,
            **{"host": one.sni or one.server.ip, **known},
        ),
        body=body,
    )


def _gap(
    conversion: Conversion, app: str, one: Conversation, why: Any, detail: str, at: datetime | None = None
) -> None:
    moment = at or datetime.fromtimestamp(one.began, UTC)
    subject = one.sni or one.server.ip
    conversion.add(Gap(at=moment, app=app, where="proxy", subject=subject, why=why, detail=detail))
