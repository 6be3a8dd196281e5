"""The bridge in the agent leaves out the flag that Android 17 adds; a text that is not known ends the build."""

from __future__ import annotations

import re
from pathlib import Path

import frida_tools
import pytest

from hatch_build import AGENT, NEW_FLAG, ROOT, knows_android_17

PROBED = 0x0119
"""public static final native, which the method has that the bridge looks for."""
ON_ANDROID_17 = 0x50300119
"""Its flags there, as frida-java-bridge's pull request 398 has them."""
FILE, OTHER = Path("lib/android.js"), Path("index.js")
SOURCE = """const expectedAccessFlags = kAccPublic | kAccStatic | kAccFinal | kAccNative;
const relevantAccessFlagsMask = ~(kAccFastInterpreterToInterpreterInvoke | kAccPublicApi{}) >>> 0;
if ((flags & relevantAccessFlagsMask) === expectedAccessFlags) {{}}
"""
MINIFIED = "if(null===u){{281==({}&t.readU32())&&(u=e,h--)}}"


def changed(text: str) -> str:
    return knows_android_17({OTHER: "export default 281;", FILE: text})[FILE]


def masks(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"281==\((\d+)&", text)]


def test_the_usual_bridge_finds_the_flags_of_android_17():
    usual = (Path(frida_tools.__file__).parent / "bridges/java.js").read_text("utf-8")

    (mask,) = masks(changed(usual))

    assert mask & ON_ANDROID_17 == PROBED
    assert mask & PROBED == PROBED
    assert [mask] == [each & ~NEW_FLAG for each in masks(usual)]


def test_the_built_agent_has_it():
    built = (ROOT / AGENT).read_text("utf-8")

    (mask,) = (int(each) for each in re.findall(r"281\s*===?\s*\((\d+)\s*&", built))

    assert mask & ON_ANDROID_17 == PROBED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SOURCE.format(" | kAccNterpInvokeFastPathFlag"), SOURCE.format(" | kAccNterpInvokeFastPathFlag | 0x100000")),
        (SOURCE.format(" | kAccNterpEntryPointFastPathFlag"), SOURCE.format(" | kAccNterpEntryPointFastPathFlag")),
        (MINIFIED.format(0xAFDFFFFF), MINIFIED.format(0xAFCFFFFF)),
        (MINIFIED.format(0xAFCFFFFF), MINIFIED.format(0xAFCFFFFF)),
    ],
)
def test_a_bridge_that_has_it_stays_as_it_is(text, expected):
    assert changed(text) == expected
    assert changed(expected) == expected


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("const bridge = {};", 0),
        (MINIFIED.format(0xAFDFFFFF).replace("281", "282"), 0),
        (MINIFIED.format(0xAFDFFFFF) * 2, 2),
        (SOURCE.format("") + MINIFIED.format(0xAFDFFFFF), 2),
    ],
)
def test_a_text_that_is_not_known_ends_the_build(text, places):
    with pytest.raises(SystemExit, match=f"the Java bridge has {places} places that mask the access flags"):
        changed(text)
