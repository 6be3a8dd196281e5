"""Words for what was seen: times, recipients, entries, forms, callers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from appwitness.events.stacks import Called
from appwitness.findings import Recipient
from appwitness.judge.code import foreign_frame, owner_of
from appwitness.judge.recipients import RecipientTable
from appwitness.judge.rules.translations import Language

_PARTY: dict[str, dict[Language, str]] = {
    "first": {"en": "first party", "zh": "第一方"},
    "third": {"en": "third party", "zh": "第三方"},
    "unknown": {"en": "unknown party", "zh": "归属未知"},
}


def moment(at: datetime) -> str:
    """A time to read: UTC, milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def when(at: datetime, count: int, language: Language) -> str:
    """How often, and the time of the one that the evidence begins with."""
    if language == "en":
        return f"at {moment(at)}" if count == 1 else f"{count} times (one of them at {moment(at)})"
    # The words run on without a space after a closing bracket, and with one after "UTC".
    return f"于 {moment(at)} " if count == 1 else f"共 {count} 次（其中一次于 {moment(at)}）"


_UNNAMED: dict[str, dict[Language, str]] = {
    "sms": {"en": "a number, by text message", "zh": "短信收件号码"},
    "intent": {"en": "another app", "zh": "其他应用"},
    "bluetooth": {"en": "a device over Bluetooth", "zh": "蓝牙设备"},
    "nfc": {"en": "a device over NFC", "zh": "NFC 设备"},
    "": {"en": "an unnamed host", "zh": "未具名主机"},
}
"""Who gets what has no host, by how it left the device."""


def recipient(to: Recipient, language: Language, via: str = "") -> str:
    """Host, name where known, and party; of what has no host, how it left the device (`via` of the upload)."""
    unnamed = _UNNAMED.get(via, _UNNAMED[""])[language]
    party = _PARTY[to.party][language]
    if language == "en":
        return f"{to.host or unnamed} ({f'{to.name}, ' if to.name else ''}{party})"
    return f"{to.host or unnamed}（{f'{to.name}，' if to.name else ''}{party}）"


def rows(sent: int | None, read: int | None, language: Language) -> str:
    """How many entries of an address book were found, and of how many."""
    if not sent:
        return "entries" if language == "en" else "条目"
    if language == "en":
        return f"{sent} of {read} entries" if read else f"{sent} entries"
    return f"{read} 条中的 {sent} 条" if read else f"{sent} 条"


def entries(number: int, language: Language) -> str:
    """How many entries an access gave, in brackets."""
    if number < 2:
        return ""
    return f" ({number} entries)" if language == "en" else f"（{number} 条）"


def forms(variants: Iterable[str], language: Language) -> str:
    """The forms that values travelled in."""
    names = sorted(set(variants))
    return (", " if language == "en" else "、").join(names) or ("plain" if language == "en" else "原样")


def caller(line: Called, known: RecipientTable | None, language: Language) -> str:
    """The innermost code that is not the framework's, and whose it is where we know that."""
    frame = foreign_frame(line)
    if frame is None:
        return ""
    owner = owner_of(frame, known)
    if language == "en":
        return f" (called by {frame.method}{f' of {owner}' if owner else ''})"
    return f"（由{f' {owner} 的' if owner else ''} {frame.method} 调用）"


def simultaneous(uncertainty_ms: float, language: Language) -> str:
    """That a read and an upload are closer to one another than the clocks that timed them agree."""
    if language == "en":
        return (
            f" Read and upload are simultaneous: the clocks of device and host agree to within {uncertainty_ms:.3g} ms,"
            " and do not say which came first."
        )
    return f"读取与上传视为同时发生：设备与主机时钟的误差在 {uncertainty_ms:.3g} 毫秒以内，无法判定先后。"


def reads(counts: Mapping[str, int], first: datetime, language: Language) -> str:
    """How many accesses of which kinds (by name), and when the first was."""
    total = sum(counts.values())
    names = sorted(counts)
    if language == "en":
        kinds = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return (
            f"personal data was read {total} times ({kinds}), first at {moment(first)}"
            if total > 1
            else (f"personal data was read once ({kinds}), at {moment(first)}")
        )
    earliest = "最早一次" if total > 1 else ""
    return f"读取个人信息 {total} 次（{'、'.join(names)}），{earliest}于 {moment(first)}"
