"""Pools: what is needed of a device, in one spelling, and who has it."""

import pytest

from appwitness.fleet.pools import meets, pool
from appwitness.support.errors import UserError

PHONE = {"kind": "phone", "api": "33", "rooted": "yes", "region": "cn"}


@pytest.mark.parametrize(
    ("needs", "met"),
    [
        ("", True),
        ("api>=33 and rooted and region=cn", True),
        ("api>=34", False),
        ("api>9", True),
        ("api<33.5", True),
        ("not rooted", False),
        ("not metered", True),
        ("region!=eu", True),
        ("metered!=yes", True),
        ("region=eu", False),
        ("metered", False),
        ("ram>=4", False),
        ("region>=3", False),
    ],
)
def test_a_device_has_what_is_needed(needs, met):
    assert meets(PHONE, pool(needs)) is met


def test_one_spelling():
    assert pool("rooted AND  api >= 33 and rooted") == "api>=33 and rooted" == pool("api>=33 and rooted")
    assert pool("not  rooted") == "not rooted"


@pytest.mark.parametrize(
    "needs", ["api>=", ">=33", "api>=new", "rooted or metered", "not api>=3", "a b", "api=;", "and", "x" * 201]
)
def test_what_is_no_need_is_refused(needs):
    with pytest.raises(UserError):
        pool(needs)
