"""An app without code on a stand-in device: stored screens, and which touch leads from one to the next."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from xml.sax.saxutils import quoteattr

from tests.adb.rig.phone import Phone


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
    does: Callable[[str], None] = lambda _: None
    """What else a touch on a label does on the device."""
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

    def until_touched(self, labels: list[str], timeout_s: float = 40) -> None:
        end = time.monotonic() + timeout_s
        while len(self.touched) < len(labels):
            assert time.monotonic() < end, f"touched: {self.touched}, not {labels}"
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
            self.does(label)
            self.show(self.ways[self.now, label])
