"""The index in a browser, read-only and for this machine alone: the recordings, and the report of each as a page."""

from __future__ import annotations

import ipaddress
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.correlate import Knowledge, indexed_report, knowledge
from monitor.errors import UserError
from monitor.findings import LEVELS
from monitor.reports import LANGUAGES, render
from monitor.reports.html import fill
from monitor.reports.words import Words
from monitor.store import Store

TEMPLATES = Path(__file__).parent / "templates"
HOSTS = ["127.0.0.1", "localhost"]
"""Names by which a browser may ask: a page elsewhere that points its own name at this machine gets nothing."""
COOKIE = "appwitness"
STRANGER = "Open the address that `appwitness web` printed: it has the token that these pages ask for.\n"
HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


def app(store: Store, known: Knowledge | None = None, *, token: str, reveal: bool = False) -> Starlette:
    """The pages over `store`: `/` and `/recordings/<id>`, in English or with `?lang=zh`; values masked unless `reveal`.

    Nothing is written. Whoever is not on this machine is refused, and whoever does not know `token`, which the address
    `/?token=...` carries the first time and a cookie from then on: this machine may have other users.
    """
    rules = known or knowledge()

    def index(request: Request) -> Response:
        words = _words(request)
        other = next(lang for lang in LANGUAGES if lang != words.lang)
        return HTMLResponse(fill("recordings.html", words, folder=TEMPLATES, rows=_rows(store, words), other=other))

    def page(request: Request) -> Response:
        words = _words(request)
        of = indexed_report(store, request.path_params["recording"], rules)
        return HTMLResponse(render(of, "html", reveal=reveal, lang=words.lang))

    return Starlette(
        routes=[Route("/", index), Route("/recordings/{recording}", page)],
        middleware=[
            Middleware(_Loopback),
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS),
            Middleware(_Token, token=token),
        ],
        exception_handlers={UserError: _not_there},
    )


def _rows(store: Store, words: Words) -> list[dict[str, Any]]:
    """The recordings, newest first."""
    rows = []
    for run in reversed(store.recordings()):
        levels = Counter(finding.level for finding in store.findings(run.id))
        rows.append(
            {
                "id": run.id,
                "started": f"{run.started:%Y-%m-%d %H:%M:%S}",
                "app": f"{run.app.package} {run.app.version or ''}".strip(),
                "device": words("device_unwatched")
                if run.imported
                else f"{run.device.model or run.device.serial}, {words(f'device_{run.device.kind}')}",
                "plan": "" if run.imported else words(f"plan_{run.plan}"),
                "levels": [(level, levels[level]) for level in LEVELS if levels[level]],
            }
        )
    return rows


def _words(request: Request) -> Words:
    lang = request.query_params.get("lang", "en")
    return Words(lang if lang in LANGUAGES else "en")


def _not_there(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=404)


class _Loopback:
    """Refuses clients that are not on this machine, and adds the headers that keep a page to itself."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        client = scope.get("client")
        if client and _is_here(client[0]):
            await self.inner(scope, receive, with_headers)
        else:
            await PlainTextResponse("For this machine alone.\n", status_code=403)(scope, receive, with_headers)


class _Token:
    """Refuses who does not know the token; who does gets it as a cookie, so that links work."""

    def __init__(self, inner: ASGIApp, token: str) -> None:
        self.inner = inner
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        request = Request(scope)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={self.token}; Path=/; HttpOnly; SameSite=Strict"
                message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
            await send(message)

        if self._is(request.query_params.get("token")):
            await self.inner(scope, receive, with_cookie)
        elif self._is(request.cookies.get(COOKIE)):
            await self.inner(scope, receive, send)
        else:
            await PlainTextResponse(STRANGER, status_code=403)(scope, receive, send)

    def _is(self, said: str | None) -> bool:
        return said is not None and secrets.compare_digest(said.encode("utf-8", "replace"), self.token.encode())


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
