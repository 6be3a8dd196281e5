"""input {tap X Y | keyevent KEY ...}: the keys that switch the screen on and off; others go to what is on it"""

import sys

import display

AWAKE = {"KEYCODE_WAKEUP": True, "224": True, "KEYCODE_SLEEP": False, "223": False}


def main(arguments, state):
    if len(arguments) < 2 or arguments[0] not in ("tap", "keyevent"):
        print("Error: Unknown command", file=sys.stderr)
        return 255
    if state.get("refuses_input"):
        print("java.lang.SecurityException: Injecting to another application requires INJECT_EVENTS permission")
        return 255
    if arguments[0] == "tap":
        display.touch(f"tap {int(float(arguments[1]))} {int(float(arguments[2]))}")
        return 0
    screen = state.setdefault("screen", {})
    for key in arguments[1:]:
        if key in AWAKE:
            screen["awake"] = AWAKE[key]
            if not AWAKE[key]:
                screen["locked"] = screen.get("lock", "none") != "none"
        else:
            display.touch(f"key {key.removeprefix('KEYCODE_')}")
    return 0
