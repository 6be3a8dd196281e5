"""Each way of calling a method in ART: the hook sees the call once, with its value, and the app gets its own result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from appwitness.agent.sources import Source
from tests.art.conftest import Played, Run

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Hook:
    """A method that is hooked, and what is seen of it: value (or outcome) -> how often."""

    cls: str
    method: str
    seen: dict[str, int]
    takes: str = "return"
    api: str = "table.Main$"

    @property
    def source(self) -> Source:
        cls = self.api + self.cls
        values: list[Any] = [{"from": 0 if self.takes == "argument" else "return"}]
        return Source(name=self.name, cls=cls, method=self.method, data="phone_number", values=values)

    @property
    def name(self) -> str:
        return f"{self.cls}.{self.method}"


MIXED = "1099511627776|0.5|0.25|-3|-4|-5|\u4e07|true|s|-6|1.0E300|7"
ROWS = {
    "instance": "one/a one/b",
    "static": "number 1 number 2",
    "private": "one:c",
    "final": "one!d",
    "synchronized": "locked free",
    "synchronized, throwing": "threw java.lang.IllegalStateException: asked to",
    "its lock afterwards": "free",
    "varargs": "0 2x+y",
    "mixed": MIXED,
    "recursion": "321.",
    "enum": "colour RED colour GREEN",
    "native": "true",
    "new": "made",
    "new by reflection": "reflected",
    "static initialiser": "early",
    "exception": "threw java.lang.SecurityException: no way",
    "reflection": "here by reflection",
    "proxy": "by proxy e",
    "method handle": "by handle here by handle",
    "lambda": "by lambda here by reference",
    "abstract": "<f><f>",
    "super": "above g below",
    "jni": "run by native",
    "sort": "[1, 2, 3]",
}
"""What the app gets, hooked or not."""
HOOKS = (
    Hook("Instance", "read", {"one/a": 1, "one/b": 1}),
    Hook("Static", "read", {"number 1": 1, "number 2": 1}),
    Hook("Instance", "hidden", {"one:c": 1}),
    Hook("Instance", "sealed", {"one!d": 1}),
    Hook("Locked", "read", {"locked": 1, "threw": 1}),
    Hook("Arguments", "many", {"0": 1, "2x+y": 1}),
    Hook("Arguments", "mixed", {MIXED: 1}),
    Hook("Recursive", "down", {"321.": 1}),  # what it calls of itself is part of the one access
    Hook("Colour", "read", {"colour RED": 1, "colour GREEN": 1}),
    Hook("Made", "$init", {"made": 1, "reflected": 1}, takes="argument"),
    Hook("Early", "read", {"early": 1}),
    Hook("Thrower", "read", {"fine": 1, "denied": 1}),
    Hook("Reached", "read", {"by proxy e": 1, "by handle": 1, "by lambda": 1}),
    Hook("Reached", "here", {"here by reflection": 1, "here by handle": 1, "here by reference": 1}),
    Hook("Half", "whole", {"<f><f>": 1}),
    Hook("Above", "read", {"above g": 1}),
    Hook("Runs", "note", {"run by native": 1}),
    Hook("Sorted", "compareTo", {}),
)
CLASSES = sorted({f"table.Main${hook.cls}" for hook in HOOKS if hook.cls != "Early"} | {"table.Main$Other"})


def counted(played: Played) -> dict[str, Counter[str]]:
    """Source -> what was seen -> how often."""
    found: dict[str, Counter[str]] = {hook.name: Counter() for hook in HOOKS}
    for access in played.accesses:
        value = access.values[0].text if access.values else access.outcome
        found.setdefault(access.source, Counter())[value] += access.count
    return found


@pytest.mark.parametrize(
    ("vm", "preload"),
    [
        pytest.param((), (), id="first use after the hooks"),
        pytest.param((), CLASSES, id="initialised before"),
        pytest.param(("-Xcheck:jni",), (), id="CheckJNI"),
    ],
)
def test_each_way_of_calling(play: Run, vm: tuple[str, ...], preload: tuple[str, ...]) -> None:
    cpu = Source(name="cpu", cls="android.os.Process", method="getElapsedCpuTime", data="device_info", values=[])
    played = play("table", [*(hook.source for hook in HOOKS), cpu], vm=vm, preload=["android.os.Process", *preload])
    assert played.printed.splitlines() == [f"{name} = {got}" for name, got in ROWS.items()]
    assert played.code == 0
    found = counted(played)
    assert sum(found.pop("Sorted.compareTo").values()) >= 2
    assert sum(found.pop("cpu").values()) == 1
    assert found == {hook.name: Counter(hook.seen) for hook in HOOKS if hook.cls != "Sorted"}
    ours = {hook.name for hook in HOOKS} | {"cpu"}
    assert [gap for gap in played.gaps if gap.subject in ours or gap.why == "hook_error"] == []
