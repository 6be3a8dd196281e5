"""How a process of the stand-in device ended, as each version tells it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from appwitness.devices.android.control import Control
from appwitness.devices.android.witness.endings import Endings, is_ours
from tests.adb.rig.phone import Phone

PACKAGE = "com.example.circle"


@pytest.mark.parametrize("api", [24, 29, 33, 36])
@pytest.mark.parametrize(
    ("reason", "message", "expected", "ours"),
    [
        (3, f"[0,97,{PACKAGE},905,empty #17,79208]", "low_memory", False),
        (10, f"[0,97,{PACKAGE},0,stop {PACKAGE} due to from pid 8396]", "force_stopped", False),
        (6, f"[0,97,{PACKAGE},0,anr]", "anr", True),
    ],
)
def test_ends(
    phone_of: Callable[..., Phone],
    control_of: Callable[[Phone], Control],
    api: int,
    reason: int,
    message: str,
    expected: str,
    ours: bool,
) -> None:
    at = int(time.time()) - 5
    state: dict[str, Any] = {"packages": {PACKAGE: {"uid": 10123}}}
    if api >= 30:
        state["exits"] = {PACKAGE: [{"at": at, "pid": 97, "reason": reason}]}
    state["log"] = [
        {"at": at, "tag": "am_kill", "message": message},
        {"at": at + 1, "tag": "am_proc_died", "message": f"[0,97,{PACKAGE},905,19]"},
    ]
    endings = Endings(control_of(phone_of(api=api, state=state)), PACKAGE, 10123)

    end = endings.of(97)

    assert end is not None
    assert (end.reason, is_ours(end)) == (expected, ours)
    assert end.at is not None
    assert abs(end.at.timestamp() - at) < 1
    assert endings.of(98, wait_s=0) is None
