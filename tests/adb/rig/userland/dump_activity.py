"""dumpsys activity {exit-info [PKG] | processes}: state["exits"] is package -> [{"at", "pid", "process", "reason",
"subreason", "status", "description"}], newest first; the processes are those of the device that an app's user runs."""

import time
from pathlib import Path

from dump_appops import formatted, local, uid_of

REASONS = {
    1: "EXIT_SELF",
    2: "SIGNALED",
    3: "LOW_MEMORY",
    4: "APP CRASH(EXCEPTION)",
    5: "APP CRASH(NATIVE)",
    6: "ANR",
    7: "INITIALIZATION FAILURE",
    8: "PERMISSION CHANGE",
    9: "EXCESSIVE RESOURCE USAGE",
    10: "USER REQUESTED",
    11: "USER STOPPED",
    12: "DEPENDENCY DIED",
    13: "OTHER KILLS BY SYSTEM",
    14: "FREEZER",
    15: "STATE CHANGE",
    16: "PACKAGE UPDATED",
}


def main(arguments, state):
    what = arguments[0] if arguments else ""
    if what == "exit-info" and state["api"] >= 30:
        return exit_info(arguments[1:], state)
    if what in ("processes", "p"):
        return processes(state)
    print(f"Bad activity command, or no activities match: {what}\nUse -h for help.")
    return 0


def exit_info(packages, state):
    print("ACTIVITY MANAGER PROCESS EXIT INFO (dumpsys activity exit-info)")
    print(f"Last Timestamp of Persistence Into Persistent Storage: {local(time.time())}")
    for package, exits in sorted(state.get("exits", {}).items()):
        if packages and package not in packages:
            continue
        uid = uid_of(package, state)
        print(f"  package: {package}")
        print(f"    Historical Process Exit for uid={uid}")
        for number, each in enumerate(exits):
            sub = f" subreason={each.get('sub', 0)} ({each.get('subreason', 'UNKNOWN')})" if state["api"] >= 33 else ""
            print(f"        ApplicationExitInfo #{number}:")
            print(
                f"          timestamp={local(each['at'])} pid={each['pid']} realUid={uid} packageUid={uid} "
                f"definingUid={uid} user={uid // 100000}"
            )
            print(
                f"          process={each.get('process', package)} reason={each['reason']} ({REASONS[each['reason']]})"
                f"{sub} status={each.get('status', 0)}"
            )
            print(
                f"          importance=100 pss=0.00 rss=12MB description={each.get('description', 'null')} state=empty "
                "trace=null"
            )
    return 0


def processes(state):
    print("ACTIVITY MANAGER RUNNING PROCESSES (dumpsys activity processes)")
    print("  All known processes:")
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            uid = folder.stat().st_uid
            name = (folder / "cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]
        except OSError:
            continue
        if uid >= 10_000 and name:
            print(f"  *APP* UID {uid} ProcessRecord{{9b1c2f0 {folder.name}:{name}/{formatted(uid)}}}")
            print(f"    user #{uid // 100000} uid={uid} gids={{}}")
    for each in state.get("isolated", ()):
        print(f"  *APP* UID {each['uid']} ProcessRecord{{1a2b3c4 {each['pid']}:{each['name']}/{each['of']}i1}}")
    return 0
