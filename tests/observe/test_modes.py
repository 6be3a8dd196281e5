"""Which way a device's traffic takes, and who may use the proxy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from monitor.errors import UserError
from monitor.observe import modes
from monitor.observe.modes import KINDS, admitted, choose


@pytest.mark.parametrize("device", ["lab", "emulator", "phone"])
def test_auto_needs_nothing_and_says_why(device: str) -> None:
    mode = choose("auto", device)
    assert (mode.spec, mode.todo) == ("regular", "")
    assert mode.why
    assert ("wireguard" in mode.why) == (device != "lab"), "a real device has a way to see more"


@pytest.mark.parametrize("wanted", ["regular", "wireguard", "wireguard@51820", "transparent", "reverse:https://a.test"])
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
        ("local:java", "lab", "a lab device's app is told a proxy"),
        ("local", "phone", "a phone is no program of this machine"),
    ],
)
def test_what_cannot_be(wanted: str, device: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        choose(wanted, device)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems ask by themselves")
def test_mode_local_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(modes, "GROUPS", tmp_path)

    def lacks(words: str) -> None:
        with pytest.raises(UserError, match=words):
            choose("local:qemu-system", "emulator")

    lacks("by sudo, which is not installed")
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\nexit 1\n")
    sudo.chmod(0o755)
    if os.geteuid() != 0:
        lacks("sudo asks for a password")
    sudo.write_text("#!/bin/sh\n")
    lacks("control groups of version 2")
    (tmp_path / "cgroup.controllers").touch()
    assert choose("local:qemu-system", "emulator").spec == "local:qemu-system"


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
