"""dumpsys SERVICE ...: each service in a file dump_NAME.py, or what the state's `dumps` has it say"""

import importlib
import sys


def main(arguments, state):
    name = arguments[0].replace("-", "_") if arguments else ""
    if text := state.get("dumps", {}).get(arguments[0] if arguments else ""):
        print(text)
        return 0
    try:
        module = importlib.import_module(f"dump_{name}")
    except ModuleNotFoundError:
        print(f"dumpsys: no {name or 'name'} here", file=sys.stderr)
        return 20
    return module.main(arguments[1:], state)
