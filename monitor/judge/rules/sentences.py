"""What a finding says in one sentence of facts, in English and Chinese: the words that a rule's `detail` may use.

Never a personal value, and never a verdict: "no consent event was observed before that", not what a judge makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from string import Formatter
from typing import Literal, assert_never

from monitor.events import Ref
from monitor.findings import ConsentStatus, Recipient
from monitor.judge.recipients import RecipientTable

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

WORDS: dict[str, dict[str, str]] = {
    "access": {
        "data": "name of the kind of data",
        "when": "how often and when: `at ...`, `3 times (one of them at ...)`",
        "consent": "what the user had been asked and had decided by then",
        "source": "the API",
        "entries": "how many entries the API gave, in brackets; nothing where it gave single values",
        "caller": "the app's or an SDK's code that called, in brackets; nothing where the stack does not tell",
        "separate": "what the user had decided in the scope that `separate` names",
    },
    "flow": {
        "data": "name of the kind of data",
        "when": "how often and when: `at ...`, `3 times (one of them at ...)`",
        "consent": "what the user had been asked and had decided by then",
        "recipient": "host, name and party",
        "rows": "how many of the entries that were read were found in the uploads",
        "forms": "what the values had been turned into: plain, sha256 ...",
        "separate": "what the user had decided in the scope that `separate` names",
    },
}
"""What a rule's `detail` may use, by what the rule is about, with its meaning."""

SCOPES: dict[str, dict[Language, str]] = {
    "general_policy": {"en": "the privacy policy", "zh": "隐私政策"},
    "sensitive_separate": {"en": "handling sensitive data", "zh": "处理敏感个人信息"},
    "third_party_separate": {"en": "giving data to third parties", "zh": "向第三方提供个人信息"},
    "cross_border_separate": {"en": "sending data abroad", "zh": "个人信息出境"},
    "minor_guardian": {"en": "handling a child's data (guardian)", "zh": "处理未成年人信息（监护人）"},
    "ads_tracking": {"en": "tracking for advertising", "zh": "广告跟踪"},
    "system_permission": {"en": "the system permission", "zh": "系统权限"},
}

_FRAMEWORK = (
    "android.", "androidx.", "com.android.", "com.google.android.gms.", "dalvik.", "java.", "javax.", "jdk.", "kotlin.",
    "kotlinx.", "libcore.", "okhttp3.", "okio.", "retrofit2.", "sun.",
)  # fmt: skip
"""Code that calls on behalf of others: never the one who wanted the data."""


def used_words(template: str) -> list[str]:
    """The words in braces of a template, with whatever stands with them: `data`, but also `data!r` or `data:>9`, which
    no template may say. Raises ValueError when the braces do not pair."""
    return [
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in Formatter().parse(template)
        if name is not None
    ]


