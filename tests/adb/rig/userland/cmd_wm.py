<<<<<<< HEAD
"""wm {size | dismiss-keyguard}"""

import sys

import display


def main(arguments, state):
    match arguments:
        case ["size"]:
            print(f"Physical size: {display.SIZE[0]}x{display.SIZE[1]}")
        case ["dismiss-keyguard"]:
            pass
        case _:
            print(f"Unknown command: {' '.join(arguments)}", file=sys.stderr)
            return 255
=======
"""wm dismiss-keyguard: opens a lock screen without a secret; before one with a PIN it only shows the pad"""

import sys


def main(arguments, state):
    if arguments != ["dismiss-keyguard"]:
        print(f"Unknown command: {' '.join(arguments)}", file=sys.stderr)
        return 255
    screen = state.setdefault("screen", {})
    if screen.get("lock", "none") in ("none", "swipe"):
        screen["locked"] = False
>>>>>>> origin/main
    return 0
