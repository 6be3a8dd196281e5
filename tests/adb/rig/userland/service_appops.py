"""cmd appops {set|get} [--user N] PACKAGE OP [MODE]: modes in state["appops"][package][OP]"""

import sys

DEFAULTS = {"WRITE_SMS": "ignore", "MOCK_LOCATION": "deny"}
MODES = ("allow", "ignore", "deny", "default", "foreground")


def main(arguments, state):
    verb, *rest = arguments
    if "--user" in rest:
        at = rest.index("--user")
        del rest[at : at + 2]
    package, name, *mode = rest
    name = name.removeprefix("android:").upper()
    modes = state.setdefault("appops", {}).setdefault(package, {})
    if verb == "get":
        if name in modes:
            print(f"{name}: {modes[name]}")
        else:
            print(f"No operations.\nDefault mode: {DEFAULTS.get(name, 'allow')}")
        return 0
    if verb != "set" or mode[0] not in MODES:
        print(f"Error: Mode {mode} is not valid", file=sys.stderr)
        return 255
    if mode[0] == "default":
        modes.pop(name, None)
        if not modes:
            del state["appops"][package]
    else:
        modes[name] = mode[0]
    return 0
