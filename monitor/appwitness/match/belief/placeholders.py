"""Values that prove nothing alone: apps that everybody has, service numbers."""

from __future__ import annotations

import re

from appwitness.events import Value

PREINSTALLED = re.compile(
    r"(?:android|com\.(?:android|google\.android|miui|xiaomi|huawei|hihonor|samsung|sec|coloros|heytap|oplus|vivo))(?:\.|$)"
)
"""Packages that every phone has, or every one of a maker, and that many messages name for other reasons: the browser,
the store, push, a process."""
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
"""Apps with which others share, sign in and pay, and which they therefore name."""
SERVICE_DIGITS = 7
"""Digits from which on a number is somebody's; shorter ones are those of services: 10086, 112."""


def is_everywhere(value: Value) -> bool:
    """Whether a value says something only beside others: a package of the system, or one that others share with."""
    package = value.text.lower()
    return value.type == "installed_apps" and (PREINSTALLED.match(package) is not None or package in SHARED_WITH)


def is_of_a_service(value: Value) -> bool:
    """Whether a number is too short to be that of a person: of an entry of a list, it says something only beside it."""
    return value.type == "phone_number" and sum(map(str.isdecimal, value.text)) < SERVICE_DIGITS
