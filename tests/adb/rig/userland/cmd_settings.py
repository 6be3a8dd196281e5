"""settings [--user N] {get|put|delete|list} {global|secure|system} [NAME [VALUE]]"""

import sys


def main(arguments, state):
    if arguments[:1] == ["--user"]:
        arguments = arguments[2:]
    verb, space, *rest = arguments
    if verb in ("put", "delete") and state.get("settings_denied"):  # MIUI without USB debugging (Security settings)
        print(f"\nException occurred while executing '{verb}':", file=sys.stderr)
        needed = "android.permission.WRITE_SECURE_SETTINGS"
        print(f"java.lang.SecurityException: Permission denial: writing to settings requires:{needed}", file=sys.stderr)
        return 255
    table = state["settings"].setdefault(space, {})
    match verb:
        case "get":
            print(table.get(rest[0], "null"))
        case "put":
            if len(rest) < 2:
                print("Invalid command: put", file=sys.stderr)
                return 255
            if rest[0] not in state.get("settings_refused", ()):  # some makers' Android takes it and does nothing
                table[rest[0]] = rest[1]
        case "delete":
            print(f"Deleted {int(table.pop(rest[0], None) is not None)} rows")
        case "list":
            for name in sorted(table):
                print(f"{name}={table[name]}")
        case _:
            print(f"Invalid command: {verb}", file=sys.stderr)
            return 255
    return 0
