"""Words for what the app claimed about consent."""

from __future__ import annotations

from datetime import datetime

from appwitness.events import Ref
from appwitness.judge.rules.sentences.observed import moment
from appwitness.judge.rules.translations import Language

_KINDS: dict[str, dict[Language, str]] = {
    "tcf": {"en": "an IAB TCF string", "zh": "IAB TCF 字符串"},
    "gpp": {"en": "an IAB GPP string", "zh": "IAB GPP 字符串"},
    "gcs": {"en": "Google's consent flag gcs", "zh": "Google 同意标志 gcs"},
    "gcd": {"en": "Google's consent flag gcd", "zh": "Google 同意标志 gcd"},
    "npa": {"en": "Google's flag npa (non-personalised ads)", "zh": "Google 非个性化广告标志 npa"},
    "lmt": {"en": "the flag lmt (limit ad tracking)", "zh": "限制广告跟踪标志 lmt"},
    "gdpr_consent": {"en": "a GDPR consent flag", "zh": "GDPR 同意标志"},
    "us_privacy": {"en": "a US privacy string", "zh": "美国隐私字符串 us_privacy"},
    "sdk": {"en": "an SDK's consent call", "zh": "SDK 的同意接口"},
    "preference": {"en": "a stored setting", "zh": "本地存储的设置项"},
}


SHOWN = 32
"""Maximum number of characters that a sentence quotes of a text; the line has all of it."""


def claim(kind: str, path: str, text: str, host: str | None, language: Language) -> str:
    """What carried the claim, where it was and what it said."""
    what = _KINDS[kind][language]
    text = f"{text[:SHOWN]}…" if len(text) > SHOWN else text
    said = f"{path}={text}" if path and text else path or text
    if language == "en":
        return f"{what}{f' sent to {host}' if host else ''} ({said})"
    return f"{f'发送至 {host} 的' if host else ''}{' ' if host and what[0].isascii() else ''}{what}（{said}）"


def record(said: str, at: datetime, at_start: bool, ref: Ref, language: Language) -> str:
    """States that the app's own record was a no, what it was, and since when; `said` comes from `claim`."""
    if language == "en":
        since = f"found at the start of the run ({ref})" if at_start else f"since {moment(at)} ({ref})"
        return f"its own record said that there was no consent: {said}, {since}"
    since = f"启动时已存在（{ref}）" if at_start else f"自 {moment(at)} 起（{ref}）"
    return f"应用自身的记录表明未获同意：{said}，{since}"
