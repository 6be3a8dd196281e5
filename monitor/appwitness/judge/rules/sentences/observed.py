"""Words for what was seen: times, recipients, entries, forms, callers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from appwitness.events.stacks import Called
from appwitness.findings import Flow, Recipient
from appwitness.judge.code import foreign_frame, owner_of
from appwitness.judge.recipients import RecipientTable
from appwitness.judge.rules.translations import Language

_PARTY: dict[str, dict[Language, str]] = {
    "first": {"en": "first party", "zh": "第一方"},
    "third": {"en": "third party", "zh": "第三方"},
    "unknown": {"en": "unknown party", "zh": "归属未知"},
}


def moment(at: datetime) -> str:
    """A readable time: UTC, with milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def when(at: datetime, count: int, language: Language) -> str:
    """How many times, and the time of the one that the evidence begins with."""
    if language == "en":
        return f"at {moment(at)}" if count == 1 else f"{count} times (one of them at {moment(at)})"
    # In Chinese, no space follows a closing bracket, but one follows "UTC".
    return f"于 {moment(at)} " if count == 1 else f"共 {count} 次（其中一次于 {moment(at)}）"


_UNNAMED: dict[str, dict[Language, str]] = {
    "sms": {"en": "a number, by text message", "zh": "短信收件号码"},
    "intent": {"en": "another app", "zh": "其他应用"},
    "bluetooth": {"en": "a device over Bluetooth", "zh": "蓝牙设备"},
    "nfc": {"en": "a device over NFC", "zh": "NFC 设备"},
    "": {"en": "an unnamed host", "zh": "未具名主机"},
}
"""The recipient of an upload that has no host, by how it left the device."""


def recipient(to: Recipient, language: Language, via: str = "") -> str:
    """Host, name if known, and party; without a host, how it left the device (`via` of the upload)."""
    unnamed = _UNNAMED.get(via, _UNNAMED[""])[language]
    party = _PARTY[to.party][language]
    if language == "en":
        return f"{to.host or unnamed} ({f'{to.name}, ' if to.name else ''}{party})"
    return f"{to.host or unnamed}（{f'{to.name}，' if to.name else ''}{party}）"


_SENT: dict[tuple[bool, bool], dict[Language, str]] = {
    (False, False): {"en": "The app sent", "zh": "应用将"},
    (False, True): {"en": "The app attempted to send", "zh": "应用尝试将"},
    (True, False): {"en": "Something on the device sent", "zh": "设备上的某一程序将"},
    (True, True): {"en": "Something on the device attempted to send", "zh": "设备上的某一程序尝试将"},
}
"""By whether nothing ties an upload to the app, and whether no answer was recorded."""


def sent(flow: Flow, language: Language) -> str:
    """Who sent something, as far as that is known, and whether it is known to have arrived."""
    return _SENT[flow.untied, flow.unanswered][language]


def speaker(tied: bool, language: Language) -> str:
    """Who claimed something, as far as that is known."""
    if tied:
        return "The app" if language == "en" else "应用"
    return "Something on the device" if language == "en" else "设备上的某一程序"


def untied(language: Language) -> str:
    """A sentence to append: the upload may be another app's."""
    return _UNTIED[language][0]


def shortcomings(flows: Sequence[Flow], language: Language) -> str:
    """What is not known about uploads: whether they arrived, whose they were; sentences to append, or an empty
    string."""
    if not any(flow.unanswered or flow.untied for flow in flows):
        return ""
    uploads = {flow.upload: flow for flow in flows}.values()
    said = ""
    for count, english, chinese in (
        (sum(flow.unanswered for flow in uploads), _UNANSWERED["en"], _UNANSWERED["zh"]),
        (sum(flow.untied for flow in uploads), _UNTIED["en"], _UNTIED["zh"]),
    ):
        if count:
            whole, some = english if language == "en" else chinese
            said += whole if count == len(uploads) else some.format(count=count)
    return said


