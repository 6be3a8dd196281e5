"""HAR files as browsers and proxies write them."""

from __future__ import annotations

import json
from typing import Any


def har(url: str = "", text: str | None = None) -> str:
    """One GET of `url`, or a POST with a body; without a URL nothing was sent."""
    request: dict[str, Any] = {"method": "POST" if text else "GET", "url": url, "httpVersion": "HTTP/1.1"}
    request |= {"headers": [], "queryString": [], "cookies": [], "headersSize": -1, "bodySize": -1}
    if text:
        request["postData"] = {"mimeType": "text/plain", "text": text}
    response = {"status": 200, "headers": [], "content": {}, "headersSize": -1, "bodySize": -1}
    entry = {"startedDateTime": "2026-03-14T09:00:00.000Z", "time": 1, "request": request, "response": response}
    log = {"version": "1.2", "creator": {"name": "a browser", "version": "1"}, "entries": [entry] if url else []}
    return json.dumps({"log": log})
