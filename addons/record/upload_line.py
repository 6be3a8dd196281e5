"""Builds the line of an upload: URL, headers, and both endpoints as the app asked for them and as the proxy saw them.

The writer adds what it knows of the body.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from mitmproxy import connection, dns, http, tcp, udp
from mitmproxy.net.dns import types as dns_types

from addons.disk.storage import Line, head, time_of
from addons.record.announced import announced

SECRET = frozenset({b"proxy-authorization"})
"""Headers between the tester and their proxies; they are no part of the app's upload."""

Raw = tcp.TCPFlow | udp.UDPFlow | dns.DNSFlow


def http_line(flow: http.HTTPFlow, own: bytes | None = None) -> tuple[Line, dict[str, str]]:
    """The line as far as it is known with the head of a request; and its headers by lower-case name.

    `own` is an Authorization that the tester had mitmproxy add; it is no part of the upload.
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
        **_from(client),
        "server": None,
        "tls": tls_of(client),
        "status": None,
    }
    return line, named


def websocket_line(flow: http.HTTPFlow, at: float) -> Line:
    """The line of one message of a WebSocket."""
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
        **_from(flow.client_conn),
        "server": endpoint(flow.server_conn.peername),
        "tls": tls_of(flow.client_conn),
        "status": None,
    }


def raw_line(flow: Raw, via: str) -> Line:
    """The line of a message that no request belongs to, but for its time and body."""
    return {
        **head("upload", ""),
        "via": via,
        "method": None,
        "url": None,
        "host": peer(flow),
        "headers": [],
        "type": None,
        **_from(flow.client_conn),
        "server": endpoint(flow.server_conn.peername or flow.server_conn.address),
        "tls": tls_of(flow.client_conn),
        "status": None,
    }


def dns_line(flow: dns.DNSFlow, at: float) -> Line:
    """The line of a DNS query: the servers of the name receive it, whichever resolver is asked."""
    line = {**raw_line(flow, "dns"), "at": time_of(at), "type": "application/dns-message"}
    question = flow.request.questions[0] if flow.request.questions else None
    if question is not None:
        line["host"] = question.name
        line["url"] = f"dns:{question.name}?type={dns_types.to_str(question.type)}"
    return line


def where(flow: http.HTTPFlow, scheme: str, header: str) -> tuple[str, str]:
    """Host and URL as the app asked for them: by its Host header, else by SNI, else by the address alone.

    Name and password in a URL do not go to the server; they are not recorded.
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
    """`user:password@host:port` as host and port; the port is "" when none is named."""
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
    """Bytes of a header as text that JSON can carry, without losing one."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def endpoint(address: tuple[Any, ...] | None) -> Line | None:
    """One end of a connection; an IPv4 address that came as IPv6 counts as one."""
    if not address:
        return None
    ip = str(address[0])
    return {"ip": ip.removeprefix("::ffff:") if "." in ip else ip, "port": address[1]}


def _from(client: connection.Client) -> Line:
    """Which connection of the device it is: its end, and its name where the agent gave it one."""
    name = announced(client)
    return {"client": endpoint(client.peername), **({} if name is None else {"announced": name})}


def tls_of(client: connection.Client) -> Line | None:
    """How a connection was protected between device and proxy; None for cleartext."""
    if not client.tls_established:
        return None
    alpn = client.alpn.decode("ascii", "replace") if client.alpn else None
    return {"version": client.tls_version, "sni": client.sni, "alpn": alpn}


def whose(context: Any) -> Line:
    """Which connection a gap is about: its port tells which process has it."""
    return {**_from(context.client), "sni": context.client.sni}


def asked(context: Any) -> str:
    """Which host a connection is for, for a gap."""
    address = context.server.address or ("",)
    return str(context.client.sni or address[0] or "unknown")


def peer(flow: http.HTTPFlow | Raw) -> str:
    """Which host a flow is for."""
    client, server = flow.client_conn, flow.server_conn
    address = server.address or ("",)
    return str(client.sni or address[0] or "unknown")
