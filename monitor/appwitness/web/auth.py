"""Authentication and browser security: token, cookie, host, origin, and security headers."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "appwitness"
HEALTH = "/healthz"
"""Path of the health check."""
METRICS = "/metrics"
"""Path of the metrics for Prometheus."""
STRANGER = "Open the address that `appwitness web` printed: it contains the token that these pages require.\n"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content security policy of our own pages; a report, whose style is inline, has its own policy."""
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class TokenDoor:
    """Admits only requests with the token and for our own host names, and adds the security headers.

    The URL `/?token=...` carries the token once; from then on a cookie replaces it (see `_session`). `address` is
    where the server listens: on a loopback address it answers only this machine. A page elsewhere that makes its own
    name resolve to this server (DNS rebinding) gets nothing: the Host must be an IP address, `localhost`, `address`
    itself, or one of `names`. Requests that change something must come from our own pages. HEALTH reveals nothing about
    recordings, so it needs no token. METRICS also accepts `Authorization: Bearer` with the `metrics` token, which
    grants nothing else.
    """

    def __init__(
        self,
        inner: ASGIApp,
        token: str,
        address: str = "127.0.0.1",
        names: Iterable[str] = (),
        metrics: str | None = None,
    ) -> None:
        self.inner = inner
        self.token = token
        self.metrics = metrics
        self.key = secrets.token_bytes(32)
        self.address = address.strip("[]").lower()
        self.local = is_loopback(self.address)
        self.names = {"localhost", self.address, *map(host_name, names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, set its cookie, or forward it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.inner(scope, receive, send)
            return
        request = Request(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(request) or self._welcome(request) or self.inner)(scope, receive, with_headers)

    def _refusal(self, request: Request) -> ASGIApp | None:
        if self.local and not (request.client and is_loopback(request.client.host)):
            return PlainTextResponse("Only this machine may open these pages.\n", status_code=403)
        if not self._is_ours(request.headers):
            return PlainTextResponse("The request is for an unknown host name.\n", status_code=400)
        if request.url.path == HEALTH or (request.url.path == METRICS and self._may_scrape(request.headers)):
            return None
        if not (self._brings_token(request) or self._has_session(request)):
            return PlainTextResponse(STRANGER, status_code=403)
        if request.method not in ("GET", "HEAD") and not _is_from_here(request):
            return PlainTextResponse("Only these pages themselves may change something.\n", status_code=403)
        return None

    def _welcome(self, request: Request) -> ASGIApp | None:
        """Answer a request that has the token with the cookie, and a redirect to the same URL without the token, so
        that the token is no longer visible."""
        if not self._brings_token(request):
            return None
        url = URL(scope=request.scope).remove_query_params("token")
        path = "/" + url.path.lstrip("/")  # two slashes would mean another host
        answer = RedirectResponse(f"{path}?{url.query}" if url.query else path, status_code=303)
        answer.set_cookie(cookie_of(request), self._session(request), httponly=True, samesite="strict")
        return answer

    def _brings_token(self, request: Request) -> bool:
        return any(_same(each, self.token) for each in request.query_params.getlist("token"))

    def _has_session(self, request: Request) -> bool:
        return _same(request.cookies.get(cookie_of(request), ""), self._session(request))

    def _session(self, request: Request) -> str:
        """The cookie's value, valid as long as this server runs, for the same client address and the same user there.

        A browser sends a host's cookies to every port, so another server on the host may receive this one. It does not
        reveal the token, and is useless to another user of this machine and from another machine.
        """
        client, server = request.scope.get("client"), request.scope.get("server")
        whose = [client[0], user_of(client, server) if is_loopback(client[0]) else None] if client else None
        return hmac.new(self.key, repr(whose).encode(), hashlib.sha256).hexdigest()

    def _is_ours(self, headers: Headers) -> bool:
        name = host_name(headers.get("host", ""))
        if name in self.names:
            return bool(name)
        return is_loopback(name) if self.local else _is_address(name)

    def _may_scrape(self, headers: Headers) -> bool:
        scheme, _, said = headers.get("authorization", "").partition(" ")
        return bool(self.metrics) and scheme.lower() == "bearer" and _same(said, self.metrics or "")


def host_name(host: str) -> str:
    """The name in `HOST[:PORT]`, in lower case; empty if there is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def cookie_of(request: Request) -> str:
    """A cookie name that contains the port: a browser sends a host's cookies to all ports."""
    return f"{COOKIE}-{request.url.port or 80}"


def form_token(token: str) -> str:
    """The value that identifies our own forms; it grants no access."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(said: object, token: str) -> bool:
    """Whether a form is one of ours."""
    return isinstance(said, str) and _same(said, form_token(token))


def _same(said: str, token: str) -> bool:
    return secrets.compare_digest(said.encode("utf-8", "replace"), token.encode())


def policy_of(parts: Iterable[str]) -> dict[str, str]:
    """The header of a response with its own content security policy."""
    return {"content-security-policy": "; ".join(parts)}


SEALED = policy_of(("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"))
"""Headers for a page with its own style and without forms."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself: a loopback address, or `localhost`."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_from_here(request: Request) -> bool:
    """Whether a request comes from our own pages, by headers that every browser sends with requests that change
    something."""
    origin = request.headers.get("origin", "")
    here = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return origin == here and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


# finds the user of this machine at the client's end of a loopback connection

TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
"""Where Linux lists its TCP sockets, by IP version (proc_pid_net(5))."""
LOCAL, REMOTE, UID, INODE = 1, 2, 7, 9
"""Columns of a row; a socket that no process holds any more has inode 0 and user 0."""


def user_of(client: tuple[str, int], server: tuple[str, int] | None) -> int | None:
    """The id of the user that owns the client's socket. None: not Linux, or the socket is not on this machine."""
    if server is None:
        return None
    try:
        wanted = [_hexadecimal(*client), _hexadecimal(*server)]
        table = TABLES[ipaddress.ip_address(client[0]).version].read_text("ascii")
    except (OSError, ValueError):
        return None
    for row in table.splitlines()[1:]:
        columns = row.split()
        if columns[LOCAL : REMOTE + 1] == wanted and columns[INODE] != "0":
            return int(columns[UID])
    return None


def _hexadecimal(address: str, port: int) -> str:
    """An address in the kernel's format: 32-bit words in the processor's byte order."""
    packed = ipaddress.ip_address(address).packed
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