def moment(at: datetime) -> str:
    """A time to read: UTC, milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def when(at: datetime, count: int, language: Language) -> str:
    """How often, and the time of the one that the evidence begins with."""
    if language == "en":
        return f"at {moment(at)}" if count == 1 else f"{count} times (one of them at {moment(at)})"
    # The words run on without a space after a closing bracket, and with one after "UTC".
    return f"于 {moment(at)} " if count == 1 else f"共 {count} 次（其中一次于 {moment(at)}）"


def consent(status: ConsentStatus, given_later: ConsentStatus | None, at: datetime, language: Language) -> str:
    """What the user had been asked and had decided at `at`, and how much later consent came."""
    said = _EN[status.state](_place(status)) if language == "en" else _ZH[status.state](_place(status))
    if status.by == "operator":
        said += " (as marked by the operator)" if language == "en" else "（操作人员标记）"
    if given_later is not None and given_later.at is not None:
        seconds = (given_later.at - at).total_seconds()
        said += (
            f"; consent was given {seconds:.1f} s later ({given_later.ref})"
            if language == "en"
            else f"；{seconds:.1f} 秒之后才同意（{given_later.ref}）"
        )
    return said


def separate(status: ConsentStatus, scope: str, language: Language) -> str:
    """What the user had decided in a scope of its own."""
    about = SCOPES[scope][language]
    state = status.state
    if language == "en":
        match state:
            case "refused" | "withdrawn":
                return f"the user had {_DONE[state]} consent to {about} ({status.ref})"
            case "requested" | "dismissed":
                return f"a question about {about} had been shown ({status.ref}) and no consent to it was observed"
            case "given":
                return f"consent to {about} had been given ({status.ref})"
            case "not_shown":
                return f"no consent event about {about} was observed before that"
            case _:
                assert_never(state)
    match state:
        case "refused" | "withdrawn":
            return f"用户已{'拒绝' if state == 'refused' else '撤回'}{about}的同意（{status.ref}）"
        case "requested" | "dismissed":
            return f"已就{about}征求意见（{status.ref}），但未观察到同意"
        case "given":
            return f"用户已同意{about}（{status.ref}）"
        case "not_shown":
            return f"此前未观察到就{about}的同意事件"
        case _:
            assert_never(state)


def recipient(to: Recipient, language: Language) -> str:
    """Host, name where known, and party."""
    party = _PARTY[to.party][language]
    if language == "en":
        return f"{to.host or 'an unnamed host'} ({f'{to.name}, ' if to.name else ''}{party})"
    return f"{to.host or '未具名主机'}（{f'{to.name}，' if to.name else ''}{party}）"


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


def caller(stack: Sequence[str], known: RecipientTable | None, language: Language) -> str:
    """The innermost code that is not the framework's, and whose it is where we know that."""
    frame = next((frame for frame in stack if not frame.startswith(_FRAMEWORK)), None)
    if frame is None:
        return ""
    owner = known.of_frame(frame) if known else None
    code = frame.partition("(")[0]
    if language == "en":
        return f" (called by {code}{f' of {owner.name}' if owner else ''})"
    return f"（由{f' {owner.name} 的' if owner else ''} {code} 调用）"


def _place(status: ConsentStatus) -> tuple[str, Ref | None]:
    return (moment(status.at) if status.at else "", status.ref)


_Phrase = Callable[[tuple[str, Ref | None]], str]
_EN: dict[str, _Phrase] = {
    "not_shown": lambda _: "no consent event was observed before that",
    "requested": lambda p: f"the user had been asked at {p[0]} ({p[1]}) and no consent event was observed before that",
    "dismissed": lambda p: (
        f"the question was closed without a choice at {p[0]} ({p[1]}) and no consent event was observed before that"
    ),
    "given": lambda p: f"the user had agreed at {p[0]} ({p[1]})",
    "refused": lambda p: f"the user had refused at {p[0]} ({p[1]})",
    "withdrawn": lambda p: f"the user had withdrawn consent at {p[0]} ({p[1]})",
}
_ZH: dict[str, _Phrase] = {
    "not_shown": lambda _: "此前未观察到同意事件",
    "requested": lambda p: f"已于 {p[0]} 征求同意（{p[1]}），此前未观察到同意事件",
    "dismissed": lambda p: f"征求同意的界面已于 {p[0]} 被关闭而未作选择（{p[1]}），此前未观察到同意事件",
    "given": lambda p: f"用户已于 {p[0]} 同意（{p[1]}）",
    "refused": lambda p: f"用户已于 {p[0]} 拒绝（{p[1]}）",
    "withdrawn": lambda p: f"用户已于 {p[0]} 撤回同意（{p[1]}）",
}
_DONE = {"refused": "refused", "withdrawn": "withdrawn"}
_PARTY: dict[str, dict[Language, str]] = {
    "first": {"en": "first party", "zh": "第一方"},
    "third": {"en": "third party", "zh": "第三方"},
    "unknown": {"en": "unknown party", "zh": "归属未知"},
}
