"""setenforce {0|1|Permissive|Enforcing}"""

import os
import sys


def main(arguments, state):
    if os.getuid() != 0:
        print("setenforce: Couldn't set enforcing status to '0': Permission denied", file=sys.stderr)
        return 1
    state["selinux"] = "Permissive" if arguments[0] in ("0", "Permissive") else "Enforcing"
    return 0
