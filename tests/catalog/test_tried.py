"""What a bench has run: a device counts as tried only with its runtime, its processor and each kind of code."""

from pathlib import Path

import pytest

from appwitness.catalog import tried as module
from appwitness.catalog.tried import TriedRuntime, runtimes, seen, tried

DEVICES = (Path(__file__).parents[2] / "docs/devices.md").read_text("utf-8")
BENCH = [
    TriedRuntime(art=art, abi=abi, code=code, where="here", last="2026-11-30")
    for art, abi, code in (
        (29, "x86_64", "interpreter"),
        (29, "x86_64", "jit"),
        (29, "x86_64", "aot"),
        (29, "arm64-v8a", "interpreter"),
        (34, "arm64-v8a", "jit"),
    )
]


@pytest.mark.parametrize(
    ("art", "abi", "expected"),
    [
        (29, "x86_64", "yes"),
        (29, "arm64-v8a", "no"),  # never in compiled code
        (34, "arm64-v8a", "no"),
        (34, "x86_64", "no"),
        (37, "arm64-v8a", "no"),
        (29, "riscv64", "no"),
        (None, "x86_64", None),
        (29, None, None),
    ],
)
def test_a_device_is_tried_where_each_kind_of_code_was(monkeypatch, art, abi, expected):
    monkeypatch.setattr(module, "runtimes", lambda: BENCH)

    assert tried(art, abi) == expected
    assert seen() == (29, 34)


def test_the_page_on_devices_names_each_bench():
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in DEVICES.splitlines() if "|" in line]
    for each in runtimes():
        assert [f"API {each.art}", each.abi, each.code, each.where, f"{each.last}"] in rows
