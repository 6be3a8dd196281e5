"""How well it was observed: clocks that agree only so far, other apps on the device, connections past the proxy."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case
from tests.recordings.builder.reads import DEVICE, NUMBER, PHONE

OWN = "https://api.shop.test/v1/login"
LOGIN = "com.example.shop.Login.prefill(Login.java:31)"


def cases() -> Iterator[Case]:
    """One for each thing that may not be taken for more than it is."""
    yield (
        Case(
            "simultaneous-read-and-upload",
            "Nobody was asked; the number is on the wire 4 ms after it was read, and the clocks agree to within 20 ms: "
            "which was first is not decided, and nothing is proven.",
        )
        .clocks_agree_to(20)
        .asked(0.5)
        .read(3, NUMBER, LOGIN)
        .sent(3.004, OWN, {"phone": PHONE}, by=LOGIN)
        .finds("read-before-consent", "medium", "corroborated", "phone_number")
        .finds("sent-before-consent", "high", "corroborated", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "simultaneous-with-the-yes",
            "The upload seems to be 10 ms before the touch on Agree, and the clocks agree to within 20 ms: it may as "
            "well be after it.",
        )
        .clocks_agree_to(20)
        .asked(0.5)
        .tapped(2, "given", "Agree")
        .read(2.003, NUMBER, LOGIN)
        .sent(1.99, OWN, {"phone": PHONE}, by=LOGIN)
    )
    yield (
        Case(
            "uploads-of-another-app",
            "Before anybody was asked the app sends the number; another app on the device does so too, to its own "
            "server, and that is no finding on this one.",
        )
        .sockets_watched()
        .asked(0.5)
        .read(3, NUMBER, LOGIN)
        .sent(3.5, OWN, {"phone": PHONE}, by=LOGIN)
        .sent(4, "https://sync.other.test/me", {"msisdn": PHONE}, port=61_007)
        .finds("read-before-consent", "medium", "proven", "phone_number")
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "past-the-proxy",
            "The IMEI was read and is in no upload; but the app has a connection that no proxy saw, so that it was "
            "never sent is not said.",
            nearly="read-never-sent",
        )
        .sockets_watched()
        .agreed()
        .read(3, DEVICE, LOGIN)
        .sent(4, "https://api.shop.test/catalog", by=LOGIN)
        .opened(5, "198.51.100.9", "push.shop.test", "com.example.shop.Push.open(Push.java:8)")
    )
