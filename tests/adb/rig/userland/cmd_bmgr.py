"""bmgr {enabled | enable BOOL}"""


def main(arguments, state):
    match arguments:
        case ["enabled"]:
            on = state.get("backups", True)
            print(f"Backup Manager currently {'enabled' if on else 'disabled'}")
        case ["enable", value]:
            state["backups"] = value == "true"
            print(f"Backup Manager now {'enabled' if value == 'true' else 'disabled'}")
        case _:
            return 1
    return 0
