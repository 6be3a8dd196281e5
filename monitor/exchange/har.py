"""HAR 1.2, what browsers and proxies save: read as uploads, and written from them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from monitor.errors import FileError
from monitor.events import Endpoint, Gap, Tls, Upload, format_time
from monitor.exchange.conversion import Conversion
from monitor.recording import Recording

ALPN = {"h2": "h2", "http/2": "h2", "http/2.0": "h2", "h3": "h3", "http/3": "h3", "http/1.1": "http/1.1"}
LATEST_S = 1e11
"""No time in seconds is greater: it would be in the year 5138."""
SECRET = frozenset({"proxy-authorization"})
"""Headers that are the tester's own, never recorded."""


def read(path: Path, app: str) -> Conversion:
    """The requests of a HAR file, and the WebSocket messages that Chrome keeps beside them.

    `at` is when the request had been sent (startedDateTime and the phases before and while sending). A body that the
    file holds only as parameters, or shorter than it says, is marked truncated, and a gap says so. Raises FileError
    when the file is no HAR at all.
    """
    try:
        log = json.loads(path.read_text("utf-8-sig"))["log"]
        entries = log["entries"]
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(path, None, f"not HAR: {error}.", "Save it again, as HAR with content.") from None
    conversion = Conversion(tool=_creator(log))
    for number, entry in enumerate(entries):
        try:
            _entry(entry, number, app, conversion)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            conversion.missed(_time(entry) or datetime.now(UTC), app, f"{path.name} entry {number}", what)
    return conversion


def _creator(log: Mapping[str, Any]) -> str | None:
    """The program that the file says it was made by."""
    creator = log.get("creator")
    said = [creator.get(name) for name in ("name", "version")] if isinstance(creator, Mapping) else []
    return " ".join(str(part) for part in said if part)[:100] or None


def _entry(entry: Mapping[str, Any], number: int, app: str, conversion: Conversion) -> None:
    started = _time(entry)
    if started is None:
        raise ValueError("no startedDateTime")
    request, response = entry["request"], entry.get("response") or {}
    url = request["url"]
    parts = urlsplit(url)
    at = started + timedelta(milliseconds=_until_sent(entry.get("timings") or {}))
    named = {header["name"].lower(): header["value"] for header in request.get("headers") or ()}
    said = _said(request, named)
    body, whole = _body(request.get("postData") or {}, said)
    common: dict[str, Any] = {
        "app": app,
        "url": url,
        "host": parts.hostname,
        "server": _server(entry, parts.hostname, parts.port or (443 if parts.scheme in ("https", "wss") else 80)),
        "tls": _tls(request, parts.scheme, parts.hostname),
    }
    if body:
        conversion.bodies.append(body)
    detail = "" if whole else "the file has the body only as parameters"
    if not body and (said > 0 or named.get("content-type", "").startswith("multipart/")):
        detail = f"the file has none of a body of {said if said > 0 else 'unknown'} bytes"
    elif whole and said > len(body) and "content-encoding" not in named:  # (mitmproxy writes a body decoded)
        detail = f"the file has {len(body)} bytes of a body of {said}"
    if detail:
        conversion.events.append(
            Gap(at=at, app=app, where="proxy", subject=parts.hostname or url, why="body_truncated", detail=detail)
        )
    conversion.events.append(
        Upload(
            at=at,
            via="http",
            method=request["method"],
            headers=_headers(request.get("headers") or ()),
            body=_digest(body),
            size=len(body),
            type=named.get("content-type") or (request.get("postData") or {}).get("mimeType") or None,
            truncated=bool(detail),
            status=response.get("status") or None,
            **common,
        )
    )
    for message in entry.get("_webSocketMessages") or ():
        if message.get("type") == "send":
            data = _message(message)
            conversion.bodies.append(data)
            conversion.events.append(
                Upload(
                    at=_moment(message["time"]),
                    via="websocket",
                    body=_digest(data),
                    size=len(data),
                    **{**common, "url": url.replace("http", "ws", 1) if url.startswith("http") else url},
                )
            )


