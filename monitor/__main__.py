"""The program `appwitness`, and `python -m monitor`: an early Ctrl-C, while all is still being loaded, is no fault."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the verb that the command line names; whatever it and what it starts write is the user's own to read."""
    os.umask(0o077)
    try:
        from monitor.cli import main as verbs

        verbs()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
