"""dumpsys SERVICE ...: each service in a file dump_NAME.py, or what the state's `dumps` has it say"""

from dispatch import dispatched


def main(arguments, state):
    if text := state.get("dumps", {}).get(arguments[0] if arguments else ""):
        print(text)
        return 0
    return dispatched("dumpsys", "dump", arguments, state)
