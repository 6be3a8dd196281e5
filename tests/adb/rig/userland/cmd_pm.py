"""pm VERB ...: the same as `cmd package VERB ...`"""

import service_package


def main(arguments, state):
    return service_package.main(arguments, state)
