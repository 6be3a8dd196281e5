"""Requests tokens from a time-stamp authority over HTTP; the answer is limited in size and time, and redirects are
refused."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import closing, suppress
from urllib.parse import urlsplit

ANSWER_S = 10.0
"""Time limit for an authority's whole answer, in seconds."""


HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class Unanswered(Exception):
    """The authority could not be reached, or gave an invalid answer; the text says why."""


def post(url: str, request: bytes, most: int) -> bytes:
    """POST a time-stamp request to a URL and return the answer, of at most `most` bytes. Raises Unanswered."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_S)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    said: list[tuple[int, bytes] | Exception] = []

    def exchange() -> None:
        try:
            with closing(connection):
                connection.request("POST", path, request, HEADERS)
                answer = connection.getresponse()
                said.append((answer.status, answer.read(most + 1)))
        except (OSError, http.client.HTTPException) as error:
            said.append(error)

    # in a thread: the socket timeout restarts with each byte, and name resolution has none
    thread = threading.Thread(target=exchange, name="time-stamp authority", daemon=True)
    thread.start()
    thread.join(ANSWER_S)
    if not said:
        with suppress(OSError, AttributeError):  # not connected yet, or no longer
            connection.sock.shutdown(socket.SHUT_RDWR)
        raise Unanswered(f"no answer within {ANSWER_S:g} s")
    if isinstance(said[0], Exception):
        raise Unanswered(str(said[0]) or type(said[0]).__name__)
    status, data = said[0]
    if status != 200:
        raise Unanswered(f"it answered {status}")
    if len(data) > most:
        raise Unanswered("its answer is too large")
    return data
