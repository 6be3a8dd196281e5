"""Recall of matching by ways of sending that nobody tuned for, and flows in clean traffic: `bench unseen`."""

from __future__ import annotations

import sys
import time
from collections import defaultdict

from tests import unseen
from tests.unseen import WAYS, clean

EACH = 8
CLEAN = 4_000


def main() -> None:
    """Print the figures; `--all` prints every way, not only those that were missed."""
    started = time.perf_counter()
    outcome = unseen.measure(seed=1, each=EACH)
    for name, wanted in outcome.wanted.items():
        if outcome.found[name] < wanted or "--all" in sys.argv:
            print(f"{outcome.found[name] / wanted:5.2f}  {outcome.found[name]}/{wanted}  {WAYS[name].grade:9} {name}")
    ways: dict[str, int] = defaultdict(int)
    for name in outcome.wanted:
        ways[WAYS[name].grade] += 1
    for grade in unseen.GRADES:
        print(f"{grade}: recall {outcome.recall(grade):.4f} over {ways[grade]} ways")
    cases, spent = outcome.wanted.total(), time.perf_counter() - started
    print(f"flows of other accesses or values: {len(outcome.wrong)} in {cases} uploads ({spent:.0f} s)")
    for case, joined in outcome.wrong[:10]:
        print("  wrong", case.way.name, case.value.text, joined.access, [match.value for match in joined.matches][:3])
    started = time.perf_counter()
    false = list(clean.wrong(seed=1, uploads=CLEAN))
    print(f"clean: {len(false)} flows in {CLEAN} uploads, 1,000 contacts known ({time.perf_counter() - started:.0f} s)")
    for one in false[:10]:
        print("  false", one.kind, one.found)


if __name__ == "__main__":
    main()
