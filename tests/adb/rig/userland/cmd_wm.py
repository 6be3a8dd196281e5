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
    return 0
