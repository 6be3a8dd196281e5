"""Puts a text on the clipboard through uiautomator2's server, as Android has no shell command for it.

Newer versions of Android, and manufacturers' variants, may deny the server access (openatx/uiautomator2#1010, #1029);
a note then says so. Not tried on Android: whether the server may write and read the clipboard.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.journal import Undo
from appwitness.devices.android.persona.content import ProviderRefused

_UNDO = """[ -e {file} ] || exit 0
said=$({{
  printf 'POST /jsonrpc/0 HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\n'
  printf 'Content-Length: %s\\r\\nConnection: close\\r\\n\\r\\n' "$(wc -c <{file})"
  cat {file}
}} | nc -w 5 127.0.0.1 {port})
case $said in *'"error"'*) exit 1 ;; *'"jsonrpc"'*) rm {file} ;; *) exit 1 ;; esac"""
"""The server outlives this process; after a restart of the device, its clipboard is empty anyway."""


def plant(control: Control, call: Callable[[str, list[Any]], Any], folder: str, port: int, text: str) -> str:
    """Put a text on the clipboard and return what it then holds; undo restores the old text, or empties the clipboard.

    `call` calls a method of the server, which listens at `port` on the device; only its `folder` there keeps the old
    text. Raises ProviderRefused.
    """
    if not control.shell.user("command -v nc").ok:
        raise ProviderRefused("the device has no nc, by which it would be set back")
    try:
        was = call("getClipboard", [])
        back = {"jsonrpc": "2.0", "id": 1, "method": "setClipboard", "params": [None, was or ""]}
        file = f"{folder}/clipboard"
        control.shell.adb.push(json.dumps(back).encode(), file, 0o600)
        entry = control.journal.before("the clipboard", Undo("user", _UNDO.format(file=file, port=port), True))
        try:
            call("setClipboard", [None, text])
        except DeviceFault:
            if call("getClipboard", []) == was:
                control.journal.undone(entry)
            raise
        if (there := call("getClipboard", [])) != text:
            raise ProviderRefused("what was written there could not be read again")
        return str(there)
    except DeviceFault as error:
        raise ProviderRefused(error.what) from None
