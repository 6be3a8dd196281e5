"""su, in the flavour that the state names: `magisk`, `toybox` (su UID CMD ...), `root-word` (su root CMD), `denied`,
`slow` (asks on the screen first), `kernelsu` (a mount namespace of its own unless -M or -mm is given), `kernelsu-own`
(always one of its own), `unanswered` (asks on the screen, where nobody answers, and denies then), `deaf` (what it runs
does not get to read what is written to it).

Each call is a line of /data/rig/su.log: Magisk shows a toast for each that asks for root."""

import array
import json
import os
import socket
import sys
import time
from pathlib import Path


def main(arguments, state):
    flavour = state["su"]
    state.release()
    with Path("/data/rig/su.log").open("a") as log:
        log.write(json.dumps({"at": time.time(), "asks": arguments}) + "\n")
    if flavour == "slow":
        time.sleep(1.5)
    master = False
    if flavour in ("magisk", "kernelsu", "kernelsu-own", "slow", "denied", "unanswered", "deaf"):
        words = list(arguments)
        if words[:1] in (["-v"], ["--version"]):
            print("2.0.0:KernelSU" if flavour.startswith("kernelsu") else "27.0:MAGISKSU")
            return 0
        while flavour != "kernelsu-own" and words and words[0] in ("-mm", "-M", "--mount-master"):
            master = True
            words.pop(0)
        if words[:1] == ["-c"] and len(words) > 1:
            words = ["-c", " ".join(words[1:])]  # Magisk takes all that follows as one command
        elif words:
            print(f"su: invalid option {words[0]}", file=sys.stderr)
            return 2
    elif flavour == "toybox" and arguments[:1] == ["2000"]:
        os.execvp("setpriv", ["setpriv", "--reuid", "2000", "--regid", "2000", "--clear-groups", *arguments[1:]])
    elif flavour == "toybox":
        if not arguments or arguments[0] not in ("0", "root"):
            print(f"su: invalid uid/gid '{arguments[0] if arguments else ''}'", file=sys.stderr)
            return 1
        words = ["-c", 'exec "$0" "$@"', *arguments[1:]] if arguments[1:] else []
    elif flavour == "root-word":
        if arguments[:1] != ["root"]:
            print("su: unknown user", file=sys.stderr)
            return 1
        words = ["-c", " ".join(arguments[1:])]
    else:
        print("/system/bin/sh: su: inaccessible or not found", file=sys.stderr)
        return 127
    if flavour == "unanswered":
        time.sleep(4)
    if flavour in ("denied", "unanswered"):
        print("Permission denied", file=sys.stderr)
        return 13
    order = {"argv": words, "cwd": str(Path.cwd()), "own_namespace": flavour.startswith("kernelsu") and not master}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.connect("/data/rig/su.socket")
        unread = os.open("/dev/null", os.O_RDONLY) if flavour == "deaf" else 0
        streams = array.array("i", [unread, 1, 2])
        daemon.sendmsg([json.dumps(order).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        status = b""
        while said := daemon.recv(16):  # until what served us has ended: it is no process of a run's
            status += said
        return int(status or b"255")
