"""What labels choose, by the words of the catalog: a no before a yes, whole labels before phrases."""

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels, normal, normal_label

LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)


KINDS = ("refuse", "basic", "later", "agree", "ambiguous", "closing")
CHOSEN = {
    "agree": [
        "Agree",
        "AGREE  &  CONTINUE",
        "Yes, I agree!",
        "Accept all (5s)",
        "同意（5秒）",
        "同 意 并 继 续",
        "ＡＧＲＥＥ",
    ],
    "refuse": [
        *(
            "不同意",
            "不同意并退出App (3s)",
            "I do not agree with this",
            "Don't agree",
            "Don\u2019t agree",
            "同意しない",
        ),
        *("Continue without accepting →", "동의 안함", "Nur notwendige", "No, thanks"),
    ],
    "basic": ["不同意但继续使用", "Browse only", "Continue as guest"],
    "ambiguous": ["知道了", "Got it!", "OK", "Continue"],
    None: [
        *("OK, show me the map", "Weather", "Privacy policy", "Disagreements", "", "5", "Agree " * 20),
        "By using this app you agree to our terms and to the processing of your data",
    ],
}


@pytest.mark.parametrize(("label", "choice"), [(label, choice) for choice in CHOSEN for label in CHOSEN[choice]])
def test_what_a_label_chooses(label, choice):
    assert LABELS.choice(label) == choice


@pytest.mark.parametrize("kind", KINDS)
def test_every_label_of_the_catalog_is_found_in_its_own_list(kind):
    for words in getattr(LABELS, kind).values():
        assert {word: LABELS.choice(word) for word in words} == dict.fromkeys(words, kind)


def test_no_label_stands_in_two_lists():
    lists = [{normal_label(word) for words in getattr(LABELS, kind).values() for word in words} for kind in KINDS]
    assert sum(map(len, lists)) == len(set.union(*lists))


@pytest.mark.parametrize(
    ("label", "everything"), [("Accept all", True), ("一键同意", True), ("Agree", False), ("Accept all cookies", False)]
)
def test_one_touch_for_everything(label, everything):
    assert LABELS.agrees_to_everything(label) is everything


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("隐私政策更新", True),
        ("Hello: We've updated our Privacy Policy.", True),
        ("用户协议和隐私政策", False),
        ("Privacy policy", False),
        ("", False),
    ],
)
def test_a_dialog_that_says_that_the_policy_changed(text, changed):
    assert LABELS.says_changed(text) is changed


def test_without_words_nothing_is_said():
    assert Labels().choice("Agree") is None
    assert not Labels().says_changed("We have updated our privacy policy")
    assert not Labels().agrees_to_everything("")


def test_the_normal_form():
    assert normal("  Ｉ DON’T  agree… ") == "i dont agree"
    assert normal_label("同意 (10 s)") == "同意"
    assert normal_label("(5)") == "5"
