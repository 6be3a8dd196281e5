"""Entry point of `appwitness` and `python -m appwitness`; Ctrl-C during start-up is not an error."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys


def main() -> None:
    """Run the verb that the command line names; files that it and its children write are readable only by the user.

    SIGTERM, with which containers and build servers end a program, ends a verb as Ctrl-C does.
    """
    os.umask(0o077)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    atexit.register(gc.freeze)  # runs last: skips the final garbage collection, which takes 0.2 s
    try:
        from appwitness.cli.verbs import main as verbs

        verbs()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        # `python -m` ends by the signal, even if it was caught, when the signal arrives inside exec() of a text, as in
        # dataclasses: CPython notes that, and forgets it when the next text begins.
        exec("")  # noqa: S102


if __name__ == "__main__":
    main()
