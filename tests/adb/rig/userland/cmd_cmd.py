"""cmd SERVICE ...: each service in a file service_NAME.py"""

import importlib
import sys


def main(arguments, state):
    name = arguments[0].replace("-", "_") if arguments else ""
    try:
        module = importlib.import_module(f"service_{name}")
    except ModuleNotFoundError:
        print(f"cmd: no {name or 'name'} here", file=sys.stderr)
        return 20
    return module.main(arguments[1:], state)
