"""What an app makes up is looked through in time that grows with its length alone."""

import pytest

from appwitness.support import vocabulary


@pytest.mark.timeout(30)
@pytest.mark.parametrize("unit", ["A", "1", "a1", "a.", "A_", "+", "éa"])
def test_a_text_of_one_long_run_is_looked_through_once(unit):
    for way in (vocabulary.sifted, vocabulary.told, vocabulary.permission):
        assert way(unit * 200_000, lambda _: "*")


def test_the_name_before_an_at_sign_is_hidden_as_a_whole():
    assert vocabulary.sifted("mail to jane.doe+x@example", lambda _: "*") == "mail to *@*"
    assert vocabulary.sifted("a@b@c", lambda _: "*") == vocabulary.sifted("x@y@z", lambda _: "*")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the app was observed for 1.9 s", "the app was observed for 1.9 s"),
        ("the app's run", "the app's run"),
        ("the app’s run", "the app’s run"),
        ("s", "*"),
        ("s e c r e t 5s", "* * * * * * *"),
    ],
)
def test_an_s_is_kept_as_a_unit_and_behind_an_apostrophe(text, shown):
    assert vocabulary.told(text, lambda _: "*") == shown
