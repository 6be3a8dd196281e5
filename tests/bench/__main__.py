"""Runs the benchmarks of this folder, one after the other, and holds their figures against goals.yml: `make bench`, or
`python -m tests.bench hooks store`.

If a ratio is short for no reason that goals.yml has, its benchmark runs once more, and the better of its two values
counts: whatever else the machine does makes it worse, never better. A count is not measured again: a line is lost once.

Exit codes: 0, all goals met; 1, something is short or a benchmark failed; 2, wrong usage. What could not be measured
here is said, and changes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from tests.bench import figures
from tests.bench.running import apart, module, talk

HERE = Path(__file__).parent
LONG = ("soak", "malformed", "detach", "long")
"""Those that take long: only run when they are named."""
RATIOS = ("x", "times as fast")
"""Units of figures that depend on how busy the machine is."""


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
        say(f"\n== {name}")
        rows += _measured(name, known[name], goals[name], say)
    say(f"\n{figures.total(rows)}")
    if options.json:
        print(figures.document(rows))
    return 0 if options.report else figures.exit_code(rows)


def _measured(
    name: str, of: str, goals: Mapping[str, figures.Goal], say: Callable[[str], None]
) -> Iterable[figures.Row]:
    """The figures of a benchmark, shown as they come."""

    def once() -> Iterator[figures.Row]:
        begun = time.monotonic()
        for row in figures.held(name, apart(module, of), goals):
            say(figures.text(row))
            yield row
        talk(f"   ({time.monotonic() - begun:.0f} s)")

    rows = {row.figure: row for row in once()}
    short = [row for row in rows.values() if row.verdict == "short" and row.reason is None]
    unexplained = {row.figure for row in short if row.goal and row.goal.unit in RATIOS}
    if unexplained:
        say(f"once more, for {', '.join(sorted(unexplained))}:")
        rows |= {row.figure: row for row in once() if row.figure in unexplained and row.verdict == "met"}
    return rows.values()


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
