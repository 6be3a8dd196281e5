"""dumpsys appops [--package PKG] [--history --include-discrete N]: what service_appops.py remembers, as 10 to 16 print
it; before, `mode=0; time=+5s ago` a line."""

import time

from service_appops import ago

QUANTUM = 60
DISCRETE = ("FINE_LOCATION", "COARSE_LOCATION", "CAMERA", "RECORD_AUDIO")
COLUMNS = (
    *("UID", "PACKAGE_NAME", "DEVICE_ID", "OP_NAME", "ATTRIBUTION_TAG", "UID_STATE", "OP_FLAGS", "ATTR_FLAGS"),
    *("CHAIN_ID", "ACCESS_TIME", "DURATION"),
)


def main(arguments, state):
    words = list(arguments)
    package = words[words.index("--package") + 1] if "--package" in words else None
    ops = {name: each for name, each in state.get("appops", {}).items() if package in (None, name)}
    if package is not None and state["packages"].get(package, {}).get("users", {"0": {}}).keys() == {"10"}:
        print(f"Unknown package: {package}")  # it is looked up for the first user
        return 0
    if "--history" in words and state["api"] >= 36:
        return table(ops, state)
    if "--history" in words and state["api"] >= 30:
        return history(ops, state) if "--include-discrete" in words and state["api"] >= 31 else None
    print("Current AppOps Service state:")
    print("  Settings:")
    print("    top_state_settle_time=+5s0ms")
    if package is not None and package not in state["packages"] and package not in ops:
        print(f"  Unknown package: {package}")
    now = time.time()
    for name, entries in sorted(ops.items()):
        print(f"\n  Uid {formatted(uid_of(name, state))}:")
        print("    state=top")
        print(f"    Package {name}:")
        for op, entry in sorted(entries.items()):
            print_op(op, entry, now, state["api"])
    return 0


def print_op(op, entry, now, api):
    mode = entry.get("mode", "allow")
    if api < 29:
        last = max((use["at"] for use in entry.get("uses", ())), default=None)
        print(f"      {op}: mode=0" + (f"; time={ago(now - last)} ago" if last else ""))
        return
    print(f"      {op} ({mode}{' / switch COARSE_LOCATION=allow' if op == 'FINE_LOCATION' else ''}): ")
    latest = {}
    for use in sorted(entry.get("uses", ()), key=lambda use: use["at"]):
        latest[use.get("tag"), use.get("state", "top"), use.get("flag", "s")] = use
    for tag in dict.fromkeys(tag for tag, _, _ in latest):
        if api >= 30:
            print(f"        {tag or 'null'}=[")
        for (of, running, flag), use in latest.items():
            if of == tag:
                print_use(use, running, flag, now, "          ")
        if api >= 30:
            print("        ]")


def print_use(use, running, flag, now, indent):
    at = local(use["at"])
    text = f"{indent}Access: [{running}-{flag}] {at} ({ago(use['at'] - now)})"
    if use.get("lasted"):
        text += f" duration={ago(use['lasted'])}"
    if use.get("proxy"):
        text += f" proxy[uid=10070, pkg={use['proxy']}, attributionTag=null]"
    print(text)


def history(ops, state):
    print("Current AppOps Service state:\n  History:\n")
    print("Discrete accesses: ")
    print("  Largest chain id: 0")
    for name, entries in sorted(ops.items()):
        print(f"  Uid: {uid_of(name, state)}")
        print(f"    Package: {name}")
        for op, entry in sorted(entries.items()):
            if op not in DISCRETE:
                continue
            print(f"      {op}")
            uses = entry.get("uses", ())
            for tag in dict.fromkeys(use.get("tag") for use in uses):
                print(f"        Attribution: {tag or 'null'}")
                told = set()
                for use in uses:
                    minute = use["at"] // QUANTUM * QUANTUM
                    kind = minute, use.get("state", "top"), use.get("flag", "s")
                    if use.get("tag") == tag and kind not in told:
                        told.add(kind)
                        print(f"          Access [{kind[1]}-{kind[2]}] at {local(minute)}")
    return 0


def table(ops, state):
    """As 16 does; in which order, no two of its releases agree."""
    order = state.get("history_columns") or COLUMNS
    print("------------Discrete App Ops-------------\n")
    print("|".join(order))
    for name, entries in sorted(ops.items()):
        for op, entry in sorted(entries.items()):
            minutes = {}
            for use in entry.get("uses", ()) if op in DISCRETE else ():
                kind = use["at"] // QUANTUM * QUANTUM, use.get("tag"), use.get("state", "top"), use.get("flag", "s")
                minutes[kind] = minutes.get(kind, 0) + 1
            for (minute, tag, running, flag), count in minutes.items():
                row = {"UID": uid_of(name, state), "PACKAGE_NAME": name, "DEVICE_ID": "default:0", "OP_NAME": op}
                row |= {"ATTRIBUTION_TAG": tag or "null", "UID_STATE": running, "OP_FLAGS": flag, "ATTR_FLAGS": 0}
                row |= {"CHAIN_ID": -1, "ACCESS_TIME": local(minute), "DURATION": -1}
                row |= {"ACCESS_COUNTS": count, "REJECT_COUNTS": 0}
                print("|".join(str(row[column]) for column in order))
    print()
    return 0


def uid_of(package, state):
    return int(state["packages"].get(package, {}).get("uid", 10123))


def formatted(uid):
    return f"u{uid // 100000}a{uid % 100000 - 10000}" if uid >= 10000 else str(uid)


def local(at):
    ms = round(at * 1000)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms // 1000)) + f".{ms % 1000:03d}"
