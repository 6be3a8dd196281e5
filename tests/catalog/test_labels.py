"""What labels choose, by the words of the catalog: a no before a yes, whole labels before phrases."""

import pytest

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels, normal, normal_label

LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)


@pytest.mark.parametrize(
    ("label", "choice"),
    [
        ("Agree", "agree"),
        ("AGREE  &  CONTINUE", "agree"),
        ("同意（5秒）", "agree"),
        ("不同意", "refuse"),
        ("不同意并退出App (3s)", "refuse"),
        ("不同意但继续使用", "basic"),
        ("I do not agree with this", "refuse"),
        ("Browse only", "basic"),
        ("知道了", "ambiguous"),
        ("Got it!", "ambiguous"),
        ("OK", "ambiguous"),
        ("OK, show me the map", None),
        ("Weather", None),
        ("", None),
        ("5", None),
        ("Agree " * 20, None),
    ],
)
def test_what_a_label_chooses(label, choice):
    assert LABELS.choice(label) == choice


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
