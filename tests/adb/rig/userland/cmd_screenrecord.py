"""screenrecord [--time-limit SECONDS] [--bit-rate N] FILE: ends by itself or by SIGINT, and the file is whole then"""

import signal
import sys
import time
from pathlib import Path


def main(arguments, state):
    trouble = state.get("screenrecord")
    state.release()
    if trouble == "no encoder":
        print("ERROR: unable to create video/avc codec instance", file=sys.stderr)
        return 1
    limit = float(arguments[arguments.index("--time-limit") + 1]) if "--time-limit" in arguments else 180
    ended = []
    signal.signal(signal.SIGINT, lambda *_: ended.append(True))
    end = time.monotonic() + min(limit, 180)
    while not ended and time.monotonic() < end:
        time.sleep(0.02)
    Path(arguments[-1]).write_bytes(b"\0\0\0\x18ftypmp42" + str(time.time()).encode())
    return 0
