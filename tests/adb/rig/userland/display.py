"""What is on the stand-in device's display, in /data/rig/screen: whoever plays the app writes it and takes the touches.

`window.xml` is the hierarchy of the window on top; `focus` names its package and activity. A touch is a file in
`touches/`: `tap X Y`, `key BACK`.
"""

import contextlib
import os
import re
import struct
import time
import xml.etree.ElementTree
import zlib
from pathlib import Path

FOLDER = Path("/data/rig/screen")
HOLDER = Path("/data/rig/uiautomation.pid")
SIZE = (1080, 2400)
LAUNCHER = (
    "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><hierarchy rotation=\"0\"><node index=\"0\" text=\"\" "
    'resource-id="" class="android.widget.FrameLayout" package="com.android.launcher3" content-desc="" '
    'checkable="false" checked="false" clickable="false" enabled="true" bounds="[0,0][1080,2400]" /></hierarchy>'
)


def shown():
    """Whether whoever plays an app is still there; one that was killed leaves its last screen."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return Path(f"/proc/{int((FOLDER / 'owner').read_text())}").exists()
    return True


def window(*, active=True):
    """The hierarchy of the window that has the input, which is the first one, or of all; the launcher's where no app
    shows anything."""
    if not shown():
        return LAUNCHER
    with contextlib.suppress(FileNotFoundError):
        text = (FOLDER / "window.xml").read_text("utf-8")
        tree = xml.etree.ElementTree.fromstring(text) if active else []
        if len(tree) < 2:
            return text
        for other in tree[1:]:
            tree.remove(other)
        return xml.etree.ElementTree.tostring(tree, encoding="unicode")
    return LAUNCHER


def focus():
    """`package/activity` of the window that has the input."""
    with contextlib.suppress(FileNotFoundError):
        if not shown():
            return "com.android.launcher3/.Main"
        return (FOLDER / "focus").read_text("utf-8").strip()
    package = re.search(r'package="([\w.]+)"', window())
    return f"{package[1] if package else 'com.android.launcher3'}/.Main"


def touch(what):
    """Whoever plays the app comes to know of it."""
    folder = FOLDER / "touches"
    folder.mkdir(parents=True, exist_ok=True)
    for each in (FOLDER, folder):
        with contextlib.suppress(PermissionError):
            each.chmod(0o777)
    name = f"{time.time_ns()}-{os.getpid()}"
    written = folder / f".{name}"
    written.write_text(what)
    written.rename(folder / f"{name}.touch")


def png():
    """The display as a picture: one colour for each window, a tenth of its size."""
    width, height = SIZE[0] // 10, SIZE[1] // 10
    colour = struct.pack(">I", zlib.crc32(window().encode()))[:3]
    rows = (b"\0" + colour * width) * height

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def holder():
    """The process that has the one UiAutomation of the device, or None."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        pid = int(HOLDER.read_text())
        if Path(f"/proc/{pid}").exists():
            return pid
    return None


TAKEN = (
    "java.lang.IllegalStateException: UiAutomationService "
    "android.accessibilityservice.IAccessibilityServiceClient$Stub$Proxy@5deffd5already registered!"
)
