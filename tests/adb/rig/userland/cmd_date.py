"""date [+FORMAT]: of a clock that may differ from this machine's"""

import time


def main(arguments, state):
    now = time.time() + state.get("clock_ahead_s", 0)
    form = arguments[0].removeprefix("+") if arguments else "%a %b %e %H:%M:%S %Z %Y"
    form = form.replace("%N", f"{int(now % 1 * 1e9):09}")
    print(time.strftime(form, time.localtime(now)))
