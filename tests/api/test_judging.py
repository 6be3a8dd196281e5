"""Programs read recordings into the index: one, many, and one that is being made."""

import pytest

from appwitness.api.archiving import pack
from appwitness.api.judging import judging
from appwitness.correlate import Outcome
from appwitness.support.errors import UserError
from tests.api.given import ended
from tests.recordings.written import RECORDINGS

SHOWS, CLEAN = RECORDINGS / "sent-after-refusal", RECORDINGS / "clean-untouched"
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def test_each_of_many_is_judged_once_and_what_goes_wrong_stops_no_other(tmp_path):
    by = judging(db=str(tmp_path / "index.sqlite"))
    made = {one.path: one for one in by.many([SHOWS, tmp_path / "none", CLEAN, SHOWS])}
    assert len(made) == 3
    assert made[SHOWS].levels == {"high": 2}
    assert not made[CLEAN].levels
    assert isinstance(made[tmp_path / "none"].error, UserError)


def test_what_is_encrypted_comes_into_no_index_that_nobody_named(tmp_path):
    secret = pack(ended(tmp_path / "run"), encrypt_to=[RECIPIENT]).file
    with pytest.raises(UserError, match="is encrypted, and the index stores values in plain text"):
        judging().many([CLEAN, secret])


def test_a_recording_is_followed_until_its_end(tmp_path):
    by = judging(db="sqlite://")
    told: list[Outcome] = []
    outcome = by.follow(SHOWS, lambda: False, told.append)
    assert {finding.rule for finding in outcome.findings} == {"read-before-consent", "sent-after-refusal"}
    assert by.correlate(SHOWS).findings == outcome.findings
    assert told
    assert told[-1].findings == outcome.findings


@pytest.mark.parametrize(("laws", "lang"), [((), "en"), (("cn", "eu"), "zh"), (("eu", "cn"), "en")])
def test_the_first_law_says_in_which_language_letters_are(laws, lang):
    assert judging(laws=laws).letters_lang == lang
