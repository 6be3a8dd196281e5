"""pm VERB ...: the same as `cmd package VERB ...`"""

import service_package  # type: ignore[import-not-found]


def main(arguments, state):
    return service_package.main(arguments, state)
