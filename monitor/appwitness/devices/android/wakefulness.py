"""Switches a device's screen on, keeps it on, and opens a lock screen that needs no secret.

Not tried on Android: the lock screen's dump on 14 and later.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import fault
from appwitness.devices.android.shell import Shell

LOCKED = ("mShowingLockscreen=true", "mDreamingLockscreen=true", "showing=true")
"""What `dumpsys window policy` prints while the lock screen shows: on 7, on 7 while dreaming, on 8 and later."""
UNPLUGGED = "mIsPowered=false"
"""What `dumpsys power` prints without a charger; `stay_on_while_plugged_in` then has no effect."""
LONGEST_MS = 2**31 - 1
WAKE = "input keyevent KEYCODE_WAKEUP"
SLEEP = "input keyevent KEYCODE_SLEEP"
POLL_S = 0.2
LOOKS = 10
"""How often to look whether the screen is on, or the lock screen open."""
ON_AGAIN = "it went off and was switched on again: what the app does only on screen may be missing"
STAYS_OFF = "it went off, and could not be switched on again: what the app does only on screen is missing since"
STAYS_LOCKED = "it went off, and the device is locked: what the app does only on screen is missing since"


def awake(control: Control) -> None:
    """Switch the screen on, keep it on, and open the lock screen if it needs no secret.

    Raises DeviceFault `device-locked`: a PIN, pattern or password cannot be typed for the user.
    """
    shell = control.shell
    power = shell.user("dumpsys power").out
    if not is_awake(power):
        control.change("wake the screen", WAKE, SLEEP, lost_by_reboot=True)
    if shell.user("settings get global stay_on_while_plugged_in").out.strip() != "7":
        control.try_put("global", "stay_on_while_plugged_in", "7")
    if UNPLUGGED in power:
        control.try_put("system", "screen_off_timeout", str(LONGEST_MS))
    if not opened(shell):
        raise fault("device-locked", serial=shell.serial)


def switch_on_again(shell: Shell) -> str | None:
    """Switch the screen on again if it went off; returns what happened, None if it is on. Raises DeviceFault."""
    asks = "dumpsys power | grep mWakefulness="
    if is_awake(shell.user(asks).out):
        return None
    shell.user(WAKE)
    if not _soon(lambda: is_awake(shell.user(asks).out)):
        return STAYS_OFF
    return ON_AGAIN if opened(shell) else STAYS_LOCKED


def opened(shell: Shell) -> bool:
    """Open the lock screen; False if it needs a secret. Raises DeviceFault."""
    asks = "dumpsys window policy"
    if not is_locked(shell.user(asks).out):
        return True
    shell.user("wm dismiss-keyguard")
    return _soon(lambda: not is_locked(shell.user(asks).out))


def _soon(so: Callable[[], bool]) -> bool:
    """Whether it is so within two seconds."""
    for _ in range(LOOKS):
        if so():
            return True
        time.sleep(POLL_S)
    return False


def is_awake(power: str) -> bool:
    """Whether `dumpsys power` says that the screen is on; if it does not say, the screen counts as on."""
    return "mWakefulness=" not in power or "mWakefulness=Awake" in power


def is_locked(policy: str) -> bool:
    """Whether `dumpsys window policy` says that the lock screen is showing."""
    lines = {line.strip() for line in policy.splitlines()}
    return any(sign in lines for sign in LOCKED) or any(sign in policy for sign in LOCKED[:2])
