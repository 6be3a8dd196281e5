"""A run that grows, judged with the memory of having judged less of it: the findings are those without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.judge.rules import Memory, judge
from tests.bench.bench_judge import facts, lines

SIZE = 24
KNOWN = knowledge()


@pytest.mark.parametrize(("every", "going_on"), [(1, False), (1, True), (20, True)])
def test_memory_changes_no_finding(every: int, going_on: bool) -> None:
    made = lines(SIZE, every)
    whole = facts(made, KNOWN)
    flows = [flow.model_copy(update={"upload": f"uploads.jsonl:{n // 8 + 1}"}) for n, flow in enumerate(made.flows)]
    memory = Memory()
    for size in range(1, SIZE + 1):
        # what is read is sent later, several flows in an upload; the last third with other claims
        grown = replace(whole, flows=flows[:size], accesses=whole.accesses[: size + 9], uploads=size)
        if size > SIZE * 2 // 3:
            grown = replace(grown, claims=whole.claims[:1])
        found = judge(KNOWN.rules, grown, going_on=going_on, memory=memory)
        assert found == judge(KNOWN.rules, grown, going_on=going_on)
