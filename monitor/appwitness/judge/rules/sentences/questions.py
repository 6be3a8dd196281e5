"""Words for consent lines: labels, permissions, notices, the end of the app."""

from __future__ import annotations

from collections.abc import Iterable

from appwitness.events import Ref
from appwitness.judge.rules.translations import Language


def label(text: str | None, language: Language) -> str:
    """A label, title or permission in quotation marks."""
    if not text:
        return ""
    name = text.removeprefix("android.permission.")
    return f" “{name}”" if language == "en" else f"“{name}”"


def question(text: str | None, permission: bool, language: Language) -> str:
    """What was asked: for a permission, or in a dialog."""
    quoted = label(text, language)
    if language == "en":
        return f" for the permission{quoted}" if permission else f" in the dialog{quoted}"
    return f"（{'权限' if permission else '弹窗'}{quoted}）"


def permissions(names: Iterable[str], language: Language) -> str:
    """Permissions that were requested at once."""
    listed = [name.removeprefix("android.permission.") for name in names]
    return (", " if language == "en" else "、").join(listed)


def notice(seconds: float | None, ref: Ref | None, language: Language) -> str:
    """When a notice was first shown afterwards."""
    if seconds is None:
        return "none was observed later in the run either" if language == "en" else "其后亦未观察到告知"
    if language == "en":
        return f"the first notice was shown {seconds:.1f} s later ({ref})"
    return f"首次告知在 {seconds:.1f} 秒之后（{ref}）"


def stopped(seconds: float, ref: Ref, language: Language) -> str:
    """How soon the app ended."""
    if language == "en":
        return f"the app ended {seconds:.1f} s later ({ref})"
    return f"{seconds:.1f} 秒后应用退出（{ref}）"
