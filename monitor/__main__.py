"""The program `appwitness`, and `python -m monitor`: Ctrl-C while modules are still loading is not an error."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the verb that the command line names; files that it and its children write are readable by the user alone."""
    os.umask(0o077)
    try:
        from monitor.cli import main as verbs

        verbs()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
