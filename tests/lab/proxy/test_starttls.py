"""Connections that change to TLS in their middle: mail by the standard library's clients, XMPP by hand."""

from __future__ import annotations

import imaplib
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from appwitness.events import Upload
from tests.lab.proxy.observed import Observed, wait_for

pytestmark = pytest.mark.lab

NUMBER = b"+8613800138000"


def of(observed: Observed, host: str) -> list[tuple[bool, bytes]]:
    """What was sent there: whether inside TLS, and the bytes."""
    found: list[Upload] = [one for one in observed.uploads() if one.host == host and one.via == "tcp"]
    return [(one.tls is not None, observed.body(one)) for one in found if one.body]


def smtp(observed: Observed, tls: ssl.SSLContext) -> smtplib.SMTP:
    class Client(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, _: Any) -> socket.socket:
            return observed.tunnel(host, port)

    client = Client("mail.test", 587, timeout=30)
    client.starttls(context=tls)
    return client


def test_mail_that_is_sent(shared: Observed) -> None:
    with smtp(shared, shared.tls) as client:
        client.sendmail("a@mail.test", ["b@mail.test"], b"Subject: me\r\n\r\n" + NUMBER)
    sent = wait_for(lambda: [one for one in of(shared, "mail.test") if b"Subject: me" in one[1]])
    assert [(inside, NUMBER in data) for inside, data in sent] == [(True, True)]
    assert (False, b"STARTTLS\r\n") in of(shared, "mail.test")
    assert "mail.test" not in [gap.subject for gap in shared.gaps()]


def test_a_mailbox(shared: Observed) -> None:
    class Client(imaplib.IMAP4):
        def _create_socket(self, _: Any) -> socket.socket:
            return shared.tunnel("mail.test", 143)

    client = Client("mail.test", 143)
    client.starttls(shared.tls)
    client.login(NUMBER.decode(), "secret")
    with suppress(imaplib.IMAP4.error):
        client.logout()
    sent = wait_for(lambda: [one for one in of(shared, "mail.test") if b"LOGIN" in one[1]])
    assert [(inside, NUMBER in data) for inside, data in sent] == [(True, True)]
    assert "mail.test" not in [gap.subject for gap in shared.gaps()]


def test_chat(shared: Observed) -> None:
    raw: socket.socket = shared.tunnel("xmpp.test", 5269)
    stream = b"<?xml version='1.0'?><stream:stream to='xmpp.test' xmlns='jabber:client'>"
    starttls = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    for said, answer in ((stream, b"features"), (starttls, b"proceed")):
        raw.sendall(said)
        assert answer in raw.recv(4096)
    raw = shared.tls.wrap_socket(raw, server_hostname="xmpp.test")
    message = b"<message to='x@xmpp.test'><body>" + NUMBER + b"</body></message>"
    for said, answer in ((stream, b"features"), (message, b"presence")):
        raw.sendall(said)
        assert answer in raw.recv(4096)
    raw.close()
    wait_for(lambda: len(of(shared, "xmpp.test")) == 4)
    assert of(shared, "xmpp.test") == [(False, stream), (False, starttls), (True, stream), (True, message)], (
        "each element by itself"
    )
    assert "xmpp.test" not in [gap.subject for gap in shared.gaps()]


def test_an_app_that_refuses_our_certificate_then_is_let_through_once_it_has(start: Callable[..., Observed]) -> None:
    observed = start(pass_refused="true")
    pinned = ssl.create_default_context(cafile=observed.path.parent / "upstream.pem")
    with pytest.raises(ssl.SSLError):
        smtp(observed, pinned)
    observed.gap(lambda gap: (gap.subject, gap.why) == ("mail.test", "tls_refused"))
    with smtp(observed, pinned) as client:
        client.sendmail("a@mail.test", ["b@mail.test"], NUMBER)
    gap = observed.gap(lambda gap: gap.why == "not_decrypted")
    assert (gap.subject, gap.detail) == ("mail.test", "passed on: the app refuses our certificate")
    assert not any(NUMBER in data for _, data in of(observed, "mail.test"))


@pytest.mark.parametrize("inside", [False, True], ids=["no TLS", "TLS inside TLS"])
def test_what_cannot_be_read_flows_on_and_a_gap_says_so(shared: Observed, inside: bool) -> None:
    host = "rawtls.test" if inside else "raw.test"
    raw: socket.socket = shared.tunnel(host, 5224)
    if inside:
        raw = shared.tls.wrap_socket(raw, server_hostname=host)
    for said in (b"\x01hello", b"\x16\x03\x01\x01\x00\x01" + bytes(255), b"\x17\x03\x03\x00\x10" + bytes(16)):
        raw.sendall(said)
        assert raw.recv(4096) == said
    raw.close()
    gap = shared.gap(lambda gap: gap.subject == host)
    assert (gap.why, "STARTTLS" in (gap.detail or "")) == ("not_decrypted", True)
    assert [data for _, data in of(shared, host)] == [b"\x01hello"]
