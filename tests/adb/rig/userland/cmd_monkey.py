"""monkey -p PACKAGE -c CATEGORY 1: a touch on the app's icon"""

import display


def main(arguments, state):
    if arguments[:1] != ["-p"] or arguments[-1] != "1":
        return 1
    display.touch("key MONKEY")
    print("Events injected: 1")
    return 0
