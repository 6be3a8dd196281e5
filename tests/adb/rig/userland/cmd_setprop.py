"""setprop NAME VALUE"""

import os
import sys


def main(arguments, state):
    if len(arguments) != 2:
        print("usage: setprop NAME VALUE", file=sys.stderr)
        return 1
    if os.getuid() not in (0, 2000):
        print(f"Failed to set property '{arguments[0]}' to '{arguments[1]}'.", file=sys.stderr)
        return 1
    state["properties"][arguments[0]] = arguments[1]
    return 0
