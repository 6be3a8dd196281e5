"""Which way a device's traffic takes, and who may use the proxy."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from appwitness.devices import traffic_modes
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.devices.traffic_modes import KINDS, admitted, choose
from appwitness.support.errors import UserError

LAB = LabDevice.modes(None, "127.0.0.1")  # type: ignore[arg-type]
PHONE = {"regular": ("it needs no root",), "wireguard": ("w", "all", "by us"), "transparent": ("t",), "reverse": ("r",)}
EMULATOR = {**PHONE, "local": ("l",)}


@pytest.mark.parametrize("can", [LAB, PHONE, EMULATOR, {"wireguard": ("w", "all", "by us"), **PHONE}])
def test_auto_takes_the_first_and_says_why(can: Mapping[str, Sequence[str]]) -> None:
    first = next(iter(can))
    mode = choose("auto", can)
    assert (mode.spec, mode.why) == (first, can[first][0])
    assert (mode.sees, mode.todo) == (tuple(can[first][1:]) or KINDS[first])


@pytest.mark.parametrize("wanted", ["regular", "wireguard", "wireguard@51820", "transparent", "reverse:https://a.test"])
def test_what_was_asked_for_is_taken_and_explained(wanted: str) -> None:
    mode = choose(wanted, PHONE)
    kind = wanted.partition(":")[0].partition("@")[0]
    assert (mode.spec, mode.why) == (wanted, "you chose it")
    assert mode.sees == ("all" if kind == "wireguard" else KINDS[kind][0])


@pytest.mark.parametrize(
    ("wanted", "can", "words"),
    [
        ("sideways", PHONE, "no mode 'sideways'"),
        ("reverse:a.test", PHONE, "needs a server"),
        ("wireguard", LAB, "This device cannot use mode wireguard.*regular"),
        ("local:java", LAB, "cannot use mode local"),
        ("local", PHONE, "cannot use mode local"),
    ],
)
def test_what_cannot_be(wanted: str, can: Mapping[str, Sequence[str]], words: str) -> None:
    with pytest.raises(UserError, match=words):
        choose(wanted, can)


def test_without_hooks_nobody_redirects() -> None:
    can = {"redirect": ("the agent is there",), **PHONE}
    assert choose("auto", can).spec == "redirect"
    assert choose("auto", can, hooks=False).spec == "regular"
    with pytest.raises(UserError, match="hooks, which are switched off"):
        choose("redirect", can, hooks=False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems ask by themselves")
def test_mode_local_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(traffic_modes, "GROUPS", tmp_path)

    def lacks(words: str) -> None:
        with pytest.raises(UserError, match=words):
            choose("local:qemu-system", EMULATOR)

    lacks("by sudo, which is not installed")
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\nexit 1\n")
    sudo.chmod(0o755)
    with monkeypatch.context() as somebody:
        somebody.setattr(os, "geteuid", lambda: 1000)
        lacks("sudo asks for a password")
    sudo.write_text("#!/bin/sh\n")
    lacks("control groups of version 2")
    (tmp_path / "cgroup.controllers").touch()
    assert choose("local:qemu-system", EMULATOR).spec == "local:qemu-system"


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
    assert admitted(listen, choose(mode, PHONE), address) == admit


@pytest.mark.parametrize("listen", ["0.0.0.0", "192.0.2.1", "::"])
def test_nobody_listens_for_everybody(listen: str) -> None:
    with pytest.raises(UserError, match="would serve anybody"):
        admitted(listen, choose("regular", PHONE), None)


def test_an_address_that_is_none() -> None:
    with pytest.raises(UserError, match="is not an address"):
        admitted("0.0.0.0", choose("regular", PHONE), "my phone")
