"""Entry point of `appwitness` and `python -m appwitness`; Ctrl-C during start-up is not an error."""

from __future__ import annotations

import atexit
import gc
import os
import sys

from appwitness.cli import front_page

COLLECT_AFTER = 50_000
"""Number of new objects after which garbage is collected. With Python's 2,000, collecting would take a fifth of the
time of a small report, in vain: what imports create stays."""


def main() -> None:
    """Run the verb that the command line names; files that it and its children write are readable only by the user.

    SIGTERM, with which containers and build servers end a program, ends a verb as Ctrl-C does.
    """
    if sys.argv[1:] in (["--help"], ["-h"]) and front_page.language() == "en":
        try:
            print(front_page.page(), end="", flush=True)
            return
        except OSError:
            pass  # click, below, tells the user what is wrong with the output
    import signal

    os.umask(0o077)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)  # runs last: skips the final garbage collection, which takes 0.2 s
    try:
        from appwitness.cli.verbs import main as verbs

        verbs()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        # If the signal arrives inside exec() of a string, which dataclasses uses, CPython remembers it, and `python -m`
        # ends by the signal although it was caught. The next exec() of a string makes CPython forget it.
        exec("")  # noqa: S102


if __name__ == "__main__":
    main()
