"""Plain words: phrases that a reader has to read twice do not come back into code, docs or reports."""

import re
from pathlib import Path

from tests import checkout

ROOT = Path(__file__).parents[1]
REFUSED = {
    r"noughts?": "zero",
    r"(?<!who )holds? (it|them) against|held side by side": "compare with, check against",
    r"let go of": "close, release",
    r"stands? for none": "placeholder",
    r"(for|of|if|when) what is none": "for anything else",
    r"one behind the other": "one after the other",
    r"the run proper": "the main run",
    r"in good order": "cleanly",
    r"means? (it|him|her|them) ill": "hostile",
    r"so many of so many": "k of n",
    r"so (long|many|much) at most": "at most this long, this many",
    r"what proves its letters": "checksum",
    r"[Mm]end (the|that|it|what)": "fix",
    r"more seldom": "less often",
    r"nobody means": "say who does",
    r"first first": "say it another way",
    r"in the midst": "during, inside",
    r"(bears?|bearing) on": "concern, matter for",
    r"otherwise than": "differently from, without",
    r"what(ever)? becomes of": "what happens to",
    r"just now": "now, at the moment",
    r"(hears?|heard) of (it|them|calls|cells|what)": "get, be told",
    r"(give|gave|with|asks?|asked) leave|leave for": "permission",
    r"the very (bytes|same)": "the bytes themselves, the same",
    r"the way to (it|the app|the process|the agent) (was|is) lost": "the connection was lost",
    r"hither|thither|whence|thereof|lest|betimes|perchance": "today's word",
}
"""Regular expression -> what to write instead."""
KINDS = (".py", ".ts", ".c", ".h", ".java", ".md", ".yml", ".html", ".css", ".toml")


PATTERNS = [
    (re.compile(phrase), re.compile(rf"(?<![a-z])({phrase})(?![a-z])"), instead) for phrase, instead in REFUSED.items()
]
"""The phrase alone, which a whole text is searched for quickly; the phrase as words; what to write instead."""


def test_no_text_has_a_phrase_that_must_be_read_twice() -> None:
    """In every text file of the project but this one, and recordings, which hold what apps say."""
    paths = [ROOT / name for name in checkout.files() if name.endswith(KINDS)]
    found = []
    for path in paths:
        if path != Path(__file__) and path.is_file():
            text = path.read_text("utf-8").lower()
            there = [(words, instead) for phrase, words, instead in PATTERNS if phrase.search(text)]
            found += [
                f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}; write instead: {instead}"
                for number, line in enumerate(text.splitlines() if there else (), 1)
                for words, instead in there
                if words.search(line)
            ]
    assert not found, "\n".join(found)
