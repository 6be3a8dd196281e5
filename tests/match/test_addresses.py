"""Whether a form that was found is a whole address of mail, in text and in other bytes."""

import pytest

from appwitness.match.decode import Leaf
from appwitness.match.hits import is_address
from appwitness.match.variants import Variant

ADDRESS = b"ann.lee@example.com"


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("before", "behind", "whole"),
    [
        (b"", b"", True),
        (b'{"mail":"', b'"}', True),
        (b"\x02", b"\x00", True),
        (b"to:", b",", True),
        (b"jo", b"", False),
        (b"jo.", b"", False),
        (b"", b"pany", False),
        (b"jo+", b"\x00", False),
    ],
)
def test_nothing_that_may_belong_to_it_stands_beside(before, behind, whole, binary):
    data = before + ADDRESS + behind
    leaf = Leaf("$", None if binary else data.decode(), data, (), 0, len(data), exact=True)
    found = is_address(leaf, len(before), len(before + ADDRESS), Variant("plain", "as_given", "text", ADDRESS))
    assert found == whole


def test_a_length_before_it_bounds_it():
    data = bytes((len(ADDRESS),)) + ADDRESS + b"pany"
    variant = Variant("plain", "as_given", "text", ADDRESS)
    assert is_address(Leaf("$", None, data, (), 0, len(data), exact=True), 1, 1 + len(ADDRESS), variant)
