"""wm {size | dismiss-keyguard}: the latter opens a lock screen without a secret; before one with a PIN it only shows
the pad"""

import sys

import display


def main(arguments, state):
    if arguments == ["size"]:
        print(f"Physical size: {display.SIZE[0]}x{display.SIZE[1]}")
        return 0
    if arguments != ["dismiss-keyguard"]:
        print(f"Unknown command: {' '.join(arguments)}", file=sys.stderr)
        return 255
    screen = state.setdefault("screen", {})
    if screen.get("lock", "none") in ("none", "swipe"):
        screen["locked"] = False
    return 0
