"""abx2xml FILE -: the stand-in's binary XML is its text after the four bytes that begin Android's"""

import sys
from pathlib import Path


def main(arguments, state):
    if state["api"] < 31:
        print("/system/bin/sh: abx2xml: inaccessible or not found", file=sys.stderr)
        return 127
    data = Path(arguments[0]).read_bytes()
    if not data.startswith(b"ABX\0"):
        print("java.io.IOException: Unexpected magic", file=sys.stderr)
        return 1
    print(data[4:].decode())
    return 0
