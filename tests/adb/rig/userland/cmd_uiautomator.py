"""uiautomator dump [FILE]"""

import sys
from pathlib import Path

import display


def main(arguments, state):
    file = next((each for each in arguments[1:] if not each.startswith("-")), "/sdcard/window_dump.xml")
    if display.holder() is not None:
        print(display.TAKEN, file=sys.stderr)
        print("Killed", file=sys.stderr)
        return 137
    if state.get("never_idle"):
        print("ERROR: could not get idle state.", file=sys.stderr)
        return 0
    Path(file).write_text(display.window(), "utf-8")
    print(f"UI hierchary dumped to: {file}")  # as Android spells it
    return 0
