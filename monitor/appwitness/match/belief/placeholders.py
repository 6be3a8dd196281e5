"""Values that say nothing about anybody: what Android and services return where they withhold the real one."""

from __future__ import annotations

import re

from appwitness.events import Value

CONSTANT = frozenset(
    (
        *("02:00:00:00:00:00", "unknown", "<unknown ssid>", "null", "none", "n/a", "undefined"),
        *("localhost", "127.0.0.1", "::1", "0.0.0.0", "255.255.255.255", "nan,nan"),  # noqa: S104 an address, not bound
    )
)
"""The MAC that Android gives every app since 6, an SSID without permission, and what empty fields hold. Not the Android
ID 9774d56d682e549c, which a maker once gave a whole series: today it is nobody's, and examples use it."""
ALIKE = re.compile(r"([0-9a-f])\1{3,}")
"""One digit again and again: the IMEI of an emulator, the advertising id of who opted out."""
NUMBERS = re.compile(r"[-+]?0+(?:\.0+)?,\s*[-+]?0+(?:\.0+)?")
"""A place of 0, 0: no fix."""
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


def is_placeholder(value: Value) -> bool:
    """Whether a value is a placeholder, so that finding it proves nothing."""
    text = value.text.strip().strip('"').lower()
    if text in CONSTANT:
        return True
    if value.type.startswith("location"):
        return bool(NUMBERS.fullmatch(text))
    return bool(ALIKE.fullmatch(re.sub(r"[\s:.-]", "", text)))


def is_everywhere(value: Value) -> bool:
    """Whether a value says something only beside others: a package of the system, or one that others share with."""
    package = value.text.lower()
    return value.type == "installed_apps" and (PREINSTALLED.match(package) is not None or package in SHARED_WITH)


def is_of_a_service(value: Value) -> bool:
    """Whether a number is too short to be that of a person: of an entry of a list, it says something only beside it."""
    return value.type == "phone_number" and sum(map(str.isdecimal, value.text)) < SERVICE_DIGITS
