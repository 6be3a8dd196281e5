"""What of a HAR file was sent: entries that stayed on the device are no uploads, and are counted in a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from appwitness.cli.verbs import main
from appwitness.events import Gap, Upload
from appwitness.exchange import Origin, har, imported

APP = "com.example.circle"


def entry(url: str = "https://api.circle.test/sync?lat=31.2", **said: Any) -> dict[str, Any]:
    """An exchange with a server, as a browser saves it; `said` replaces fields of the entry."""
    return {
        "startedDateTime": "2026-05-01T10:00:00Z",
        "request": {"method": "GET", "url": url, "httpVersion": "h2", "headers": []},
        "response": {"status": 200, "headers": []},
        "serverIPAddress": "203.0.113.7",
        "cache": {},
        "timings": {"blocked": 1, "dns": 2, "connect": 3, "send": 0.1, "wait": 40, "receive": 1},
        **said,
    }


def answered(**said: Any) -> dict[str, Any]:
    return {"response": {"status": 200, "headers": [], **said}}


NOWHERE: dict[str, Any] = {
    "serverIPAddress": "",
    "timings": {"blocked": 2, "dns": -1, "connect": -1, "send": 0, "wait": 0},
}
"""What an entry says that never came to a connection."""


def failed(error: str = "", **said: Any) -> dict[str, Any]:
    return {**NOWHERE, "response": {"status": 0, "headers": [], "_error": error or None, **said}}


STAYED = {
    "blob:": entry("blob:https://shop.test/5e2a-31.2304"),
    "data:": entry("data:application/json,%7B%22phone%22%3A1%7D"),
    "file:": entry("file:///sdcard/contacts.json?q=1"),
    "Chrome's extensions": entry("chrome-extension://abcdef/page.html?u=1"),
    "Firefox's extensions": entry("moz-extension://abcdef/page.html?u=1"),
    "Safari's extensions": entry("safari-web-extension://abcdef/page.html"),
    "an app's own pages": entry("capacitor://localhost/index.html?u=1"),
    "a provider's": entry("content://com.android.contacts/1"),
    "about:": entry("about:blank?u=1"),
    "upper case": entry("BLOB:https://shop.test/5e2a"),
    "memory (Chrome)": entry(_fromCache="memory"),
    "disk (Chrome)": entry(_fromCache="disk"),
    "prefetched": entry(_fromPrefetchCache=True),
    "disk (chrome-har)": entry(**answered(fromDiskCache=True)),
    "served from memory": entry(_servedFromMemoryCache=True),
    "memory (Safari)": entry(_fetchType="Memory Cache"),
    "disk (Safari)": entry(_fetchType="Disk Cache"),
    "overridden (Safari)": entry(_fetchType="Inspector Override"),
    "a worker (Safari)": entry(_fetchType="Service Worker"),
    "a cache (Firefox)": entry(cache={"afterRequest": None}, **NOWHERE),
    "a worker (Chrome)": entry(**answered(_fetchedViaServiceWorker=True)),
    "a worker that had it": entry(
        **answered(_fetchedViaServiceWorker=True, _serviceWorkerResponseSource="cache-storage")
    ),
    "HSTS": entry(response={"status": 307, "statusText": "Internal Redirect", "headers": []}),
    "HSTS, by its header": entry(
        response={"status": 307, "headers": [{"name": "Non-Authoritative-Reason", "value": "HSTS"}]}
    ),
    "pushed": entry(_was_pushed=1),
    "pushed (chrome-har)": entry(_wasPushed="1"),
    "blocked (Chrome)": entry(**failed("net::ERR_BLOCKED_BY_CLIENT")),
    "blocked by an administrator": entry(**failed("net::ERR_BLOCKED_BY_ADMINISTRATOR")),
    "blocked, as a field": entry(**failed(), _blocked="devtools"),
    "blocked, with its reason": entry(**failed(_blockedReason="csp")),
    "blocked (Safari)": entry(**failed("The URL was blocked by a content blocker")),
    "no such name (Chrome)": entry(**failed("net::ERR_NAME_NOT_RESOLVED")),
    "no such name (Firefox)": entry(**failed("NS_ERROR_UNKNOWN_HOST")),
    "no such name (Playwright)": entry(**failed(_failureText="net::ERR_NAME_NOT_RESOLVED")),
    "no network": entry(**failed("net::ERR_INTERNET_DISCONNECTED")),
    "refused": entry(**failed("net::ERR_CONNECTION_REFUSED")),
    "cleartext not permitted": entry("http://a.test/?u=1", **failed("net::ERR_CLEARTEXT_NOT_PERMITTED")),
    "no trust": entry(**failed("net::ERR_CERT_AUTHORITY_INVALID")),
}
SENT = {
    "as usual": entry(),
    "asked whether it is still so": entry(response={"status": 304, "headers": []}, _fromCache="disk"),
    "304 (Firefox)": entry(response={"status": 304}, cache={"afterRequest": {"hitCount": 3}}),
    "answered, and then blocked": entry(**answered(_error="net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin")),
    "a redirect of the server": entry(response={"status": 307, "statusText": "Temporary Redirect", "headers": []}),
    "not from a cache": entry(_fromCache=False, _was_pushed="0", **answered(_fetchedViaServiceWorker=False)),
    "by a worker that asked": entry(**answered(_fetchedViaServiceWorker=True, _serviceWorkerResponseSource="network")),
    "a load (Safari)": entry(_fetchType="Network Load"),
    "cached afterwards": entry(cache={"beforeRequest": None, "afterRequest": {"hitCount": 0}}),
    "time in a queue": entry(_blocked_queueing=4.2),
    "no answer": entry(response={"status": 0, "_error": "net::ERR_EMPTY_RESPONSE"}),
    "reset": entry(response={"status": 0, "_error": "net::ERR_CONNECTION_RESET"}),
}


def save(path: Path, *entries: dict[str, Any], creator: str = "WebInspector") -> Path:
    path.write_text(json.dumps({"log": {"creator": {"name": creator}, "entries": entries}}), "utf-8")
    return path


@pytest.mark.parametrize("name", STAYED)
def test_what_stayed_is_no_upload_and_no_gap(tmp_path: Path, name: str) -> None:
    read = har.read(save(tmp_path / "a.har", STAYED[name]), APP)
    assert read.events == []
    (note,) = read.notes
    assert note.startswith("a.har: requests that never left the device are not uploads: 1 ")


@pytest.mark.parametrize("name", SENT)
def test_what_was_sent_is_an_upload(tmp_path: Path, name: str) -> None:
    read = har.read(save(tmp_path / "a.har", SENT[name]), APP)
    assert [event.kind for event in read.events] == ["upload"]
    assert read.notes == []


def test_of_what_nothing_says_that_it_left_there_is_a_gap(tmp_path: Path) -> None:
    path = save(tmp_path / "a.har", entry(**failed()), entry(**failed("net::ERR_ABORTED")))
    events = har.read(path, APP).events
    assert [(event.why, event.subject) for event in events if isinstance(event, Gap)] == [
        ("not_observed", "api.circle.test")
    ] * 2


@pytest.mark.parametrize("creator", ["mitmproxy", "Charles Proxy", "HTTP Toolkit"])
def test_what_came_to_a_proxy_had_left_the_device(tmp_path: Path, creator: str) -> None:
    (upload,) = har.read(save(tmp_path / "a.har", entry(**failed()), creator=creator), APP).events
    assert isinstance(upload, Upload)
    assert upload.status is None


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a.test/p?q=1#phone=13800138000", "https://a.test/p?q=1"),
        ("https://a.test/#/user/13800138000?x=1", "https://a.test/"),
        ("https://me:secret@a.test:8443/p#x", "https://a.test:8443/p"),
        ("https://a.test/@me?mail=a@b.test", "https://a.test/@me?mail=a@b.test"),
        ("https://a.test/p?", "https://a.test/p?"),
    ],
)
def test_what_a_client_keeps_of_an_address(tmp_path: Path, url: str, sent: str) -> None:
    (upload,) = har.read(save(tmp_path / "a.har", entry(url)), APP).events
    assert isinstance(upload, Upload)
    assert upload.url == sent


@pytest.mark.parametrize(
    ("url", "told", "cleartext"),
    [
        ("http://a.test:443/p", "//a.test:443/p", False),
        ("HTTP://a.test:8443/p?q=http://b.test", "//a.test:8443/p?q=http://b.test", False),
        ("ws://a.test:443/p", "//a.test:443/p", False),
        ("http://[2001:db8::1]:443/", "//[2001:db8::1]:443/", False),
        ("http://a.test/p", "http://a.test/p", True),
        ("http://a.test:8080/p", "http://a.test:8080/p", True),
        ("https://a.test:443/p", "https://a.test:443/p", False),
    ],
)
def test_plain_http_where_servers_speak_tls_is_not_taken_for_cleartext(
    tmp_path: Path, url: str, told: str, cleartext: bool
) -> None:
    (upload,) = har.read(save(tmp_path / "a.har", entry(url)), APP).events
    assert isinstance(upload, Upload)
    assert (upload.url, upload.cleartext, upload.tls_unknown) == (told, cleartext, told.startswith("//"))
    assert upload.host in ("a.test", "2001:db8::1")


def test_the_run_says_how_many_stayed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.har", *STAYED.values(), *SENT.values())
    run = imported([path], tmp_path / "r", Origin(APP)).run
    (note,) = run.notes
    assert sum(int(word) for word in note.partition("uploads: ")[2].split() if word.isdecimal()) == len(STAYED)


SCHEMES = ["https", "http", "wss", "blob:https", "data", "file", "chrome-extension", "x-app"]
FACTS = st.fixed_dictionaries(
    {
        "scheme": st.sampled_from(SCHEMES),
        "status": st.sampled_from([0, 200, 304, 307, 404]),
        "cache": st.sampled_from([None, "memory", "disk"]),
        "internal": st.booleans(),
        "worker": st.booleans(),
        "error": st.sampled_from([None, "net::ERR_BLOCKED_BY_CLIENT", "net::ERR_NAME_NOT_RESOLVED", "net::ERR_FAILED"]),
        "server": st.booleans(),
    }
)


def made(facts: dict[str, Any]) -> dict[str, Any]:
    one = entry(f"{facts['scheme']}://a.test/?u=1")
    one["response"] = {"status": facts["status"], "headers": [], "_error": facts["error"]}
    one["response"]["statusText"] = "Internal Redirect" if facts["internal"] else ""
    one["response"]["_fetchedViaServiceWorker"] = facts["worker"]
    if facts["cache"]:
        one["_fromCache"] = facts["cache"]
    return one if facts["server"] else one | NOWHERE


def may_be_called_sent(facts: dict[str, Any]) -> bool:
    """By the facts alone: a server was asked, since it answered, or since there was one and no reason against it."""
    if facts["scheme"] not in ("http", "https", "wss") or (facts["status"] == 307 and facts["internal"]):
        return False
    if facts["status"] == 304:
        return True
    if facts["cache"] or facts["worker"]:
        return False
    if facts["status"]:
        return True
    return facts["server"] and facts["error"] in (None, "net::ERR_FAILED")


@given(st.lists(FACTS, max_size=8))
def test_an_upload_is_what_was_sent_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, all_facts: Any) -> None:
    path = save(tmp_path_factory.mktemp("har") / "a.har", *map(made, all_facts))
    uploads = [event for event in har.read(path, APP).events if isinstance(event, Upload)]
    assert len(uploads) == sum(map(may_be_called_sent, all_facts))


def test_import_says_what_stayed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.har", STAYED["blob:"], SENT["as usual"])
    told = CliRunner().invoke(main, ["import", str(path), "--app", APP, "--output", str(tmp_path / "r")])
    assert "requests that never left the device are not uploads" in told.output
    assert "1 upload" in told.output
