"""Which way a device's traffic takes, and who may use the proxy."""

from __future__ import annotations

import pytest

from monitor.errors import UserError
from monitor.observe.modes import KINDS, admitted, choose


@pytest.mark.parametrize("device", ["lab", "emulator", "phone"])
def test_auto_needs_nothing_and_says_why(device: str) -> None:
    mode = choose("auto", device)
    assert (mode.spec, mode.todo) == ("regular", "")
    assert mode.why
    assert ("wireguard" in mode.why) == (device != "lab"), "a real device has a way to see more"


@pytest.mark.parametrize(
    "wanted", ["regular", "wireguard", "wireguard@51820", "transparent", "local:com.example", "reverse:https://a.test"]
)
def test_what_was_asked_for_is_taken_and_explained(wanted: str) -> None:
    mode = choose(wanted, "phone")
    assert mode.spec == wanted
    assert mode.sees == KINDS[wanted.partition(":")[0].partition("@")[0]][0]


@pytest.mark.parametrize(
    ("wanted", "device", "words"),
    [
        ("sideways", "phone", "no mode 'sideways'"),
        ("reverse:a.test", "phone", "needs a server"),
        ("wireguard", "lab", "The lab device cannot use mode wireguard"),
    ],
)
def test_what_cannot_be(wanted: str, device: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        choose(wanted, device)


@pytest.mark.parametrize(
    ("listen", "mode", "address", "admit"),
    [
        ("127.0.0.1", "regular", None, ()),
        ("::1", "regular", None, ()),
        ("localhost", "regular", None, ()),
        ("0.0.0.0", "wireguard", None, ()),
        ("0.0.0.0", "regular", "192.0.2.20", ("192.0.2.20",)),
        ("192.0.2.1", "transparent", "2001:db8::20", ("2001:db8::20",)),
    ],
)
def test_only_the_device_is_let_in(listen: str, mode: str, address: str | None, admit: tuple[str, ...]) -> None:
    assert admitted(listen, choose(mode, "phone"), address) == admit


@pytest.mark.parametrize("listen", ["0.0.0.0", "192.0.2.1", "::"])
def test_nobody_listens_for_everybody(listen: str) -> None:
    with pytest.raises(UserError, match="would serve anybody"):
        admitted(listen, choose("regular", "phone"), None)


def test_an_address_that_is_none() -> None:
    with pytest.raises(UserError, match="is no address"):
        admitted("0.0.0.0", choose("regular", "phone"), "my phone")
