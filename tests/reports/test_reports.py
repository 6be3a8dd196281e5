import html
import re
import subprocess
import sys

import pytest

from appwitness.reports import FORMATS, LETTERS, render
from appwitness.reports.words import Words
from appwitness.support.errors import UserError
from tests.reports import sample

NO_LETTERS = [format_ for format_ in FORMATS if format_ not in LETTERS]
"""A run in which nothing was found gives no letter (test_complaint.py)."""


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_report_gives_the_same_bytes(format_, lang):
    assert render(sample.report(), format_, lang=lang) == render(sample.report(), format_, lang=lang)


@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize("format_", NO_LETTERS)
def test_nothing_found_with_gaps_is_never_called_clean(format_, reveal):
    gaps = sample.report().gaps
    text = render(sample.clean(gaps=gaps), format_, reveal=reveal)
    if format_ == "json":
        assert "tls_refused" in text
    else:
        assert "not clean" in text
    assert "no gap was noticed" not in text


@pytest.mark.parametrize("format_", ["text", "html", "sarif", "junit"])
def test_nothing_found_without_gaps_says_what_that_means(format_):
    text = render(sample.clean(), format_)
    assert "No finding, and no gap was noticed" in text


@pytest.mark.parametrize("format_", NO_LETTERS)
def test_a_recording_in_which_nothing_happened_renders(format_):
    empty = sample.clean(
        run=sample.run(ended=None, persona=(), versions={}, operator=None),
        accesses=(), uploads=(), consents=(), phases=(), evidence={}, coverage={}, rules=(),
    )  # fmt: skip
    assert sample.APP in render(empty, format_)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_finding_whose_lines_are_missing_still_renders(format_):
    bare = sample.report(evidence={}, accesses=(), uploads=(), consents=(), phases=(), rules=())
    assert "sent-before-consent" in render(bare, format_)


def test_a_format_or_language_that_does_not_exist_is_the_users_error():
    with pytest.raises(UserError, match="Choose one of text, json"):
        render(sample.report(), "pdf")
    with pytest.raises(UserError, match="Choose one of en, zh"):
        render(sample.report(), "text", lang="fr")


def test_a_terminal_needs_no_templates():
    """`appwitness report` is started often; what one format needs is not loaded for another."""
    code = (
        "import sys\nfrom tests.reports import sample\nfrom appwitness.reports import render\n"
        "render(sample.report(), 'text'); print('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("format_", ["text", "html", "json", *LETTERS])
def test_the_case_is_said_where_there_is_one(format_, lang):
    made = {"case": "12-O-3/26", "place": "Bonn,Hall-4", "equipment": "Pixel-6<own>"}

    def text(**run: str) -> str:
        said = render(sample.report(run=sample.run(**run)), format_, lang=lang)
        return re.sub(r"\s", "", html.unescape(said).replace("\\", ""))

    assert all(said in text(**made) for said in (*made.values(), "LinYue"))
    label = Words(lang)("made_case").replace(" ", "")
    assert format_ == "json" or (label in text(**made), label in text()) == (True, False)
