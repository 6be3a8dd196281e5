"""An app without code on a stand-in device: stored screens, and which touch leads from one to the next."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from xml.sax.saxutils import quoteattr

from tests.adb.rig.phone import Phone

HIERARCHY = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<hierarchy rotation=\"0\">{}</hierarchy>"


def node(
    text: str = "",
    *children: str,
    id: str = "",
    cls: str = "android.widget.TextView",
    package: str = "com.example.app",
    at: tuple[int, int, int, int] = (0, 0, 1080, 100),
    clickable: bool = False,
    checkable: bool = False,
    checked: bool = False,
    description: str = "",
) -> str:
    """One element as uiautomator writes it."""
    values = {
        "index": "0",
        "text": text,
        "resource-id": id,
        "class": cls,
        "package": package,
        "content-desc": description,
        "checkable": str(checkable).lower(),
        "checked": str(checked).lower(),
        "clickable": str(clickable).lower(),
        "enabled": "true",
        "focusable": str(clickable).lower(),
        "focused": "false",
        "scrollable": "false",
        "long-clickable": "false",
        "password": "false",
        "selected": "false",
        "visible-to-user": "true",
        "bounds": "[{},{}][{},{}]".format(*at),
    }
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())
    return f"<node {attributes}>{''.join(children)}</node>" if children else f"<node {attributes} />"


def dialog(
    *texts: str,
    buttons: Mapping[str, str],
    package: str = "com.example.app",
    boxes: Mapping[str, bool] | None = None,
    full: bool = False,
) -> str:
    """A window with texts, boxes and buttons (label -> id) from top to bottom, smaller than the display."""
    parts, top = [], 0 if full else 700
    begin = top

    def below() -> tuple[int, int, int, int]:
        nonlocal top
        top += 110
        return (100, top - 100, 980, top)

    parts += [node(text, package=package, at=below()) for text in texts]
    for label, checked in (boxes or {}).items():
        parts.append(
            node(label, cls="android.widget.CheckBox", package=package, at=below(), clickable=True, checkable=True,
                 checked=checked)
        )  # fmt: skip
    for label, name in buttons.items():
        parts.append(
            node(label, cls="android.widget.Button", package=package, at=below(), clickable=True, id=name)
        )  # fmt: skip
    bounds = (0, 0, 1080, 2400) if full else (60, begin, 1020, top + 40)
    return HIERARCHY.format(node("", *parts, cls="android.widget.FrameLayout", package=package, at=bounds))


def centre(xml: str, label: str) -> tuple[int, int]:
    """The middle of the element with that text."""
    found = re.search(rf'text={re.escape(quoteattr(label))}[^>]*bounds="\[(\d+),(\d+)\]\[(\d+),(\d+)\]"', xml)
    assert found, label
    left, top, right, bottom = map(int, found.groups())
    return (left + right) // 2, (top + bottom) // 2


@dataclass
class Stage:
    """Shows `screens[first]`; `ways[screen, label]` (or BACK) leads to another one, "" ends the app."""

    phone: Phone
    screens: Mapping[str, str]
    ways: Mapping[tuple[str, str], str]
    first: str
    focus: Mapping[str, str] = field(default_factory=dict)
    touched: list[tuple[str, str]] = field(default_factory=list)
    """Screen and label of each touch, or its place where it hit nothing."""
    now: str = ""

    def __enter__(self) -> Self:
        self._folder = Path(self.phone.root / "data/rig/screen")
        touches = self._folder / "touches"
        touches.mkdir(parents=True, exist_ok=True)
        for each in (self._folder, touches):
            each.chmod(0o777)
        self.show(self.first)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def show(self, name: str) -> None:
        self.now = name
        window, focus = self._folder / "window.xml", self._folder / "focus"
        if not name:
            window.unlink(missing_ok=True)
            focus.unlink(missing_ok=True)
            return
        package = re.search(r'package="([\w.]+)"', self.screens[name])
        assert package
        written = self._folder / ".focus"
        written.write_text(self.focus.get(name, f"{package[1]}/{package[1]}.MainActivity"))
        written.rename(focus)
        written = self._folder / ".window"
        written.write_text(self.screens[name], "utf-8")
        written.rename(window)

    def until(self, name: str, timeout_s: float = 20) -> None:
        end = time.monotonic() + timeout_s
        while self.now != name:
            assert time.monotonic() < end, f"{self.now!r} is shown, not {name!r}; touched: {self.touched}"
            time.sleep(0.01)

    def _play(self) -> None:
        while not self._over.wait(0.01):
            for file in sorted((self._folder / "touches").glob("*.touch")):
                said = file.read_text()
                with contextlib.suppress(FileNotFoundError):
                    file.unlink()
                self._touch(said)

    def _touch(self, said: str) -> None:
        what, *rest = said.split()
        if what == "key":
            label = rest[0]
        else:
            place = (int(rest[0]), int(rest[1]))
            here = [label for screen, label in self.ways if screen == self.now and label != "BACK"]
            label = next((each for each in here if centre(self.screens[self.now], each) == place), f"{place}")
        self.touched.append((self.now, label))
        if (self.now, label) in self.ways:
            self.show(self.ways[self.now, label])
