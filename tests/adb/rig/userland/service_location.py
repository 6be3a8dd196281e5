"""cmd location ...: the master switch (11), test providers (12) of who may mock; state["location"]["test"][name]"""

import os
import sys


def main(arguments, state):
    tests = state.setdefault("location", {}).setdefault("test", {})
    package = "com.android.shell" if os.getuid() else "root"
    match arguments:
        case ["is-location-enabled"] if state["api"] >= 30:
            print("true" if state["settings"]["secure"].get("location_mode", "0") != "0" else "false")
        case ["providers", verb, name, *rest] if state["api"] >= 31:
            if not os.getuid():
                return thrown("java.lang.SecurityException: Specified package com.android.shell under uid 0")
            allowed = state.get("appops", {}).get(package, {}).get("MOCK_LOCATION", {}).get("mode") == "allow"
            if not allowed and verb != "remove-test-provider":
                return thrown(f"java.lang.SecurityException: {package} not allowed to perform MOCK_LOCATION")
            match verb, rest:
                case "add-test-provider", _:
                    tests[name] = {"enabled": False}
                case "remove-test-provider", _:
                    if allowed:
                        tests.pop(name, None)
                case "set-test-provider-enabled", [value]:
                    tests[name]["enabled"] = value == "true"
                case "set-test-provider-location", ["--location", place, *_]:
                    if name not in tests:
                        return thrown(f"java.lang.IllegalArgumentException: {name} provider is not a test provider")
                    tests[name]["place"] = [float(text) for text in place.split(",")]
        case _:
            print(f"Unknown command: {' '.join(arguments)}\nLocation service commands:")
            return 255
    return 0


def thrown(said):
    print(f"\nException occurred while executing '{said}'\n{said}\n\tat android.os.Parcel", file=sys.stderr)
    return 255
