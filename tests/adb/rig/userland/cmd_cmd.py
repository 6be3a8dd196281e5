"""cmd SERVICE ...: each service in a file service_NAME.py"""

from dispatch import dispatched


def main(arguments, state):
    return dispatched("cmd", "service", arguments, state)
