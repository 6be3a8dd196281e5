"""logcat -d [-v FORMAT]... [-b BUFFERS] [-c]: state["log"] is [{"at", "buffer", "tag", "message", "uid"}]."""

import sys
import time


def main(arguments, state):
    formats, buffers = [], {"main", "system", "crash"}
    words = iter(arguments)
    for word in words:
        if word == "-v":
            formats += next(words).split(",")
        elif word == "-b":
            buffers = set(next(words).split(","))
        elif word == "-c":
            state["log"] = [line for line in state.get("log", ()) if line.get("buffer", "main") not in buffers]
            return 0
        elif word in ("-T", "-t"):
            next(words)
    if "epoch" in formats and state["api"] < 26:
        print('logcat: Invalid parameter "epoch" to -v', file=sys.stderr)
        return 1
    last = None
    for line in sorted(state.get("log", ()), key=lambda line: line["at"]):
        buffer = line.get("buffer", "events")
        if buffer not in buffers and "all" not in buffers:
            continue
        if buffer != last:
            print(f"--------- beginning of {buffer}")
            last = buffer
        at = (
            f"{line['at']:.3f}"
            if "epoch" in formats
            else time.strftime("%m-%d %H:%M:%S", time.localtime(line["at"])) + ".000"
        )
        uid = f"{line.get('uid', 1000):>5} " if "uid" in formats else ""
        print(f"{at} {uid} 1409  2589 I {line['tag']:<8}: {line['message']}")
    return 0
