"""The bridge in the agent updates the class of a method's native copy as the copy comes into use."""

from __future__ import annotations

from pathlib import Path

import frida_tools

from hatch_build import AGENT, REGISTERED, ROOT, SAME_CLASS, updates_new_copies

FILE = Path("bridge/index.js")


def test_the_usual_bridge_does_so():
    usual = (Path(frida_tools.__file__).parent / "bridges/java.js").read_text("utf-8")

    text = updates_new_copies({FILE: usual})[FILE]

    assert text.count(f"{REGISTERED} {SAME_CLASS}") == 1
    assert text.replace(f" {SAME_CLASS}", "") == usual


def test_the_built_agent_does_so():
    built = (ROOT / AGENT).read_text("utf-8")

    assert built.count(f"{REGISTERED} {SAME_CLASS}") == 1


def test_another_text_stays_as_it_is():
    assert updates_new_copies({FILE: "g_hash_table_insert (others, a, b);"}) == {
        FILE: "g_hash_table_insert (others, a, b);"
    }
