"""The routes of the web interface, down to the bytes of an upload: every view has a URL and updates live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from appwitness.support.errors import UserError
from appwitness.support.spoken import say
from appwitness.web import (
    action_pages,
    campaign_pages,
    consent_page,
    finding_page,
    openapi,
    overview_pages,
    recording_page,
    screens_page,
    work_pages,
)
from appwitness.web.auth import HEALTH, METRICS, TokenDoor, is_form_token
from appwitness.web.preparation import Preparation, being_prepared, is_long, may_wait
from appwitness.web.query import STATIC, PageRequest, Site

View = Callable[[PageRequest], Response]
Act = Callable[[PageRequest, Mapping[str, str]], Response]
PAGES: dict[str, View] = {
    "/": overview_pages.recordings,
    "/apps": overview_pages.apps,
    "/search": overview_pages.search,
    "/recipients/{host}": overview_pages.recipient,
    "/rules": overview_pages.rules,
    "/rules/{rule}": overview_pages.rule,
    "/ranking": overview_pages.ranking,
    "/fleet": campaign_pages.campaigns,
    "/fleet/{campaign}": campaign_pages.campaign,
    "/fleet/{campaign}/runs": campaign_pages.runs_of_campaign,
    "/compare": overview_pages.compare,
    "/diff": action_pages.diff,
    "/recordings/{recording}": recording_page.summary,
    "/recordings/{recording}/findings": recording_page.findings,
    "/recordings/{recording}/findings/{number:line}": finding_page.finding,
    "/recordings/{recording}/uploads": recording_page.uploads,
    "/recordings/{recording}/uploads/{number:line}": recording_page.upload,
    "/recordings/{recording}/reads": recording_page.reads,
    "/recordings/{recording}/reads/{number:line}": recording_page.read,
    "/recordings/{recording}/consents": consent_page.consents,
    "/recordings/{recording}/screens": screens_page.screens,
    "/recordings/{recording}/screens/{number:line}/picture": screens_page.picture,
    "/recordings/{recording}/screens/{number:line}/film": screens_page.film,
    "/recordings/{recording}/gaps": recording_page.gaps,
    "/recordings/{recording}/actions": action_pages.actions,
    "/recordings/{recording}/letter": action_pages.letter,
    "/recordings/{recording}/gate": action_pages.gate,
    "/recordings/{recording}/checklist": action_pages.checklist,
    "/recordings/{recording}/report": recording_page.report,
    "/recordings/{recording}/sarif": recording_page.sarif,
    "/recordings/{recording}/har": recording_page.har_file,
}
"""Path -> view."""
WORK: dict[str, View] = {
    "/new": work_pages.doors,
    "/new/observe": work_pages.observe,
    "/new/files/{drop}": work_pages.dropped,
    "/runs": work_pages.runs,
    "/runs/{run}": work_pages.run,
}
"""Path -> view, for what pages start."""
ACTS: dict[str, Act] = {
    "/recordings/{recording}/consents": consent_page.mark,
    "/recordings/{recording}/checklist": action_pages.check,
    "/recordings/{recording}/share": action_pages.share,
    "/recordings/{recording}/bundle": action_pages.bundle,
    "/recordings/{recording}/forget": action_pages.forget,
    "/recordings/{recording}/findings/{number:line}": action_pages.waive,
    "/search": overview_pages.search,
    "/new/demo": work_pages.demo,
    "/new/observe": work_pages.start,
    "/new/files/{drop}": work_pages.take_in,
    "/runs/{run}/stop": work_pages.stop,
}
"""Path -> action of a form."""
FORM = "x-appwitness-form"
"""Name of the header that holds the form token when one of our forms sends a file."""


def described() -> dict[str, Any]:
    """The JSON of the pages as an OpenAPI document."""
    return openapi.document({**PAGES, **WORK})


class LineConvertor(Convertor[int]):
    """The number of a line in a URL; a number that no file can reach matches no route."""

    regex = "[0-9]{1,12}"

    def convert(self, value: str) -> int:
        """The number from its text in a URL."""
        return int(value)

    def to_string(self, value: int) -> str:
        """The number as text for a URL."""
        return str(value)


register_url_convertor("line", LineConvertor())
PATIENCE = "appwitness.patience"
"""Key in the ASGI scope of a request that has no time limit as long as its body keeps arriving: a file that one of
our forms sends."""
LARGEST_FORM = 16_384
"""Largest form, in bytes."""
MOST_FIELDS = 100
NOT_OURS = "This form does not come from these pages.\n"


def app(
    site: Site,
    address: str = "127.0.0.1",
    ending: Callable[[], bool] = lambda: False,
    names: Iterable[str] = (),
) -> Starlette:
    """The pages of a site, in English or with `?lang=zh`, as JSON with `?format=json`.

    Values are masked; where they may be shown, `?reveal=1` shows them. Requests without the site's token are refused
    (see `TokenDoor`; `address` is where the server listens, `names` are other host names of the server). Changes are
    made only by forms of these pages; if the site has no `work`, only consent can be marked. `ending` returns whether
    the server is about to stop.
    """

    def looked(state: Callable[[], str]) -> Callable[[], str]:
        """A function that returns the state of a page, and raises UserError if the index was moved away."""

        def look() -> str:
            site.index.check()
            return state()

        look()  # a missing index is reported before the first event
        return look

    def of_all(request: Request) -> Response:
        asked = PageRequest(site, request)
        pause_s = asked.number("pause") or LATER_S
        state = overview_pages.state_of_all
        for name, of in (("fleet", campaign_pages.state_of_fleet), ("runs", work_pages.state_of_runs)):
            state = of if name in request.query_params else state
        return events(request, Watched(looked(lambda: state(asked)), lambda: False, ending, pause_s))

    def of_one(request: Request) -> Response:
        asked = PageRequest(site, request)
        name = asked.recording
        site.index.state(name)  # a missing recording is reported before the first event
        state = looked(lambda: recording_page.state_of(asked))
        watched = Watched(state, lambda: recording_page.is_live(asked), ending)
        return events(request, watched)

    def of_run(request: Request) -> Response:
        asked = PageRequest(site, request)
        work_pages.state_of_run(asked)  # a missing run is reported before the first event
        over = site.working().runs.status
        name = request.path_params["run"]
        state = looked(lambda: work_pages.state_of_run(asked))
        return events(request, Watched(state, lambda: not over(name).over, ending))

    def health(_: Request) -> Response:
        try:
            site.index.check()
        except UserError:
            return JSONResponse({"status": "the index does not answer", "version": ours}, 503)
        return JSONResponse({"status": "ok", "version": ours})

    ours = version("appwitness")
    preparation = Preparation()
    views = {**PAGES, **WORK}

    return Starlette(
        routes=[
            *(Route(path, _acting(site, act), methods=["POST"]) for path, act in ACTS.items()),
            Route("/new/files", _receiving(site), methods=["POST"]),
            Route("/recordings/{recording}/events", of_one),
            Route("/runs/{run}/events", of_run),
            Route("/events", of_all),
            Route(HEALTH, health),
            Route(openapi.ADDRESS, lambda _: JSONResponse(described())),
            Route(METRICS, _page(site, campaign_pages.metrics)),
            Route(f"/static/{STATIC[0]}/{{name}}", _static),
            *(Route(path, _looked_at(site, view, preparation), methods=["GET"]) for path, view in views.items()),
        ],
        middleware=[Middleware(TokenDoor, token=site.token, address=address, names=names, metrics=site.metrics_token)],
        exception_handlers=dict.fromkeys((UserError, HTTPException), _problem(site)),
    )


def _page(site: Site, view: View) -> Callable[[Request], Response]:
    def page(request: Request) -> Response:
        with site.index.turn_of(request.path_params.get("recording")):
            return view(PageRequest(site, request))

    return page


def _looked_at(site: Site, view: View, preparation: Preparation) -> Callable[[Request], Response]:
    """An endpoint for a view that shows a notice while the page of a long recording is being prepared."""
    page = _page(site, view)

    def soon(request: Request) -> Response:
        recording = request.path_params.get("recording")
        if recording is None or not may_wait(request):
            return page(request)
        if not is_long(site.index.state(recording)):
            return page(request)
        of_reader = [request.headers.get(name, "") for name in ("accept-language", "cookie")]
        made = preparation.page("\n".join((str(request.url), *of_reader)), lambda: page(request))
        return made or being_prepared(PageRequest(site, request, masked=True))

    return soon


def _acting(site: Site, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        sent = b""
        async for part in request.stream():
            sent += part
            if len(sent) > LARGEST_FORM:
                raise HTTPException(413)
        try:
            fields = dict(parse_qsl(sent.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS))
        except ValueError:
            raise HTTPException(413) from None
        if not is_form_token(fields.pop("form", None), site.token):
            return Response(NOT_OURS, 403, media_type="text/plain")
        return await run_in_threadpool(_page(site, lambda asked: act(asked, fields)), request)

    return endpoint


def _receiving(site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not is_form_token(request.headers.get(FORM), site.token):
            return Response(NOT_OURS, 403, media_type="text/plain")
        asked = PageRequest(site, request, masked=True)
        try:
            with work_pages.receiving(asked) as arrival:
                request.scope[PATIENCE] = True
                async for part in request.stream():
                    await run_in_threadpool(arrival.write, part)
            return await run_in_threadpool(work_pages.received, asked, arrival.drop)
        except ClientDisconnect:
            return Response(status_code=400)
        except UserError as error:
            return JSONResponse(
                {"problem": say(error.message, asked.words.lang)}
            )  # shown by the page; the request itself was valid

    return endpoint


def _problem(site: Site) -> Callable[[Request, Exception], Response]:
    def problem(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404 if request.method == "GET" else 400
        said = str(error.detail) if isinstance(error, HTTPException) else error.args[0]
        return PageRequest(site, request, masked=True).answer("problem.html", {"problem": said}, status)

    return problem


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC[1]:
        raise HTTPException(404)
    text, type_ = STATIC[1][name]
    return Response(text, media_type=type_, headers={"cache-control": "private, max-age=31536000, immutable"})


# tells a page that its content has changed: server-sent events, from polling the index

SOON_S = 0.05
"""Seconds between checks while a run is in progress."""
LATER_S = 1.0
"""Seconds between other checks, and between checks whether a run is still in progress."""
SHARE = 20
"""A slow check is followed by a pause of this many times its duration."""
QUIET_S = 15.0
"""Seconds without events after which a comment is sent, to notice a client that has gone."""


class Watched(NamedTuple):
    """A source of live updates for a page."""

    state: Callable[[], str]
    """Returns a version that changes whenever the page should."""
    is_live: Callable[[], bool]
    """Returns whether the page is likely to change soon."""
    ending: Callable[[], bool]
    """Returns whether the server is about to stop."""
    pause_s: float = LATER_S
    """Seconds between checks while it is not live."""


def events(request: Request, watched: Watched) -> StreamingResponse:
    """Server-sent events with the new version whenever it changes; the first one at once."""
    return StreamingResponse(_changes(request, watched), media_type="text/event-stream")


async def _changes(request: Request, watched: Watched) -> AsyncIterator[str]:
    told, live = "", False
    look_at = asked_at = said_at = 0.0
    while not watched.ending() and not await request.is_disconnected():
        now = time.monotonic()
        if now - asked_at >= LATER_S:
            live, asked_at = await run_in_threadpool(watched.is_live), now
        if live or now >= look_at:
            try:
                found = await run_in_threadpool(watched.state)
            except UserError:  # the page then says that it is not live, and shows the error when it is loaded again
                return
            look_at = now + max(watched.pause_s, SHARE * (time.monotonic() - now))
            if found != told:
                told, said_at = found, now
                yield f"data: {found}\n\n"
        if now - said_at >= QUIET_S:
            said_at = now
            yield ": nothing new\n\n"
        await asyncio.sleep(SOON_S)
