"""What a neighbour of the pages can do: another port, another user, half a request, many lines in the log."""

from __future__ import annotations

import http.client
import http.cookiejar
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from appwitness.store import Store
from appwitness.web import auth
from appwitness.web import server as serving_module
from appwitness.web.server import BoundedConnection, FewLines
from tests.web import serving

NOBODY = 65534


@pytest.fixture
def site(tmp_path, known):
    with Store(tmp_path / "index.sqlite") as store, serving.serving(store, known) as site:
        yield site


def session_of(site):
    """The cookie that a browser has once it brought the token."""
    jar = http.cookiejar.CookieJar()
    urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(f"{site}/?token={serving.TOKEN}")
    (cookie,) = jar
    return cookie.name, cookie.value


STATUS = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={"Cookie": sys.argv[2]})).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def status(site, cookie, user=None):
    """What another process gets that shows the cookie."""
    made = subprocess.run(
        [sys.executable, "-I", "-S", "-c", STATUS, site, cookie], capture_output=True, text=True, check=True, user=user
    )
    return int(made.stdout)


def test_the_cookie_holds_no_token_and_opens_nothing_as_one(site):
    _, session = session_of(site)
    assert serving.TOKEN not in session
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{site}/?token={session}")


@pytest.mark.skipif(not auth.TABLES[4].exists(), reason="the system does not tell whose a connection is")
def test_another_user_of_the_machine_cannot_use_the_cookie(site):
    cookie = "=".join(session_of(site))
    assert status(site, cookie) == 200
    try:
        assert status(site, cookie, NOBODY) == 403
    except PermissionError:
        pytest.skip("only root may be another user")


def test_the_cookie_of_one_server_opens_no_other(site, tmp_path, known):
    _, session = session_of(site)
    with Store(tmp_path / "other.sqlite") as store, serving.serving(store, known) as other:
        port = other.rpartition(":")[2]
        assert status(other, f"appwitness-{port}={session}") == 403


def test_whose_a_connection_is():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        with socket.create_connection(listening.getsockname()[:2]) as asking:
            ends = asking.getsockname()[:2], asking.getpeername()[:2]
            if auth.TABLES[6].exists():
                assert auth.user_of(*ends) == os.getuid()
        assert auth.user_of(*ends) is None
    assert auth.user_of(("testclient", 1), ("127.0.0.1", 80)) is None
    assert auth.user_of(("127.0.0.1", 1), None) is None


@pytest.mark.parametrize("digits", [12, 13, 30, 5000])
def test_a_number_that_is_too_long_is_not_found(site, digits):
    where = f"/recordings/x/uploads/{'9' * digits}?token={serving.TOKEN}"
    asking = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with pytest.raises(urllib.error.HTTPError, match="404"):
        asking.open(site + where)


HALVES = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "half a body": b"POST /recordings/x/consents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90\r\n\r\nform",
    "a request, and half of the next": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /",
}


def connection(site):
    host, port = site.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


@pytest.mark.parametrize("half", HALVES.values(), ids=list(HALVES))
def test_half_a_request_is_ended(site, monkeypatch, half):
    monkeypatch.setattr(serving_module, "WHOLE_WITHIN_S", 0.3)
    with connection(site) as asking:
        asking.sendall(half)
        try:
            while asking.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert not BoundedConnection.half


def test_drops_do_not_keep_half_a_request_alive(site, monkeypatch):
    monkeypatch.setattr(serving_module, "WHOLE_WITHIN_S", 0.5)
    with connection(site) as asking:
        for _ in range(300):
            time.sleep(0.05)
            try:
                asking.sendall(b"G")
            except OSError:
                return
    pytest.fail("it was not ended in 15 s")


def test_few_half_requests_at_a_time_and_others_are_answered_meanwhile(site):
    halves = [connection(site) for _ in range(serving_module.HALF_AT_A_TIME + 20)]
    try:
        for each in halves:
            each.sendall(b"GET / HTTP/1.1\r\n")
        asking = http.client.HTTPConnection(site.removeprefix("http://"), timeout=20)
        asking.request("GET", "/healthz")
        assert asking.getresponse().status == 200
        asking.close()
        assert sum(map(len, BoundedConnection.half.values())) <= serving_module.HALF_AT_A_TIME
    finally:
        for each in halves:
            each.close()


def test_the_log_is_bounded():
    lines = []
    logger = logging.Logger("a")
    logger.addHandler(type("Keep", (logging.Handler,), {"emit": lambda _, record: lines.append(record.getMessage())})())
    logger.addFilter(FewLines())
    for _ in range(1000):
        logger.warning("Invalid HTTP request received.")
    assert len(lines) == serving_module.LINES
    assert lines[-1] == "Further lines are suppressed for 60 s."
