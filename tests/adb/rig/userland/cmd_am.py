"""am VERB ...: each verb in a file am_NAME.py"""

import importlib
import sys


def main(arguments, state):
    name = arguments[0].replace("-", "_") if arguments else ""
    try:
        module = importlib.import_module(f"am_{name}")
    except ModuleNotFoundError:
        print(f"am: no {name or 'name'} here", file=sys.stderr)
        return 20
    return module.main(arguments[1:], state)
