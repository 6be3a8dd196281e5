"""Judging leaves nothing that only a collection of garbage could free: the walk judges without one."""

from __future__ import annotations

import gc

from appwitness.correlate.prior_knowledge import knowledge
from appwitness.judge.rules import judge
from tests.bench.bench_judge import facts, lines


def test_judging_leaves_no_garbage():
    known = knowledge()
    made = lines(400, 4)
    gc.collect()
    gc.disable()
    try:
        found = judge(known.rules, facts(made, known))
        left = gc.collect()
    finally:
        gc.enable()
    assert len({finding.rule for finding in found}) > 15
    assert not left
