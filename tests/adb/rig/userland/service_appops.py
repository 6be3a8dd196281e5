"""cmd appops {get|set|reset|query-op} ...: AppOps over state["appops"]: package -> op -> {"mode", "uses"}.

A use is {"at": epoch seconds, "tag", "state", "flag", "proxy", "lasted": seconds}; dump_appops.py prints them too.
"""

import sys
import time

DEFAULTS = {"WRITE_SMS": "ignore", "MOCK_LOCATION": "deny"}
SYSTEM = ("com.android.shell", "root")


def main(arguments, state):
    words = list(arguments)
    verb = words.pop(0) if words else ""
    user = "0"
    while words and words[0].startswith("--"):
        option = words.pop(0)
        if option == "--user":
            user = words.pop(0)
    ops = state.setdefault("appops", {})
    match verb:
        case "get" if words:
            return get(words[0], words[1:], user, ops, state)
        case "set" if len(words) >= 3:
            if not is_there(words[0], state):
                print(f"Error: No UID for {words[0]} in user {user}", file=sys.stderr)
                return 255
            if "(" in words[1]:
                print(f"Error: Unknown operation string: {words[1]}", file=sys.stderr)
                return 255
            modes = ("allow", "ignore", "deny", "default", "foreground", *(("ask",) if state.get("miui") else ()))
            if words[2] not in modes:
                print(f"Error: Mode {words[2]} is not valid", file=sys.stderr)
                return 255
            entry = ops.setdefault(words[0], {}).setdefault(name_of(words[1]), {})
            entry["mode"] = words[2]
            if words[2] == "default" and entry == {"mode": "default"}:  # as if nobody had ever set it
                del ops[words[0]][name_of(words[1])]
                if not ops[words[0]]:
                    del ops[words[0]]
            return 0
        case "reset":
            for package in words or list(ops):
                for entry in ops.get(package, {}).values():
                    entry["mode"] = "allow"
            print("Reset all modes for: " + (f"user {user}, package {words[0]}" if words else "all packages"))
            return 0
        case "query-op" if len(words) >= 1:
            mode = words[1] if len(words) > 1 else "ignore"
            for package, entries in sorted(ops.items()):
                if entries.get(name_of(words[0]), {}).get("mode") == mode:
                    print(package)
            return 0
    print("AppOps service (appops) commands:", file=sys.stderr)
    return 255


def get(package, named, user, ops, state):
    if not is_there(package, state):
        print(f"Error: No UID for {package} in user {user}", file=sys.stderr)
        return 255
    entries = ops.get(package, {})
    if named:
        entries = {op: entry for op, entry in entries.items() if op == name_of(named[0])}
    if not entries:
        print("No operations.")
        if named:
            print(f"Default mode: {DEFAULTS.get(name_of(named[0]), 'allow')}")
        return 0
    now = time.time()
    for op, entry in sorted(entries.items()):
        line = f"{op}: {entry.get('mode', 'allow')}"
        uses = sorted(entry.get("uses", ()), key=lambda use: use["at"])
        if uses:
            line += f"; time={ago(now - uses[-1]['at'])} ago"
            if uses[-1].get("lasted"):
                line += f"; duration={ago(uses[-1]['lasted'])}"
        print(line)
    return 0


def is_there(package, state):
    return package in state["packages"] or package in state.get("appops", {}) or package in SYSTEM


def name_of(op):
    """MOCK_LOCATION, whether it was given so or as android:mock_location; Xiaomi's own by their number."""
    if op.isdecimal():
        return f"MIUIOP({op})"
    return op.removeprefix("android:").upper()


def ago(seconds):
    """As TimeUtils.formatDuration prints it."""
    ms = round(seconds * 1000)
    if not ms:
        return "0"
    sign, ms = ("-", -ms) if ms < 0 else ("+", ms)
    out = ""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")):
        if ms >= size or out:
            out += f"{ms // size}{unit}"
            ms %= size
    return sign + out
