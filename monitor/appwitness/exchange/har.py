"""HAR 1.2, the format that browsers and proxies save: imported as uploads, and exported from them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from appwitness.events import Endpoint, Event, Gap, Tls, Upload, format_time
from appwitness.events.seen import Seen
from appwitness.exchange import json_pieces
from appwitness.exchange.conversion import DAMAGE, TLS_PORTS, Conversion, possible, problem
from appwitness.exchange.har_network import WORDS, may_not_have_left, why_not_sent
from appwitness.recording import Recording
from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

ALPN = {"h2": "h2", "http/2": "h2", "http/2.0": "h2", "h3": "h3", "http/3": "h3", "http/1.1": "http/1.1"}
LATEST_S = 1e11
"""Upper bound of a time in seconds: the year 5138."""
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Bytes that do not occur in text."""
SECRET = frozenset({"proxy-authorization"})
"""Headers of the tester's own set-up, never recorded."""


def read(path: Path, app: str, into: Conversion | None = None) -> Conversion:
    """Read the requests of a HAR file, and the WebSocket messages that Chrome stores with them. `at`: when the
    request had been sent (startedDateTime and the phases before and while sending). A body that the file does not
    hold as it was sent is marked truncated, and a gap says so. An unreadable entry is a gap that names its number,
    from 0. An entry that never left the device is no upload: a note on the run counts these. Raises FileError for a
    file that is not HAR."""
    conversion = Conversion() if into is None else into
    last: datetime | None = None
    made_by, stayed = creator(path) or "", Counter[str]()
    with path.open("rb") as file:
        try:
            for number, piece in enumerate(json_pieces.elements(file, ("log", "entries"), brief=("response",))):
                subject = f"{path.name} entry {number}"
                entry: Any = None
                try:
                    entry = piece.value()
                    if why := why_not_sent(entry):
                        stayed[why] += 1
                    else:
                        _entry(entry, piece.cut, subject, app, conversion, made_by)
                except DAMAGE as error:
                    conversion.missed(_time(entry) or last, app, subject, problem(error))
                last = _time(entry) or last
        except json_pieces.NoListError as error:
            raise FileError(
                path, None, Spoken("not HAR: {error}.", error=error), "Save it again, as HAR with content."
            ) from None
    if stayed:
        counts = ", ".join(f"{count} {WORDS[why]}" for why, count in sorted(stayed.items()))
        conversion.notes.append(
            Spoken(
                "{name}: requests that never left the device are not uploads: {counts}", name=path.name, counts=counts
            )
        )
    return conversion


def creator(path: Path) -> str | None:
    """The program that a HAR file names as its creator, if that comes at the beginning, as the format has it."""
    with path.open("rb") as file:
        found = CREATOR.search(file.read(BEGINNING))
    try:
        said = json.loads(found[1]) if found else {}
    except ValueError:
        return None
    return " ".join(str(said[name]) for name in ("name", "version") if said.get(name))[:100] or None


CREATOR = re.compile(rb'"creator"\s*:\s*(\{[^{}]*\})')
BEGINNING = 64 << 10
"""Number of bytes at the beginning that may name the creator."""


def _entry(entry: Mapping[str, Any], cut: bool, subject: str, app: str, conversion: Conversion, made_by: str) -> None:
    started = _time(entry)
    if started is None:
        raise ValueError("it has no startedDateTime that is a time since 1970")
    request, response = entry["request"], entry.get("response") or {}
    url, method = request["url"], request["method"]
    if not isinstance(url, str) or not isinstance(method, str):
        raise TypeError("its URL or method is no text")
    url, parts = _as_sent(url)
    port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
    if parts.scheme in ("http", "ws") and port in TLS_PORTS:  # decrypted before it was written, or really in cleartext
        parts = parts._replace(scheme="")
        url = url.partition(":")[2]
    at = possible(started + timedelta(milliseconds=_until_sent(entry.get("timings") or {})))
    if may_not_have_left(entry, made_by):
        detail = f"{method}: no answer, no server, no time: nothing says that it left the device"
        subject = parts.hostname or subject
        conversion.add(Gap(at=at, app=app, where="proxy", subject=subject, why="not_observed", detail=detail))
        return
    named = {header["name"].lower(): header["value"] or "" for header in request.get("headers") or ()}
    said = _said(request, named)
    data = _data(request)
    # (What was cut may be another field of the entry.)
    cut = cut and len(data.get("text") or "") > json_pieces.LONG // 8
    body, detail = _body(data, said, "content-encoding" in named, cut)
    common: dict[str, Any] = {
        "app": app,
        "url": url,
        "host": parts.hostname,
        "server": _server(entry, parts.hostname, port),
        "tls": _tls(request, parts.scheme, parts.hostname),
        "tls_unknown": not parts.scheme,
    }
    if not body and (said > 0 or named.get("content-type", "").startswith("multipart/")):
        why = f" ({request['_requestBodyStatus']})" if request.get("_requestBodyStatus") else ""
        detail = f"the file has none of a body of {said if said > 0 else 'unknown'} bytes{why}"
    events: list[Event] = []
    if detail:
        gap = Gap(at=at, app=app, where="proxy", subject=parts.hostname or url, why="body_truncated", detail=detail)
        events.append(gap)
    status = response.get("status")
    upload = Upload(
        at=at,
        via="http",
        method=method,
        headers=_headers(request.get("headers") or ()),
        body=_digest(body),
        size=len(body),
        type=named.get("content-type") or data.get("mimeType") or None,
        truncated=bool(detail),
        status=status if isinstance(status, int) and status > 0 else None,
        **common,
    )
    conversion.add(*events, upload, body=body)
    common["url"] = url.replace("http", "ws", 1) if url.startswith("http") else url
    for number, message in enumerate(entry.get("_webSocketMessages") or ()):
        try:
            if message.get("type") == "send":
                sent = _message(message)
                moment = possible(_moment(message["time"]))
                one = Upload(at=moment, via="websocket", body=_digest(sent), size=len(sent), **common)
                conversion.add(one, body=sent)
        except DAMAGE as error:
            conversion.missed(at, app, f"{subject} message {number}", problem(error))


