"""Values that prove nothing alone: apps that everybody has, service numbers."""

from __future__ import annotations

import re

from appwitness.events import Value

PREINSTALLED = re.compile(
    r"(?:android|com\.(?:android|google\.android|miui|xiaomi|huawei|hihonor|samsung|sec|coloros|heytap|oplus|vivo))(?:\.|$)"
)
"""Packages that every phone has, or every phone of one maker, and that many messages name for other reasons: the
browser, the store, push, a process."""
SHARED_WITH = frozenset(
    (
        *(
            "com.tencent.mm",
            "com.tencent.mobileqq",
            "com.sina.weibo",
            "com.eg.android.alipaygphone",
            "com.taobao.taobao",
        ),
        *("com.whatsapp", "com.facebook.katana", "com.facebook.orca", "com.facebook.lite", "com.instagram.android"),
        *("com.twitter.android", "com.snapchat.android", "org.telegram.messenger", "jp.naver.line.android"),
        *("com.kakao.talk", "com.linkedin.android", "com.paypal.android.p2pmobile", "com.skype.raider"),
    )
)
"""Apps that others name because they use them for sharing, sign-in and payment."""
SERVICE_DIGITS = 7
"""Minimum digits of a person's number; shorter ones are service numbers: 10086, 112."""


def is_everywhere(value: Value) -> bool:
    """Whether a value counts only beside others: a system package, or an app that others share with."""
    package = value.text.lower()
    return value.type == "installed_apps" and (PREINSTALLED.match(package) is not None or package in SHARED_WITH)


def is_of_a_service(value: Value) -> bool:
    """Whether a number is too short to be a person's: from an entry of a list, it counts only beside the rest of the
    entry."""
    return value.type == "phone_number" and sum(map(str.isdecimal, value.text)) < SERVICE_DIGITS
