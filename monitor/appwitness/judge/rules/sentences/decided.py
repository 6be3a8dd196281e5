"""Words for what the user had been asked and had decided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from appwitness.events import Ref
from appwitness.findings import ConsentName, ConsentStatus
from appwitness.judge.rules.sentences.observed import moment
from appwitness.judge.rules.translations import Language

SCOPES: dict[str, dict[Language, str]] = {
    "general_policy": {"en": "the privacy policy", "zh": "隐私政策"},
    "sensitive_separate": {"en": "handling sensitive data", "zh": "处理敏感个人信息"},
    "third_party_separate": {"en": "giving data to third parties", "zh": "向第三方提供个人信息"},
    "cross_border_separate": {"en": "sending data abroad", "zh": "个人信息出境"},
    "minor_guardian": {"en": "handling a child's data (guardian)", "zh": "处理未成年人信息（监护人）"},
    "ads_tracking": {"en": "tracking for advertising", "zh": "广告跟踪"},
    "system_permission": {"en": "the system permission", "zh": "系统权限"},
}

MARKED_BY: dict[str, dict[Language, str]] = {
    "operator": {"en": " (as marked by the operator)", "zh": "（操作人员标记）"},
    "assistant": {"en": " (as marked by an assistant, a program)", "zh": "（助手程序标记）"},
}


def consent(status: ConsentStatus, given_later: ConsentStatus | None, at: datetime, language: Language) -> str:
    """What the user had been asked and had decided at `at`, and how much later consent came."""
    if status.assumed:
        return _assumed(status, language)
    if status.unordered:
        return _unordered(status, language)
    said = _english(status) if language == "en" else _chinese(status)
    if status.by in MARKED_BY:
        said += MARKED_BY[status.by][language]
    if status.corrected:
        lines = (", " if language == "en" else "、").join(status.corrected)
        said += f" (after a correction: {lines})" if language == "en" else f"（经更正：{lines}）"
    if given_later is not None and given_later.at is not None:
        seconds = (given_later.at - at).total_seconds()
        said += (
            f"; consent was given {seconds:.1f} s later ({given_later.ref})"
            if language == "en"
            else f"；{seconds:.1f} 秒之后才同意（{given_later.ref}）"
        )
    return said


def _assumed(status: ConsentStatus, language: Language) -> str:
    """States that nobody observed it, and what the operator assumes instead."""
    given = status.state == "given"
    if language == "en":
        what = "that the user had agreed" if given else "that the user had not agreed"
        return f"it is assumed {what} (--assume-consent): what the user was asked was not observed"
    what = "用户已同意" if given else "用户未同意"
    return f"此处假定{what}（--assume-consent）：未对征求同意的情况进行观测"


def _unordered(status: ConsentStatus, language: Language) -> str:
    """States that nobody compared the clocks; unless the state may be a yes, also that no order of the lines puts a yes
    before the moment in question."""
    agreed = status.state in ("given", "unseen_answer", "partial")
    if language == "en":
        said = "what the user had been asked and had answered by then is not known"
        more = "" if agreed else "; whichever came first, no consent event was observed before that"
        return f"the clocks of device and host were not compared, so {said}{more}"
    more = "" if agreed else "；无论先后如何，此前均未观察到同意事件"
    return f"设备与主机的时钟未经比对，当时已征求何种同意、用户如何答复均无法判定{more}"


def _english(status: ConsentStatus) -> str:
    at, ref = moment(status.at) if status.at else "", status.ref
    match status.state:
        case "not_observed":
            return "what the user was asked was not observed"
        case "not_shown":
            return "no consent event was observed before that"
        case "requested":
            return f"the user had been asked at {at} ({ref}) and no consent event was observed before that"
        case "dismissed":
            return (
                f"the question was closed or left without a choice at {at} ({ref})"
                " and no consent event was observed before that"
            )
        case "unseen_answer":
            return f"a question to the user was no longer seen ({ref}), and neither was its answer, from {at} on"
        case "given":
            return f"the user had agreed at {at} ({ref})"
        case "refused":
            return f"the user had refused at {at} ({ref})"
        case "withdrawn":
            return f"the user had withdrawn consent at {at} ({ref})"
        case "basic_only":
            return f"the user had chosen the basic function only at {at} ({ref})"
        case "partial":
            return f"the user had agreed to part of what was asked at {at} ({ref})"
        case "expired":
            return (
                f"the user had been asked to agree to a changed policy at {at} ({ref})"
                " and no consent event to it was observed before that"
            )
        case _:
            assert_never(status.state)


def _chinese(status: ConsentStatus) -> str:
    at, ref = moment(status.at) if status.at else "", status.ref
    match status.state:
        case "not_observed":
            return "未对征求同意的情况进行观测"
        case "not_shown":
            return "此前未观察到同意事件"
        case "requested":
            return f"已于 {at} 征求同意（{ref}），此前未观察到同意事件"
        case "dismissed":
            return f"征求同意的界面已于 {at} 被关闭或离开而未作选择（{ref}），此前未观察到同意事件"
        case "unseen_answer":
            return f"征求同意的界面不再可见（{ref}），自 {at} 起用户的答复未被观测到"
        case "given":
            return f"用户已于 {at} 同意（{ref}）"
        case "refused":
            return f"用户已于 {at} 拒绝（{ref}）"
        case "withdrawn":
            return f"用户已于 {at} 撤回同意（{ref}）"
        case "basic_only":
            return f"用户已于 {at} 选择仅使用基本功能（{ref}）"
        case "partial":
            return f"用户已于 {at} 仅就部分事项表示同意（{ref}）"
        case "expired":
            return f"已于 {at} 就变更后的政策重新征求同意（{ref}），此前未观察到对该变更的同意事件"
        case _:
            assert_never(status.state)


def against(refs: Iterable[Ref], language: Language) -> str:
    """States that two observers contradict each other within seconds."""
    lines = (", " if language == "en" else "、").join(refs)
    if language == "en":
        return f"; two observers contradict each other within seconds ({lines})"
    return f"；对该答复，两个观测来源在数秒之内的记录相互矛盾（{lines}）"


def type_unknown(language: Language) -> str:
    """States that nobody specified the type of app, so what its basic function needs is unknown."""
    if language == "en":
        return "; what that function needs is not known, as no type of app was given"
    return "；因未指定应用类型，该功能所需信息的范围不明"


_ASKED: dict[Language, str] = {
    "en": "a question about {about} had been shown ({ref}) and no consent to it was observed",
    "zh": "已就{about}征求意见（{ref}），但未观察到同意",
}
SEPARATE: dict[ConsentName, dict[Language, str]] = {
    "not_observed": {
        "en": "what the user was asked about {about} was not observed",
        "zh": "未对就{about}征求同意的情况进行观测",
    },
    "refused": {"en": "the user had refused consent to {about} ({ref})", "zh": "用户已拒绝{about}的同意（{ref}）"},
    "withdrawn": {"en": "the user had withdrawn consent to {about} ({ref})", "zh": "用户已撤回{about}的同意（{ref}）"},
    "basic_only": {
        "en": "the user had chosen the basic function only when asked about {about} ({ref})",
        "zh": "用户在被问及{about}时仅选择了基本功能（{ref}）",
    },
    "requested": _ASKED,
    "dismissed": _ASKED,
    "expired": _ASKED,
    "unseen_answer": {
        "en": "a question about {about} was no longer seen ({ref}), and neither was its answer",
        "zh": "就{about}征求意见的界面不再可见（{ref}），用户的答复未被观测到",
    },
    "given": {"en": "consent to {about} had been given ({ref})", "zh": "用户已同意{about}（{ref}）"},
    "partial": {"en": "consent to part of {about} had been given ({ref})", "zh": "用户仅部分同意{about}（{ref}）"},
    "not_shown": {
        "en": "no consent event about {about} was observed before that",
        "zh": "此前未观察到就{about}的同意事件",
    },
}


def separate(status: ConsentStatus, scope: str, language: Language) -> str:
    """What the user had decided in a separate scope."""
    about = SCOPES[scope][language]
    if status.assumed:
        said = _assumed(status, language)
        return f"as to {about}, {said}" if language == "en" else f"就{about}，{said}"
    if status.unordered:
        said = _unordered(status, language)
        return f"as to {about}, {said}" if language == "en" else f"就{about}，{said}"
    return SEPARATE[status.state][language].format(about=about, ref=status.ref)
