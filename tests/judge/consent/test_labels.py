"""What a touch on each label of the catalog comes to, in every language, whatever status the line was given."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Consent
from appwitness.events.seen import see
from appwitness.judge.consent import Timeline

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
LANGUAGES = {"zh", "en", "de", "fr", "ja", "ko", "es", "pt", "it", "ru", "ar", "hi"}
LISTS = {"refuse": "refused", "basic": "basic_only", "later": "dismissed", "closing": "dismissed", "agree": "given"}
WRITTEN = ("{}", "{} (5s)", "{}!", " {} ")


def touched(label, status, **fields):
    lines = [
        Consent(at=START, signal="dialog", status="requested", by="app"),
        Consent(
            at=START + timedelta(seconds=1), **{"signal": "tap", "by": "user", **fields}, status=status, text=label
        ),
    ]
    told = Timeline([see(f"consents.jsonl:{number}", line, 0) for number, line in enumerate(lines, 1)], labels=LABELS)
    return told.at(START + timedelta(seconds=2)).state, told.readings()[-1].why


@pytest.mark.parametrize("name", LISTS)
def test_a_touch_on_a_label_is_what_its_list_says(name):
    words = [word for language in getattr(LABELS, name).values() for word in language]
    for word, written in product(words, WRITTEN):
        label = written.format(word)
        for status in ("given",) if name == "agree" else ("given", "refused"):
            assert touched(label, status)[0] == LISTS[name], (label, status)
        assert touched(label.upper(), "given")[0] == LISTS[name], label


@pytest.mark.parametrize("name", ["refuse", "later", "agree", "closing"])
def test_a_list_has_all_languages(name):
    assert set(getattr(LABELS, name)) == LANGUAGES


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_yes_that_says_that_whoever_does_not_agree_must_leave_is_one_under_pressure(language):
    for word, or_else in product(LABELS.agree[language], LABELS.forced[language]):
        for label in (f"{word}({or_else})", f"{word}, {or_else}"):
            assert touched(label, "given") == ("given", "forced"), label


SAID = [
    ("稍后再说", "dismissed"),
    ("以后再说", "dismissed"),
    ("关闭", "dismissed"),
    ("跳过", "dismissed"),
    ("Skip", "dismissed"),
    ("Maybe later", "dismissed"),
    ("Not now", "dismissed"),
    ("Agree later", "dismissed"),
    ("I'll agree later", "dismissed"),
    ("稍后同意", "dismissed"),
    ("Continue without an account", "dismissed"),
    ("Continue without accepting", "refused"),
    ("Continue without consent", "refused"),
    ("No thanks, maybe later", "refused"),
    ("Accept & close", "given"),
    ("Accepter & Fermer", "given"),
    ("同意并关闭", "given"),
    ("同意(不同意请退出)", "given"),
    ("同意（不同意请退出）", "given"),
    ("Agree or exit", "given"),
    ("不同意请退出", "refused"),
    ("不同意并退出", "refused"),
    ("Exit", "refused"),
    ("关闭个性化推荐", "given"),
]


@pytest.mark.parametrize(("label", "state"), SAID)
def test_a_label_in_so_many_words(label, state):
    assert touched(label, "given")[0] == state


@pytest.mark.parametrize("fields", [{"signal": "operator", "by": "operator"}, {"signal": "dialog"}])
def test_whoever_noted_the_touch(fields):
    assert touched("Not now", "refused", **fields)[0] == "dismissed"


def test_putting_off_changes_no_answer():
    lines = [
        Consent(at=START, signal="tap", status="refused", by="user", text="Disagree"),
        Consent(at=START + timedelta(seconds=1), signal="tap", status="given", by="user", text="Later"),
    ]
    told = Timeline([see(f"consents.jsonl:{number}", line, 0) for number, line in enumerate(lines, 1)], labels=LABELS)
    assert told.at(START + timedelta(seconds=2)).state == "refused"


def test_the_heading_of_a_dialog_is_no_label():
    line = Consent(at=START, signal="dialog", status="requested", by="app", text="Later")
    assert Timeline([see("consents.jsonl:1", line, 0)], labels=LABELS).at(START).state == "requested"
