import re
import string
import typing
from pathlib import Path

import pytest

from appwitness import events, findings
from appwitness.catalog import yaml_files
from appwitness.reports.words import LANGUAGES, Words, plain

ROOM = Path(__file__).parents[2] / "monitor/appwitness"
TABLE = yaml_files.tree(ROOM / "reports/words.yml")
CODE = "\n".join(
    path.read_text("utf-8")
    for folder in ("api", "exchange", "gate", "reports", "web")
    for path in sorted((ROOM / folder).rglob("*"))
    if path.suffix in (".py", ".html", ".md")
)


def choices(model, field):
    """The values of a closed choice of the contract."""

    def literals(annotation):
        for part in typing.get_args(annotation):
            if isinstance(part, str):
                yield part
            else:
                yield from literals(part)

    return set(literals(typing.get_type_hints(model)[field]))


def test_every_entry_has_every_language_and_the_same_blanks():
    for key, texts in TABLE.items():
        assert set(texts) == set(LANGUAGES), key
        blanks = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts.values()]
        assert all(blank == blanks[0] for blank in blanks) or key.endswith("_one"), key


def test_every_word_that_is_asked_for_exists():
    asked = set(re.findall(r'(?:\bwords|\bt|self\.words)(?:\.count)?\(\s*["\']([a-z_]+)["\']', CODE))
    assert len(asked) > 100
    assert {name for name in asked if not name.endswith("_")} <= set(TABLE)


def test_every_entry_is_asked_for():
    for key in TABLE:
        stem = re.sub(r"_one$", "", key)
        prefix = stem.split("_")[0] + "_"
        assert f'"{stem}"' in CODE or f"'{stem}'" in CODE or f'"{prefix}' in CODE or f"'{prefix}" in CODE, key


@pytest.mark.parametrize(
    ("prefix", "model", "field"),
    [
        ("level", findings.Finding, "level"),
        ("confidence", findings.Finding, "confidence"),
        ("consent", findings.Flow, "consent"),
        ("party", findings.Recipient, "party"),
        ("plan", events.Run, "plan"),
        ("device", events.DeviceIdentity, "kind"),
        ("signal", events.Consent, "signal"),
        ("scope", events.Consent, "scope"),
        ("by", events.Consent, "by"),
        ("consent", events.Consent, "status"),
        ("outcome", events.Access, "outcome"),
        ("where", events.Gap, "where"),
        ("why", events.Gap, "why"),
    ],
)
def test_every_choice_of_the_contract_has_words(prefix, model, field):
    names = choices(model, field)
    assert names
    assert {f"{prefix}_{name}" for name in names} <= set(TABLE)


def test_numbers_in_sentences():
    words = Words("en")
    assert words.count("verdict_findings", 1) == "1 finding"
    assert words.count("verdict_findings", 12345) == "12,345 findings"
    assert Words("zh").count("verdict_findings", 1) == "1 项发现"


def test_texts_that_come_in_languages():
    assert Words("zh").of({"en": "a", "zh": "b"}) == "b"
    assert Words("zh").of({"en": "a"}) == "a"
    assert Words("en").of({"zh": "b"}) == "b"
    assert Words("en").of({}) == ""


def test_data_types_are_named_after_the_catalog():
    assert Words("en").data("phone_number") == "phone number"
    assert Words("zh").data("name") == "姓名"
    assert Words("en").data("of_the_future") == "of the future"


def test_control_characters_and_turned_writing_direction_are_taken_out():
    assert plain("a\x1b[31mb\u202ec\rd") == "a\ufffd[31mb\ufffdc\ufffdd"
    assert plain("程华\n\tx") == "程华 \tx"  # no line of its own
