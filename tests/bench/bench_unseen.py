"""Recall of matching by ways of sending that nobody tuned for, in small bodies and in a large document, and flows in
clean traffic.

    python -m tests.bench.bench_unseen [--all]

`--all` tells of every way of sending, not only of those that were missed.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from appwitness.events.seen import see
from appwitness.match import decode
from appwitness.match.linking import Linker
from tests import unseen
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk
from tests.unseen import WAYS, clean, world

EACH = 8
IN_LARGE = 2
CLEAN = 4_000
EVENTS = 60
"""Documents before and behind one in a large document, about 9 kB each time."""


def measure(*, every: bool = False) -> Iterator[Given]:
    """What is found in small bodies and in a large one, and what clean traffic is accused of."""
    started = time.perf_counter()
    outcome = unseen.measure(seed=1, each=EACH)
    for name, wanted in outcome.wanted.items():
        if outcome.found[name] < wanted or every:
            talk(f"{outcome.found[name] / wanted:5.2f}  {outcome.found[name]}/{wanted}  {WAYS[name].grade:9} {name}")
    ways: dict[str, int] = defaultdict(int)
    for name in outcome.wanted:
        ways[WAYS[name].grade] += 1
    for grade in unseen.GRADES:
        talk(f"{grade}: {ways[grade]} ways")
        yield Figure(f"recall, {grade}", outcome.recall(grade))
    cases, spent = outcome.wanted.total(), time.perf_counter() - started
    talk(f"{cases} uploads ({spent:.0f} s)")
    for case, joined in outcome.wrong[:10]:
        found = [match.value for match in joined.matches][:3]
        talk(f"  wrong {case.way.name} {case.value.text} {joined.access} {found}")
    yield Figure("flows of other accesses or values", len(outcome.wrong))
    yield from large()
    started = time.perf_counter()
    false = list(clean.wrong(seed=1, uploads=CLEAN))
    talk(f"clean: {CLEAN} uploads, 1,000 contacts known ({time.perf_counter() - started:.0f} s)")
    for one in false[:10]:
        talk(f"  false {one.kind} {one.found}")
    yield Figure("flows in clean uploads", len(false))


def large() -> Iterator[Given]:
    """What is found in a small document and lost in a large one, which is sifted before it is decoded."""
    started = time.perf_counter()
    known, chance = unseen.linker(world.ACCESSES), random.Random("large")
    noise = b",".join(world.dumps(world.document({}, chance)) for _ in range(EVENTS))
    found, lost, wrong = 0, Counter[str](), 0
    for case in unseen.cases(seed=1, each=IN_LARGE):
        body = case.sent.body
        if case.sent.calls or not _is_document(body) or not _is_found(known, case, body)[0]:
            continue
        here, others = _is_found(known, case, b"[" + b",".join((noise, body, noise)) + b"]")
        found += here
        wrong += others
        lost[case.way.name] += not here
    talk(
        f"in a document of {2 * len(noise) // 1000} kB: {found} of {found + lost.total()} that a small one gives away "
        f"({time.perf_counter() - started:.0f} s)"
    )
    talk(f"  lost: {', '.join(sorted(name for name, count in lost.items() if count))}")
    yield Figure("flows of other accesses in a large document", wrong)


def _is_document(body: bytes) -> bool:
    try:
        return b"\0" not in body and isinstance(json.loads(body), dict | list)
    except ValueError:
        return False


def _is_found(known: Linker, case: unseen.Case, body: bytes) -> tuple[bool, int]:
    """Whether the right access is found, and how many others."""
    upload = unseen.upload_of(case.sent._replace(body=body))
    flows = known.link(see("uploads.jsonl:1", upload, 0), decode.leaves(upload, body, narrow=known.narrow))
    right = world.access_of(case.value)
    good = [flow for flow in flows if flow.access == right and case.value.text in {m.value for m in flow.matches}]
    return bool(good), sum(flow.access != right for flow in flows)


if __name__ == "__main__":
    sys.exit(alone("unseen", measure(every="--all" in sys.argv)))
