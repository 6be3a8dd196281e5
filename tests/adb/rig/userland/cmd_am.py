"""am VERB ...: each verb in a file am_NAME.py"""

from dispatch import dispatched


def main(arguments, state):
    return dispatched("am", "am", arguments, state)
