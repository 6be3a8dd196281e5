"""Which methods that transform a device should have."""

import pytest

from appwitness.agent import transforms


@pytest.mark.parametrize(("level", "expected"), [(29, False), (34, False), (35, True), (None, True)])
def test_a_method_is_expected_where_androids_release_has_it(level, expected):
    plan = transforms.load().plan(level)
    [deflater] = [each for each in plan["classes"] if each["cls"] == "java.util.zip.Deflater"]
    assert {step["expected"] for step in deflater["methods"] if step["overload"] == ("java.nio.ByteBuffer",)} == {
        expected
    }
    assert all(step["expected"] for step in deflater["methods"] if step["overload"] != ("java.nio.ByteBuffer",))
