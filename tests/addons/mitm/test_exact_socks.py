"""Why a server was not reached, as SOCKS5 has it."""

from __future__ import annotations

import errno

import pytest

from addons.mitm.exact_socks import reply


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (f"[Errno {errno.ECONNREFUSED}] Connect call failed ('198.18.0.1', 7)", 5),
        (f"[Errno {errno.ETIMEDOUT}] Connect call failed ('198.18.0.1', 7)", 6),
        (f"[Errno {errno.ENETUNREACH}] Network is unreachable", 3),
        (f"[Errno {errno.EADDRNOTAVAIL}] Cannot assign requested address", 3),
        (f"[Errno {errno.EHOSTUNREACH}] No route to host", 4),
        (f"[Errno {errno.EMFILE}] Too many open files", 4),
        ("connection cancelled", 4),
        ("", 4),
    ],
)
def test_the_answer(said: str, code: int) -> None:
    assert reply(said) == code
