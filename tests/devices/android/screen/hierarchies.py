"""Hierarchies as uiautomator writes them, put together from the few things that tell one dialog from another."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

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
