"""Sentences of our own code are shown: each of their words is on the list of what may be shown."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from appwitness.support import vocabulary

ROOT = Path(__file__).parents[2]
ROOMS = ("judge", "correlate", "devices", "agent", "observe", "exchange", "match", "recording", "proxy")
WORD = re.compile(r"(?<![\w$%\\<{.\-/])[a-z]{2,}(?![\w$%>}=(\-/])")
SCRIPT = re.compile(r"[\n\\$|<>]|\b(dumpsys|grep|cmd|pm|am) ")
"""What is no sentence: scripts for a device, patterns."""


def sentences() -> set[str]:
    """Texts in the code that are sentences or parts of them, those of documentation apart."""
    files = [path for room in ROOMS for path in (vocabulary.PACKAGE / room).rglob("*.py")]
    found = set()
    for path in [*files, *(ROOT / "addons").rglob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                found.add(node.value)
    for path in (ROOT / "hooks").rglob("*.ts"):
        if "node_modules" not in path.parts:
            found |= {text for _, text in re.findall(r"([\"`])((?:(?!\1).)*)\1", path.read_text("utf-8"))}
    return {text for text in found if text.count(" ") >= 2 and not SCRIPT.search(text)}


def test_every_word_of_a_sentence_may_be_shown():
    needed = {word for text in sentences() for word in WORD.findall(re.sub(r"\{[^}]*\}", " ", text))}
    assert sorted(needed - vocabulary.words(told=True)) == []
