"""Pairing with a phone over Wi-Fi, and connecting to it."""

from __future__ import annotations

from appwitness.support.errors import UserError


def waiting() -> list[str]:
    """HOST:PORT of each phone that shows a pairing code now, as far as the network announces it."""
    from appwitness.devices.android import adb

    return [each.address for each in adb.announced() if each.kind == adb.TLS_PAIRING]


def check_address(address: str) -> None:
    """Raise UserError for an address that is not HOST:PORT."""
    from appwitness.devices.android import adb

    if not adb.ADDRESS.fullmatch(address):
        raise UserError(f"{address!r} is not an address.", "Write it as the phone shows it: 192.168.1.20:37123.")


def pair(address: str, code: str) -> None:
    """Pair with the phone that shows this address (HOST:PORT) and code; spaces in the code do not matter.

    The code is written nowhere. Raises UserError for an address or a code that cannot be one, and SetupError when the
    phone does not take it.
    """
    from appwitness.devices.android import adb

    check_address(address)
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdigit()):
        raise UserError("The code must consist of digits.", "Type the six digits that the phone shows.")
    adb.pair(address, code)


def connect(address: str) -> str | None:
    """Connect to a phone that was paired at this address. Waits up to five seconds until the network announces it.

    Gives its serial; None: it is not announced, and has to be connected to by the port that its page shows.
    """
    from appwitness.devices.android.discovery import after_pairing

    return after_pairing(address)
