"""Builds the line of an upload: URL, headers, and both endpoints, as the app requested them and as the proxy saw them.

The writer adds what it knows about the body.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from mitmproxy import connection, dns, http, tcp, udp
from mitmproxy.net.dns import types as dns_types

from addons.disk.storage import Line, head, time_of
from addons.record.announced import announced

SECRET = frozenset({b"proxy-authorization"})
"""Headers between testers and their proxies; they are not part of the app's upload."""

Raw = tcp.TCPFlow | udp.UDPFlow | dns.DNSFlow


def http_line(flow: http.HTTPFlow, own: bytes | None = None) -> tuple[Line, dict[str, str]]:
    """The line, as far as it is known from the head of a request, and the headers by lower-case name.

    `own` is an Authorization header that mitmproxy adds for the tester; it is not part of the upload.
    """
    request, client = flow.request, flow.client_conn
    named_headers = headers(request.headers, own)
    named = {name.lower(): value for name, value in named_headers}
    host, url = where(flow, request.scheme, named.get("host", ""))
    line = {
        **head("upload", ""),
        "via": "http",
        "method": text(request.data.method),
        "url": url,
        "host": host,
        "headers": named_headers,
        "type": named.get("content-type"),
        **end_of(client),
        "server": None,
        "tls": tls_of(client),
        "status": None,
    }
    return line, named


def websocket_line(flow: http.HTTPFlow, at: float) -> Line:
    """The line of one WebSocket message."""
    scheme = "wss" if flow.request.scheme == "https" else "ws"
    host, url = where(flow, scheme, flow.request.headers.get("host", ""))
    return {
        **head("upload", time_of(at)),
        "via": "websocket",
        "method": None,
        "url": url,
        "host": host,
        "headers": [],
        "type": None,
        **end_of(flow.client_conn),
        "server": endpoint(flow.server_conn.peername),
        "tls": tls_of(flow.client_conn),
        "status": None,
    }


def raw_line(flow: Raw, via: str) -> Line:
    """The line of a message that belongs to no request, without its time and body."""
    return {
        **head("upload", ""),
        "via": via,
        "method": None,
        "url": None,
        "host": peer(flow),
        "headers": [],
        "type": None,
        **end_of(flow.client_conn),
        "server": endpoint(flow.server_conn.peername or flow.server_conn.address),
        "tls": tls_of(flow.client_conn),
        "status": None,
    }


def dns_line(flow: dns.DNSFlow, at: float) -> Line:
    """The line of a DNS query. Its host is the name asked for: that name's servers receive the query, whichever
    resolver is used."""
    line = {**raw_line(flow, "dns"), "at": time_of(at), "type": "application/dns-message"}
    question = flow.request.questions[0] if flow.request.questions else None
    if question is not None:
        line["host"] = question.name
        line["url"] = f"dns:{question.name}?type={dns_types.to_str(question.type)}"
    return line


def where(flow: http.HTTPFlow, scheme: str, header: str) -> tuple[str, str]:
    """Host and URL as the app requested them: by Host header, otherwise by SNI, otherwise by address only.

    User name and password in a URL are not sent to the server, and not recorded.
    """
    request = flow.request
    name, port = _split(text(request.data.authority) or header)
    if _is_address(name) and flow.client_conn.sni:
        name, port = flow.client_conn.sni, port or str(request.port)
    if not name:
        name, port = text(request.data.host.encode("utf-8", "surrogateescape")), str(request.port)
    usual = "443" if scheme in ("https", "wss") else "80"
    authority = f"[{name}]" if ":" in name else name
    if port and port != usual:
        authority += f":{port}"
    path = text(request.data.path)
    return name, f"{scheme}://{authority}{'' if path == '*' else path}"


def _split(authority: str) -> tuple[str, str]:
    """`user:password@host:port` as host and port; the port is "" when there is none."""
    if "@" in authority:
        authority = authority.rpartition("@")[2]
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


def headers(fields: http.Headers, own: bytes | None = None) -> list[list[str]]:
    """Headers in the order sent, without the tester's own secrets."""
    return [
        [text(name), text(value)]
        for name, value in fields.fields
        if name.lower() not in SECRET and not (own and value == own and name.lower() == b"authorization")
    ]


def text(data: bytes) -> str:
    """Bytes of a header as text for JSON; no byte is lost."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def endpoint(address: tuple[Any, ...] | None) -> Line | None:
    """One end of a connection; an IPv4-mapped IPv6 address becomes IPv4."""
    if not address:
        return None
    ip = str(address[0])
    return {"ip": ip.removeprefix("::ffff:") if "." in ip else ip, "port": address[1]}


def end_of(client: connection.Client) -> Line:
    """The device's connection: its client end, and its name if the agent announced one."""
    name = announced(client)
    return {"client": endpoint(client.peername), **({} if name is None else {"announced": name})}


def tls_of(client: connection.Client) -> Line | None:
    """The TLS parameters between device and proxy; None for cleartext."""
    if not client.tls_established:
        return None
    alpn = client.alpn.decode("ascii", "replace") if client.alpn else None
    return {"version": client.tls_version, "sni": client.sni, "alpn": alpn}


def whose(context: Any) -> Line:
    """The connection that a gap is about; the client's port tells which process it belongs to."""
    return {**end_of(context.client), "sni": context.client.sni}


def asked(context: Any) -> str:
    """The host that a connection is for, for a gap."""
    address = context.server.address or ("",)
    return str(context.client.sni or address[0] or "unknown")


def peer(flow: http.HTTPFlow | Raw) -> str:
    """The host that a flow is for."""
    client, server = flow.client_conn, flow.server_conn
    address = server.address or ("",)
    return str(client.sni or address[0] or "unknown")
