"""Runs every benchmark of this folder, one after the other: `make bench`, or `python -m tests.bench hooks store`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
LONG = ("soak", "malformed", "detach")
"""Those that take long, and give no ratio: only run when they are named."""


def main(names: list[str]) -> None:
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = sorted(set(names) - {*known, *LONG})
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join([*known, *LONG])}.")
    for name in names or known:
        begun = time.monotonic()
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.bench.{name if name in LONG else f'bench_{name}'}"], check=True)
        print(f"   ({time.monotonic() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
