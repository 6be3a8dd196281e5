"""One question to a time-stamp authority over HTTP: the answer is bounded in size and time, and led nowhere else."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import closing, suppress
from urllib.parse import urlsplit

ANSWER_S = 10.0
"""How long an authority may take for its whole answer."""


class Unanswered(Exception):
    """It could not be reached, or did not answer as it should; the text says why."""


def post(url: str, request: bytes, most: int) -> bytes:
    """What the address answers to a time-stamp request, at most so many bytes. Raises Unanswered."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=ANSWER_S, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=ANSWER_S)
    )
    late = threading.Timer(ANSWER_S, _cut, [connection])  # the timeout above begins anew with each byte
    late.daemon = True
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        with closing(connection):
            connection.connect()
            late.start()
            connection.request("POST", path, request, headers)
            answer = connection.getresponse()
            data = answer.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(str(error) or type(error).__name__) from None
    finally:
        late.cancel()
    if answer.status != 200:
        raise Unanswered(f"it answered {answer.status}")
    if len(data) > most:
        raise Unanswered("its answer is too large")
    return data


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):  # it was closed in the meantime
        connection.sock.shutdown(socket.SHUT_RDWR)
