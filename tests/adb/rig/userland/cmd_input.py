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
    return 0