def _as_sent(url: str) -> tuple[str, SplitResult]:
    """A URL without the parts that a client does not send: user, password and fragment."""
    parts = urlsplit(url)
    parts = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
    kept = url.partition("#")[0]
    return (kept if "@" not in kept.partition("?")[0] else parts.geturl()), parts


def _time(entry: Any) -> datetime | None:
    try:
        return possible(datetime.fromisoformat(entry["startedDateTime"]))
    except DAMAGE:
        return None


def _until_sent(timings: Mapping[str, Any]) -> float:
    """Milliseconds until the request had been sent; -1: a phase that did not apply. `connect` includes `ssl`."""
    phases = (timings.get(name) or 0 for name in ("blocked", "dns", "connect", "send"))
    return sum(float(phase) for phase in phases if phase > 0)


def _headers(headers: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (header["name"], header["value"] or "")
        for header in headers
        if not header["name"].startswith(":") and header["name"].lower() not in SECRET
    )


def _moment(time: float) -> datetime:
    """The time of a WebSocket message: Chrome and mitmproxy write seconds, Playwright milliseconds."""
    return datetime.fromtimestamp(time / 1000 if time > LATEST_S else time, UTC)


def _said(request: Mapping[str, Any], named: Mapping[str, str]) -> int:
    """The body's length according to the file; -1 if not given."""
    said, length = request.get("bodySize"), named.get("content-length", "")
    return max(said if isinstance(said, int) else -1, int(length) if length.isdecimal() else -1)


def _data(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that holds the body: postData; HTTP Toolkit and pcapng-utils write binary data to `_content`."""
    data = request.get("postData") or {}
    return data if data.get("text") or data.get("params") else request.get("_content") or data


def _body(data: Mapping[str, Any], said: int, encoded: bool, cut: bool) -> tuple[bytes, str]:
    """The body, and why it differs from what was sent, if it does. `said`: its length according to the file;
    `encoded`: that length is of the body with its content encoding, which the writer may have undone; `cut`: the
    file has more than is kept."""
    text = data.get("text")
    if not text:
        pairs = [(param["name"], _param(param)) for param in data.get("params") or ()]
        form = (data.get("mimeType") or "").startswith("application/x-www-form-urlencoded")
        return urlencode(pairs).encode(), "" if form or not pairs else "the file has the body only as parameters"
    if data.get("encoding") == "base64":
        letters = re.sub(r"\s+", "", text)
        body = base64.b64decode(letters[: len(letters) // 4 * 4] if cut else letters, validate=True)
    else:
        body = _bytes(text, said, encoded)
    if cut:
        return body, f"only the first {len(body)} bytes of the body were taken"
    if "\ufffd" in text and not encoded and said >= 0 and said != len(body):
        return body, f"the file has replacement characters in place of bytes of a body of {said}"
    if said > len(body) and not encoded:
        return body, f"the file has {len(body)} bytes of a body of {said}"
    return body, ""


def _param(param: Mapping[str, Any]) -> str:
    value = param.get("value")
    return str(param.get("fileName") or "" if value in (None, "") else value)


def _bytes(text: str, said: int, encoded: bool) -> bytes:
    """The bytes that this text stands for: UTF-8, or binary data in the encodings that writers use. Browsers and
    mitmproxy write one character per byte for bytes that are not UTF-8; mitmproxy also writes such bytes as lone
    surrogates (surrogateescape)."""
    if not text.isascii() and max(text) <= "\xff":
        raw = text.encode("latin-1")
        if said == len(raw):
            return raw
        if (encoded or said < 0) and (CONTROL.search(raw) or _is_utf8(raw)):
            return raw
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


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


def write(recording: Recording, only: Iterable[Seen[Upload]] | None = None) -> str:
    """The uploads of a recording (`only` these) as HAR 1.2: HTTP exchanges, each WebSocket with the messages sent on
    it. What a recording does not hold has a placeholder: phases last 0 ms, sizes are -1 or 0, responses have only
    their status. Binary bodies are base64, with `encoding` beside them."""
    entries: list[dict[str, Any]] = []
    sockets: dict[tuple[str | None, str, int | None], dict[str, Any]] = {}
    for one in recording.seen(Upload) if only is None else only:
        upload = one.event
        if upload.via not in ("http", "websocket"):
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