def _time(entry: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(entry["startedDateTime"])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _until_sent(timings: Mapping[str, Any]) -> float:
    """Milliseconds until the request had been sent; -1 stands for a phase that did not apply. `ssl` is in `connect`."""
    phases = (timings.get(name) or 0 for name in ("blocked", "dns", "connect", "send"))
    return sum(float(phase) for phase in phases if phase > 0)


def _headers(headers: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (header["name"], header["value"])
        for header in headers
        if not header["name"].startswith(":") and header["name"].lower() not in SECRET
    )


def _moment(time: float) -> datetime:
    """The time of a WebSocket message: Chrome and mitmproxy write seconds, Playwright milliseconds."""
    return datetime.fromtimestamp(time / 1000 if time > LATEST_S else time, UTC)


def _said(request: Mapping[str, Any], named: Mapping[str, str]) -> int:
    """How long the file says that the body was; -1 where it does not."""
    said, length = request.get("bodySize"), named.get("content-length", "")
    return max(said if isinstance(said, int) else -1, int(length) if length.isdecimal() else -1)


def _body(data: Mapping[str, Any], said: int) -> tuple[bytes, bool]:
    """The body, and whether it is as it was sent; `said` is how long the file says it was."""
    text = data.get("text")
    if text:
        if data.get("encoding") == "base64":
            return base64.b64decode(text), True
        if said == len(text) and not text.isascii() and max(text) <= "\xff":
            return text.encode("latin-1"), True  # binary data, a character a byte: browsers and mitmproxy write it so
        return text.encode("utf-8", "surrogatepass"), True
    params = data.get("params") or ()
    if not params:
        return b"", True
    pairs = [(param["name"], param.get("value") or param.get("fileName") or "") for param in params]
    same = (data.get("mimeType") or "").startswith("application/x-www-form-urlencoded")
    return urlencode(pairs).encode(), same


def _message(message: Mapping[str, Any]) -> bytes:
    data: str = message.get("data") or ""
    if message.get("opcode") == 1:
        return data.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data.encode("utf-8", "surrogatepass")


def _server(entry: Mapping[str, Any], host: str | None, port: int) -> Endpoint | None:
    address = (entry.get("serverIPAddress") or "").strip("[]")
    return Endpoint(ip=address, port=port) if address and host else None


def _tls(request: Mapping[str, Any], scheme: str, host: str | None) -> Tls | None:
    if scheme not in ("https", "wss"):
        return None
    return Tls(sni=host, alpn=ALPN.get((request.get("httpVersion") or "").lower()))


def _digest(body: bytes) -> str | None:
    return hashlib.sha256(body).hexdigest() if body else None


def write(recording: Recording) -> str:
    """The uploads of a recording as HAR 1.2: HTTP exchanges, each WebSocket with what was sent on it.

    What a recording does not hold is left out as HAR does it: times of phases and sizes are -1, responses have only
    their status. Bodies that are no text are base64, with `encoding` beside them.
    """
    entries: list[dict[str, Any]] = []
    sockets: dict[tuple[str | None, str, int | None], dict[str, Any]] = {}
    for one in recording.read("upload"):
        upload = one.event
        if not isinstance(upload, Upload) or upload.via not in ("http", "websocket"):
            continue
        # (The request that opened a WebSocket has http in its URL, the messages have ws.)
        url = re.sub("^ws", "http", upload.url or "")
        key = (upload.host, url, upload.client.port if upload.client else None)
        body = recording.body(upload.body) if upload.body else None
        if upload.via == "websocket" and key in sockets:
            sockets[key].setdefault("_webSocketMessages", []).append(_sent(upload, body or b""))
            continue
        entry = _exchange(upload, body, one.ref)
        if upload.via == "websocket":
            entry["_webSocketMessages"] = [_sent(upload, body or b"")]
            entry["request"].pop("postData", None)
        sockets[key] = entry
        entries.append(entry)
    log = {
        "version": "1.2",
        "creator": {"name": "appwitness", "version": recording.run.versions.get("appwitness") or ""},
        "comment": f"recording {recording.run.id} of {recording.run.app.package}",
        "entries": entries,
    }
    return json.dumps({"log": log}, ensure_ascii=False, indent=1) + "\n"


def _exchange(upload: Upload, body: bytes | None, ref: str) -> dict[str, Any]:
    url = upload.url or ""
    alpn = upload.tls.alpn if upload.tls else None
    version = {"h2": "HTTP/2", "h3": "HTTP/3"}.get(alpn or "", "HTTP/1.1")
    request: dict[str, Any] = {
        "method": upload.method or "GET",
        "url": url,
        "httpVersion": version,
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in upload.headers],
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True, errors="replace")
        ],
        "headersSize": -1,
        "bodySize": upload.size,
    }
    if body is not None:
        request["postData"] = {"mimeType": upload.type or "", **_text(body)}
    entry: dict[str, Any] = {
        "startedDateTime": format_time(upload.at),
        "time": 0,
        "request": request,
        "response": {
            "status": upload.status or 0,
            "statusText": "",
            "httpVersion": version,
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": ""},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "comment": ref,
    }
    if upload.server:
        entry["serverIPAddress"] = upload.server.ip
    if upload.client:
        entry["connection"] = str(upload.client.port)
    return entry


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _sent(upload: Upload, body: bytes) -> dict[str, Any]:
    text = _text(body)
    opcode = 2 if "encoding" in text else 1
    return {"type": "send", "time": upload.at.timestamp(), "opcode": opcode, "data": text["text"]}
