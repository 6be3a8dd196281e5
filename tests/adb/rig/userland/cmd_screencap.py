"""screencap -p [FILE]"""

import sys
from pathlib import Path

import display


def main(arguments, state):
    state.release()
    files = [each for each in arguments if not each.startswith("-")]
    if files:
        Path(files[0]).write_bytes(display.png())
    else:
        sys.stdout.buffer.write(display.png())
    return 0
