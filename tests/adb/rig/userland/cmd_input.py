<<<<<<< HEAD
"""input {tap X Y | keyevent KEY}"""

import sys

import display


def main(arguments, state):
    if state.get("touches") == "refused":
        print(
            "java.lang.SecurityException: Injecting to another application requires INJECT_EVENTS permission",
            file=sys.stderr,
        )
        return 0 if state["api"] < 29 else 255
    match arguments:
        case ["tap", x, y]:
            display.touch(f"tap {int(float(x))} {int(float(y))}")
        case ["keyevent", key]:
            display.touch(f"key {key.removeprefix('KEYCODE_')}")
        case _:
            print("Error: Unknown command", file=sys.stderr)
            return 255
=======
"""input keyevent KEY: the keys that switch the screen on and off; others are taken and do nothing here"""

import sys

AWAKE = {"KEYCODE_WAKEUP": True, "224": True, "KEYCODE_SLEEP": False, "223": False}


def main(arguments, state):
    if arguments[:1] != ["keyevent"] or len(arguments) < 2:
        print("Error: Unknown command", file=sys.stderr)
        return 255
    if state.get("refuses_input"):
        print("java.lang.SecurityException: Injecting to another application requires INJECT_EVENTS permission")
        return 255
    screen = state.setdefault("screen", {})
    for key in arguments[1:]:
        if key in AWAKE:
            screen["awake"] = AWAKE[key]
            if not AWAKE[key]:
                screen["locked"] = screen.get("lock", "none") != "none"
>>>>>>> origin/main
    return 0
