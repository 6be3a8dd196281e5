"""Tells which entries of a HAR file were sent; a HAR also lists what a browser blocked or answered itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

SCHEMES = frozenset(("", "http", "https", "ws", "wss", "ftp", "ftps"))
"""URL schemes that use the network; "": no scheme. blob:, data:, file:, chrome-extension: and all others stay on the
device."""
CACHE = re.compile(r"_*(?:is_?|was_?)?(?:served_?)?from_?\w*cache", re.IGNORECASE)
"""_fromCache (Chrome), fromDiskCache, _servedFromCache, _fromMemoryCache, _fromPrefetchCache."""
WORKER = re.compile(r"_*(?:(?:was_?)?fetched_?via|(?:served_?)?from|served_?by)_?service_?worker", re.IGNORECASE)
PUSHED = re.compile(r"_*was_?pushed|_*from_?(?:server_?)?push", re.IGNORECASE)
BLOCKED = re.compile(r"_*(?:was_?|is_?)?blocked(?:_?reason)?", re.IGNORECASE)
FETCHED = {
    "memory cache": "cache",
    "disk cache": "cache",
    "service worker": "worker",
    "inspector override": "inspector",
}
"""Safari's `_fetchType` for responses that did not come from the network."""
ERRORS = ("_error", "_failureText", "_errorText", "_failed", "_errorMessage", "error")
NOT_SENT = re.compile(
    r"BLOCKED(?!_BY_(?:RESPONSE|ORB))|NAME_NOT_RESOLVED|NAME_RESOLUTION|_DNS_|UNKNOWN_HOST|INTERNET_DISCONNECTED"
    r"|NETWORK_ACCESS_DENIED|ADDRESS_(?:UNREACHABLE|INVALID)|CONNECTION_(?:REFUSED|TIMED_OUT|FAILED)|CLEARTEXT_NOT"
    r"|UNSAFE_PORT|CACHE_MISS|ACCESS_DENIED|URL_SCHEME|FILE_NOT_FOUND|ERR_(?:CERT|SSL|BAD_SSL)_|NS_ERROR_OFFLINE"
    r"|PORT_ACCESS_NOT_ALLOWED|PROXY_CONNECTION_FAILED|TUNNEL_CONNECTION_FAILED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED"
    r"|content blocker|hostname could not be found|could not connect to the server|appears to be offline",
    re.IGNORECASE,
)
"""Errors before anything is sent: the request was blocked, or name resolution, connection or TLS failed."""
PROXIES = re.compile(
    r"\b(?:mitmproxy|charles|fiddler|http ?toolkit|burp|proxyman|reqable|whistle|(?:owasp )?zap|browsermob|pcap|"
    r"pcapng|httpcanary|anyproxy|proxypin|appwitness)\b",
    re.IGNORECASE,
)
"""Programs that capture a device's traffic from outside, unlike a browser on it."""
WORDS = {
    "scheme": "with an address that is in no network",
    "cache": "answered by a cache",
    "worker": "answered by a service worker",
    "inspector": "answered by the inspector",
    "pushed": "pushed by the server",
    "redirect": "redirected within the browser",
    "blocked": "blocked",
    "failed": "without a name, a connection or TLS to send them on",
}
"""Why an entry was not sent, in the words of the note on a file."""


def why_not_sent(entry: Mapping[str, Any]) -> str | None:
    """Why an entry never left the device, one of WORDS; None if it did, or if nothing says that it did not."""
    request, response = entry["request"], entry.get("response") or {}
    status, said, url = response.get("status"), (entry, response), request["url"]
    if isinstance(url, str) and urlsplit(url).scheme.lower() not in SCHEMES:
        return "scheme"
    if any(_has(part, PUSHED) for part in said):
        return "pushed"
    if status == 307 and _is_internal(response):
        return "redirect"
    if status == 304:
        return None  # the browser asked a server whether its cached copy is still valid
    fetched = FETCHED.get(str(entry.get("_fetchType") or "").lower())
    if fetched:
        return fetched
    if any(_has(part, WORKER) for part in said) and not _worker_asked(said):
        return "worker"
    if any(_has(part, CACHE) for part in said) or ("afterRequest" in (entry.get("cache") or {}) and not _left(entry)):
        return "cache"
    if isinstance(status, int) and status > 0:
        return None
    if any(_has(part, BLOCKED) for part in said):
        return "blocked"
    errors = " ".join(str(part[name]) for part in said for name in ERRORS if part.get(name))
    found = NOT_SENT.search(errors)
    return None if found is None else "blocked" if "block" in found[0].lower() else "failed"


def may_not_have_left(entry: Mapping[str, Any], creator: str) -> bool:
    """Whether an entry has no response (status 0), and nothing says that it left the device. `creator`: the program
    that wrote the file. What reached a proxy had left the device."""
    status = (entry.get("response") or {}).get("status")
    return status is not None and status <= 0 and not PROXIES.search(creator) and not _left(entry)


def _left(entry: Mapping[str, Any]) -> bool:
    """Whether the entry has a server, a connection or transfer times."""
    timings = entry.get("timings") or {}
    phases = (timings.get(name) or 0 for name in ("send", "wait"))
    told = ("serverIPAddress", "connection", "_webSocketMessages")
    return any(entry.get(name) for name in told) or any(phase > 0 for phase in phases)


def _has(part: Mapping[str, Any], name: re.Pattern[str]) -> bool:
    """Whether a field of that name exists and is true."""
    return any(_is_yes(value) for key, value in part.items() if name.fullmatch(key))


def _is_yes(value: Any) -> bool:
    return str(value).strip().lower() not in ("", "0", "false", "no", "none", "null", "network")


def _is_internal(response: Mapping[str, Any]) -> bool:
    """Whether the response is internal (HSTS, an extension): no server sent it."""
    names = {str(header.get("name", "")).lower() for header in response.get("headers") or ()}
    return str(response.get("statusText") or "").lower() == "internal redirect" or "non-authoritative-reason" in names


def _worker_asked(said: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether a service worker fetched its response from the network."""
    sources = (str(part.get("_serviceWorkerResponseSource") or "").lower() for part in said)
    return "network" in sources
