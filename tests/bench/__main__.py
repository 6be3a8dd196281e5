"""Runs the benchmarks of this folder, one after the other, and holds their figures against goals.yml: `make bench`, or
`python -m tests.bench hooks store`.

Exit codes: 0, all goals met; 1, something is short or a benchmark failed; 2, wrong usage. What could not be measured
here is said, and changes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tests.bench import figures
from tests.bench.running import apart, module, talk

HERE = Path(__file__).parent
LONG = ("soak", "malformed", "detach", "long")
"""Those that take long: only run when they are named."""


def modules() -> dict[str, str]:
    """Benchmark -> the module it is in."""
    found = sorted(path.stem for path in HERE.glob("bench_*.py"))
    return {name.removeprefix("bench_"): f"tests.bench.{name}" for name in found} | {
        name: f"tests.bench.{name}" for name in LONG
    }


def main(arguments: Sequence[str], known: Mapping[str, str] | None = None, goals: figures.Goals | None = None) -> int:
    """Run them and print their figures; the exit code."""
    known = modules() if known is None else known
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Figures, held against their goals.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(known)}; none: all but {LONG}")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--report", action="store_true", help="exit code 0 whatever is short")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    try:
        goals = figures.load() if goals is None else goals
    except (ValueError, yaml.YAMLError) as error:
        parser.error(f"{figures.GOALS_YML} cannot be used: {error}")
    say = talk if options.json else _say
    rows: list[figures.Row] = []
    for name in options.names or [name for name in known if name not in LONG]:
        begun = time.monotonic()
        say(f"\n== {name}")
        for row in figures.held(name, apart(module, known[name]), goals[name]):
            rows.append(row)
            say(figures.text(row))
        talk(f"   ({time.monotonic() - begun:.0f} s)")
    say(f"\n{figures.total(rows)}")
    if options.json:
        print(figures.document(rows))
    return 0 if options.report else figures.exit_code(rows)


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
