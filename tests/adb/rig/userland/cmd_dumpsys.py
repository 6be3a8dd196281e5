"""dumpsys SERVICE ...: each service in a file dump_NAME.py"""

import importlib
import sys


def main(arguments, state):
    name = arguments[0].replace("-", "_") if arguments else ""
    try:
        module = importlib.import_module(f"dump_{name}")
    except ModuleNotFoundError:
        print(f"dumpsys: no {name or 'name'} here", file=sys.stderr)
        return 20
    return module.main(arguments[1:], state)
