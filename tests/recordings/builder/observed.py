"""How well it was observed: clocks that agree only so far, other apps on the device, connections past the proxy."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case
from tests.recordings.builder.reads import DEVICE, NUMBER, PHONE, POSITION

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
            "lines-of-another-app",
            "The user agrees and the app sends the number. In between another app is refused, withdraws, is denied a "
            "permission again and again, goes to the background, writes down a no, presses its own button and reads "
            "the position: none of it is about this app.",
        )
        .launched()
        .agreed()
        .of_app("com.other.app")
        .asked(2.5)
        .tapped(3, "refused", "Disagree")
        .tapped(3.1, "withdrawn", "Withdraw consent")
        .tapped(3.2, "given", "Agree", by="app")
        .prompted(3.3, "CAMERA", ["photos"])
        .answered(4.3, "CAMERA", ["photos"], False)
        .prompted(5.4, "CAMERA", ["photos"])
        .prompted(6.5, "CAMERA", ["photos"])
        .prompted(7.6, "CAMERA", ["photos"])
        .claimed(7.7, "preference", "refused", "privacy_accepted=false")
        .claimed(7.8, "preference", "given", "privacy_accepted=true", at_start=True)
        .phase(8, "background")
        .phase(8.1, "screen_off")
        .read(8.2, POSITION, LOGIN)
        .phase(8.3, "exited")
        .of_app("com.example.shop")
        .read(9, NUMBER, LOGIN)
        .sent(10, OWN, {"phone": PHONE}, by=LOGIN)
        .sent(11, f"{OWN}?lat=31.230416&lon=121.473701", by=LOGIN)
    )
    yield (
        Case(
            "marked-yes-and-a-read-of-the-same-moment",
            "The operator marks the yes on the host 10 ms after the device read the number, and the clocks agree to "
            "within 20 ms: it may as well be before it. The upload of 5 ms before the mark is of the same clock, and "
            "too early.",
        )
        .clocks_agree_to(20)
        .asked(0.5)
        .marked(2, "given", "tapped Agree")
        .read(1.99, NUMBER, LOGIN)
        .sent(1.995, OWN, {"phone": PHONE}, by=LOGIN)
        .finds("sent-before-consent", "high", "corroborated", "phone_number", "api.shop.test")
    )
    yield (
        Case(
            "no-of-the-same-microsecond",
            "The number is read in the very microsecond of the touch on Disagree: neither is known to be first, and "
            "what is said is that there was no consent.",
        )
        .asked(0.5)
        .tapped(2, "refused", "Disagree")
        .read(2, NUMBER, LOGIN)
        .finds("read-before-consent", "medium", "indicated", "phone_number")
    )
    yield (
        Case(
            "yes-of-the-same-microsecond",
            "The number is read in the very microsecond of the touch on Agree: nobody knows which was first.",
        )
        .asked(0.5)
        .tapped(2, "given", "Agree")
        .read(2, NUMBER, LOGIN)
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
