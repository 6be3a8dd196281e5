"""The program `appwitness`, and `python -m monitor`: an early Ctrl-C, while all is still being loaded, is no fault."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the verb that the command line names."""
    try:
        from monitor.cli import main as verbs

        verbs()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
