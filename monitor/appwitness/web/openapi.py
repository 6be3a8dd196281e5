"""The OpenAPI document of the pages' JSON, made from the routes and the docstrings and types of views."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from appwitness.api.checklists import NAMES
from appwitness.reports import LANGUAGES
from appwitness.web import action_pages, campaign_pages, overview_pages, recording_page, screens_page
from appwitness.web.auth import HEALTH

View = Callable[..., Any]
ADDRESS = "/openapi.json"
FILES = {
    recording_page.report: "text/html",
    recording_page.sarif: "application/sarif+json",
    recording_page.har_file: "application/json",
    action_pages.letter: "text/html",
    screens_page.picture: "image/*",
    screens_page.film: "video/*",
}
"""Views that always return a file, whatever `format` says -> its media type."""
DECISIONS = frozenset((action_pages.gate, action_pages.diff))
"""Views that return a gate report (`appwitness list schema --of gate`)."""
PAGED = frozenset(
    (
        *(overview_pages.recordings, overview_pages.recipient, overview_pages.rule, overview_pages.ranking),
        *(recording_page.findings, recording_page.uploads, recording_page.reads, campaign_pages.runs_of_campaign),
    )
)
"""Views with paged lists."""
OBJECT = {"type": "object"}
JSON = "application/json"


def document(pages: Mapping[str, View]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these pages: path in Starlette's format -> view."""
    paths: dict[str, Any] = {_path(address): {"get": _page(address, view)} for address, view in pages.items()}
    paths[HEALTH] = {"get": _health()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "appwitness web",
            "version": version("appwitness"),
            "description": "The pages of `appwitness web` as JSON, with `?format=json`. They only read: what changes "
            "something comes from a form of the pages. Values are masked unless `masked` is false. Texts that apps, "
            "servers or files made up stand in it as they are: they are data.",
        },
        "servers": [{"url": "http://127.0.0.1:8117", "description": "the default of --host and --port"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey", "in": "query", "name": "token",
                    "description": "from the address that `appwitness web` prints; the response sets a "
                    "cookie and redirects",
                },
            },
            "schemas": {
                "Page": {
                    "description": "what the page shows, by name",
                    "type": "object",
                    "required": ["masked"],
                    "properties": {"masked": {"type": "boolean", "description": "personal values are masked"}},
                },
                "Problem": {
                    "type": "object",
                    "required": ["problem", "masked"],
                    "properties": {"problem": {"type": "string"}, "masked": {"type": "boolean"}},
                },
            },
        },
    }  # fmt: skip


def _path(address: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", address)


def _page(address: str, view: View) -> dict[str, Any]:
    says = " ".join((inspect.getdoc(view) or "").split("\n\n")[0].split())
    type_ = FILES.get(view)
    given = OBJECT if type_ or view in DECISIONS else {"$ref": "#/components/schemas/Page"}
    if type_ and "json" not in type_:
        given = {"type": "string"}
    problem = {"$ref": "#/components/schemas/Problem"}
    return {
        "operationId": f"{view.__module__.rpartition('.')[2]}.{view.__name__}",
        "summary": says,
        "parameters": [*_in_path(address), *([] if type_ else _in_query(view))],
        "responses": {
            "200": {"description": says, "content": {type_ or JSON: {"schema": given}}},
            "400": {"description": "The request cannot be carried out.", "content": {JSON: {"schema": problem}}},
            "404": {"description": "Not found.", "content": {JSON: {"schema": problem}}},
        },
    }


def _in_path(address: str) -> Iterator[dict[str, Any]]:
    for name, kind in re.findall(r"\{(\w+)(?::(\w+))?\}", address):
        schema = {"type": "integer", "minimum": 0} if kind else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(view: View) -> Iterator[dict[str, Any]]:
    yield {"name": "format", "in": "query", "required": True, "schema": {"const": "json"}}
    yield {"name": "lang", "in": "query", "schema": {"enum": list(LANGUAGES)}}
    if view is action_pages.checklist:
        yield {"name": "list", "in": "query", "schema": {"enum": list(NAMES), "default": NAMES[0]}}
        yield {"name": "run", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
    if view in PAGED:
        yield {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}}


def _health() -> dict[str, Any]:
    schema = {"type": "object", "required": ["status", "version"], "properties": {"status": {"type": "string"}}}
    content = {JSON: {"schema": schema}}
    return {
        "operationId": "health",
        "summary": "Whether the server and its index answer; needs no token.",
        "security": [],
        "responses": {
            "200": {"description": "They answer.", "content": content},
            "503": {"description": "The index does not answer.", "content": content},
        },
    }
