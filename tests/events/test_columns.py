"""A column holds the numbers that were appended, the same or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.events.columns import Column


@given(st.lists(st.integers(1 - (1 << 63), 1 << 70) | st.sampled_from([0, 7, 1 << 63, 1 << 64])), st.slices(8))
def test_it_holds_what_was_appended(numbers, piece):
    column = Column()
    for number in numbers:
        column.append(number)
    assert list(column) == numbers
    assert [*column[piece]] == numbers[piece]
    assert [*column[-1:]] == numbers[-1:]
    with pytest.raises(IndexError):
        column[len(numbers)]
