"""A set of texts kept as hashes: the texts that were added are in it, and others are not."""

from hypothesis import given
from hypothesis import strategies as st

from appwitness.findings.hashed_texts import HashedTexts


@given(st.lists(st.lists(st.text(max_size=3), max_size=4), max_size=5), st.text(max_size=3))
def test_it_holds_what_was_added(parts, other):
    texts = HashedTexts()
    for part in parts:
        texts.update(part)
        assert all(text in texts for text in part)
    added = {text for part in parts for text in part}
    assert all(text in texts for text in added)
    assert (other in texts) == (other in added)


def test_it_holds_many_however_they_are_added():
    texts = HashedTexts()
    for number in range(0, 20_000, 100):
        texts.update(str(each) for each in range(number, number + 150))
        assert str(number) in texts
    assert all(str(number) in texts for number in range(20_000))
    assert not any(str(number) in texts for number in range(30_000, 40_000))
