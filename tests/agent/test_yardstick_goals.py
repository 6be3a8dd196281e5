"""The goals of the coverage, held so that no change of the catalog loses them unseen."""

import pytest

from appwitness.agent import native_routes
from appwitness.agent.sources import load
from appwitness.agent.yardstick import beside, covered, yardstick

COVERS = covered(yardstick(), load(), native_routes.load(), beside())


@pytest.mark.parametrize(
    ("level", "covered_share", "seen_share"),
    [("must", 1, 0.97), ("full", 1, 0.92), ("wide", 0.95, 0.92), ("gaps", 0.9, 0.9)],
)
def test_a_level_is_covered(level, covered_share, seen_share):
    """Covered: not missing. Seen: by a source, its own or one below it; the rest are those that no app can call."""
    ours = [cover for cover in COVERS if level in cover.yard.levels]
    missing = [cover.yard.name for cover in ours if cover.state == "missing"]
    assert len(missing) <= (1 - covered_share) * len(ours), missing
    unseen = [cover.yard.name for cover in ours if cover.state in ("missing", "not_here")]
    assert len(unseen) <= (1 - seen_share) * len(ours), unseen


def test_whatever_is_not_hooked_itself_has_a_reason():
    assert [cover.yard.name for cover in COVERS if cover.state in ("lower_layer", "not_here") and not cover.why] == []