_UNANSWERED: dict[Language, tuple[str, str]] = {
    "en": (
        " No response was recorded, so it is not known whether it arrived.",
        " No response was recorded for {count} of the uploads.",
    ),
    "zh": ("未录得响应，无法确认是否送达。", "其中 {count} 次上传未录得响应。"),
}
_UNTIED: dict[Language, tuple[str, str]] = {
    "en": (
        " No socket ties it to the app: another app, or the system, may have sent it.",
        " No socket ties {count} of the uploads to the app.",
    ),
    "zh": ("没有套接字将其与该应用关联：可能由其他应用或系统发出。", "其中 {count} 次上传没有套接字将其与该应用关联。"),
}


def rows(sent: int | None, read: int | None, language: Language) -> str:
    """How many entries of an address book were found, and out of how many."""
    if not sent:
        return "entries" if language == "en" else "条目"
    if language == "en":
        return f"{sent} of {read} entries" if read else f"{sent} entries"
    return f"{read} 条中的 {sent} 条" if read else f"{sent} 条"


def entries(number: int, language: Language) -> str:
    """How many rows an access returned, in brackets."""
    if number < 2:
        return ""
    return f" ({number} rows)" if language == "en" else f"（{number} 行）"


def forms(variants: Iterable[str], language: Language) -> str:
    """The variants in which values were sent."""
    names = sorted(set(variants))
    return (", " if language == "en" else "、").join(names) or ("plain" if language == "en" else "原样")


_NAMED = 3
"""Maximum number of callers that a sentence names."""


def callers(lines: Iterable[Called], known: RecipientTable | None, language: Language) -> str:
    """The innermost code outside the framework in each of the calls, and its owner if known."""
    found: dict[str, str | None] = {}
    for line in lines:
        if (frame := foreign_frame(line)) is not None and frame.method not in found:
            found[frame.method] = owner_of(frame, known)
    if not found:
        return ""
    more = len(found) - _NAMED
    named = list(found.items())[:_NAMED]
    if language == "en":
        said = [f"{method}{f' of {owner}' if owner else ''}" for method, owner in named]
        said += [f"{more} more"] if more > 0 else []
        return f" (called by {' and '.join(filter(None, (', '.join(said[:-1]), said[-1])))})"
    said = [f"{f' {owner} 的' if owner else ''} {method}" for method, owner in named]
    return f"（由{'、'.join(said)}{f' 等 {len(found)} 处代码' if more > 0 else ''} 调用）"


def simultaneous(uncertainty_ms: float, language: Language) -> str:
    """States that a read and an upload are closer together in time than the clocks can tell apart."""
    if math.isinf(uncertainty_ms):
        if language == "en":
            return " The clocks of device and host were not compared: whether the read came first is not known."
        return "设备与主机的时钟未经比对，无法判定读取是否早于上传。"
    if language == "en":
        return (
            f" Read and upload are simultaneous: the clocks of device and host agree to within {uncertainty_ms:.3g} ms,"
            " and do not say which came first."
        )
    return f"读取与上传视为同时发生：设备与主机时钟的误差在 {uncertainty_ms:.3g} 毫秒以内，无法判定先后。"


def also(names: Iterable[str], language: Language) -> str:
    """Several data types, by name."""
    listed = sorted(set(names))
    if language == "zh":
        return "、".join(listed)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def reads(counts: Mapping[str, int], first: datetime, language: Language) -> str:
    """How many accesses to which data types (by name), and the time of the first."""
    total = sum(counts.values())
    kinds = also(counts, language)
    if language == "en":
        return (
            f"personal data was read {total} times ({kinds}), first at {moment(first)}"
            if total > 1
            else (f"personal data was read once ({kinds}), at {moment(first)}")
        )
    earliest = "最早一次" if total > 1 else ""
    return f"读取个人信息 {total} 次（{kinds}），{earliest}于 {moment(first)}"
