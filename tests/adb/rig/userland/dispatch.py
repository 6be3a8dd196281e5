"""A command whose first word names its part: each part in a file of its own, PREFIX_NAME.py."""

import importlib
import sys


def dispatched(command, prefix, arguments, state):
    name = arguments[0].replace("-", "_") if arguments else ""
    try:
        module = importlib.import_module(f"{prefix}_{name}")
    except ModuleNotFoundError:
        print(f"{command}: no {name or 'name'} here", file=sys.stderr)
        return 20
    return module.main(arguments[1:], state)
