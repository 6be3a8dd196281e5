"""What is left open in a filled checklist."""

from datetime import UTC, datetime

import pytest

from appwitness.findings.filled_checklist import FilledItem, HandAnswer


@pytest.mark.parametrize(
    ("state", "answered", "is_open"),
    [
        ("not_observed", False, True),
        ("by_hand", False, True),
        ("not_observed", True, False),
        ("by_hand", True, False),
        ("nothing_seen", False, False),
        ("fail", False, False),
        ("fail", True, False),
    ],
)
def test_what_nobody_knows_is_open(state, answered, is_open):
    answer = HandAnswer(answer="pass", at=datetime.now(UTC), recording="run", ref="marks.jsonl:1")
    item = FilledItem(item="1", group="1", says={}, state=state, answers=(answer,) if answered else ())
    assert item.is_open == is_open
