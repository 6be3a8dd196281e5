"""Sentences on what the user had decided: every state has its own, in both languages."""

from typing import get_args

from appwitness.findings import ConsentName
from appwitness.judge.rules.sentences.decided import SEPARATE


def test_every_state_of_a_separate_consent_has_a_sentence_in_both_languages():
    assert set(SEPARATE) == set(get_args(ConsentName))
    for texts in SEPARATE.values():
        assert all("{about}" in texts[language] for language in ("en", "zh"))
