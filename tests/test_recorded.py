"""What is translated of the texts that recordings hold is what something writes into them."""

import re
from pathlib import Path

import pytest

from appwitness.support.spoken import heard
from tests.translations import of_recordings

ROOT = Path(__file__).parent.parent
WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
FIELD = re.compile(r"\{\w+\}")


@pytest.fixture(scope="module")
def written():
    """The words of each file of the program."""
    files = [
        *(ROOT / "addons").rglob("*.py"),
        *(ROOT / "monitor/appwitness").rglob("*.py"),
        *(path for folder in ("java", "out", "watch") for path in (ROOT / "hooks" / folder).rglob("*.ts")),
        ROOT / "hooks/agent.ts",
    ]
    return [set(WORD.findall(path.read_text("utf-8"))) for path in files]


@pytest.mark.parametrize("text", [*of_recordings()])
def test_some_file_has_all_words_of_it_and_it_is_understood(written, text):
    words = set(WORD.findall(FIELD.sub(" ", text)))
    assert any(words <= there for there in written)
    said = FIELD.sub("7", text)
    assert heard(said, "zh") != said
