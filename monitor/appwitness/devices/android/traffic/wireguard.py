"""Configures the WireGuard app on a rooted device for one app, switches it on, and restores it afterwards.

The files are those of com.wireguard.android (Application.kt, TunnelManager.kt). Not tried on Android.
"""

from __future__ import annotations

import re
import shlex
import time

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import fault

APP = "com.wireguard.android"
FILES = f"/data/data/{APP}/files"
DATASTORE = f"{FILES}/datastore/settings.preferences_pb"
RECEIVER = f"{APP}/.model.TunnelManager\\$IntentReceiver"
UP_S = 10.0
_KEY = b"allow_remote_control_intents"
_VALUE = b"\x0a" + bytes([len(_KEY)]) + _KEY + b"\x12\x02\x08\x01"
ALLOWED = b"\x0a" + bytes([len(_VALUE)]) + _VALUE
"""A map entry in protobuf (androidx.datastore); it is appended, as the last of several entries with the same key
counts."""


def is_there(control: Control) -> bool:
    """Whether the WireGuard app is installed and can be configured, which takes root."""
    installed = control.shell.user(f"pm path {APP}").out.startswith("package:")
    return installed and control.shell.rooted() is not None


def start(control: Control, configuration: str, address: str, package: str) -> None:
    """Send one app's traffic through the tunnel described in the proxy's `configuration`, until undo.

    `address`: where the device finds this machine. Raises DeviceFault `wireguard-not-up`.
    """
    name, owner = control.run, f"$(stat -c %u {FILES})"
    text = configured(configuration, address, package)
    control.change(
        "end the WireGuard app", f"am force-stop {APP}", f"am force-stop {APP}", root=True, lost_by_reboot=True
    )
    _write(control, DATASTORE, _bytes(control, DATASTORE) + ALLOWED, "let the WireGuard app be switched on by others")
    control.change(
        f"add the tunnel {name} to the WireGuard app",
        f"umask 077; echo {shlex.quote(text)} > {FILES}/{name}.conf && chown {owner}:{owner} {FILES}/{name}.conf && "
        f"{_relabel(f'{FILES}/{name}.conf')}",
        f"rm -f {FILES}/{name}.conf",
        root=True,
    )
    said = control.shell.check(f"cmd appops get {APP} ACTIVATE_VPN")
    was = re.search(r"ACTIVATE_VPN: (\w+)", said)
    control.change(
        "let the WireGuard app make a VPN",
        f"cmd appops set {APP} ACTIVATE_VPN allow",
        f"cmd appops set {APP} ACTIVATE_VPN {was[1] if was else 'default'}",
        was=was[1] if was else None,
    )
    control.change(f"switch the tunnel {name} on", _ask("UP", name), _ask("DOWN", name), root=True, lost_by_reboot=True)
    end = time.monotonic() + UP_S
    while " tun" not in control.shell.user("ip -o addr show up").out:
        if time.monotonic() > end:
            raise fault("wireguard-not-up", serial=control.shell.serial)
        time.sleep(0.2)


def configured(configuration: str, address: str, package: str) -> str:
    """The proxy's configuration, limited to one app, with the address at which the device finds the proxy."""
    text = re.sub(r"(?m)^(Endpoint\s*=\s*).*:(\d+)\s*$", rf"\g<1>{address}:\2", configuration.strip())
    return re.sub(r"(?m)^\[Interface\]\s*$", f"[Interface]\nIncludedApplications = {package}", text, count=1)


def _ask(what: str, name: str) -> str:
    return f"am broadcast -a {APP}.action.SET_TUNNEL_{what} -n {RECEIVER} -e tunnel {name}"


def _bytes(control: Control, path: str) -> bytes:
    """The content of a file that only root can read; empty if it does not exist."""
    return bytes.fromhex(control.shell.check(f"[ ! -e {path} ] || od -An -v -tx1 {path}", root=True))


def _write(control: Control, path: str, data: bytes, what: str) -> None:
    was = _bytes(control, path)
    folder = path.rpartition("/")[0]
    owner = f"$(stat -c %u {FILES})"

    def script(content: bytes) -> str:
        coded = "".join(f"\\0{byte:03o}" for byte in content)  # Android 7 has no base64
        return (
            f"mkdir -p {folder} && printf %b '{coded}' > {path} && chmod 600 {path} && "
            f"chown {owner}:{owner} {folder} {path} && {_relabel(folder, path)}"
        )

    undo = script(was) if was else f"rm -f {path}; rmdir {folder} 2>/dev/null\n:"
    control.change(what, script(data), f"[ -d {FILES} ] || exit 0\n{undo}", root=True, was="there" if was else None)


def _relabel(*paths: str) -> str:
    """Script that gives files the SELinux label of the app's own files, if SELinux is there."""
    return f'set -- $(ls -Zd {FILES}); case "$1" in *:*:*:*) chcon "$1" {" ".join(paths)} ;; esac'
