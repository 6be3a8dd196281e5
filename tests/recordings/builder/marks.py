"""Marks of an operator that are corrected afterwards: before and after the correction."""

from __future__ import annotations

from collections.abc import Iterator

from tests.recordings.builder.case import Case
from tests.recordings.builder.reads import NUMBER, PHONE


def _marked(name: str, why: str) -> Case:
    return (
        Case(name, why, plan="free")
        .marked(1, "requested", "the policy is on the screen")
        .marked(2, "given", "tapped the button on the right")
        .read(5, NUMBER, "com.example.shop.Login.prefill(Login.java:31)")
        .sent(
            6,
            "https://api.shop.test/v1/login",
            {"phone": PHONE},
            how="gzip",
            by="com.example.shop.Api.post(Api.java:52)",
        )
    )


def cases() -> Iterator[Case]:
    """All of this module."""
    yield _marked("mark-not-yet-corrected", "The operator noted that the user agreed; the number is read and sent.")
    yield (
        _marked(
            "mark-corrected",
            "The same run: the video shows a refusal, and a line that is appended later replaces the mark.",
        )
        .marked(
            2, "refused", "corrected: the button on the right is Disagree, see the video", corrects="consents.jsonl:2"
        )
        .finds("read-after-refusal", "high", "proven", "phone_number", evidence=["consents.jsonl:3"])
        .finds("sent-after-refusal", "high", "proven", "phone_number", "api.shop.test", evidence=["consents.jsonl:3"])
    )
    yield (
        _marked(
            "mark-corrected-twice",
            "The correction was wrong, and is corrected in its turn; its own time, a minute later, does not matter.",
        )
        .marked(2, "refused", "corrected: the button on the right is Disagree", corrects="consents.jsonl:2")
        .marked(2, "given", "corrected: it was Agree after all, the picture was mirrored", corrects="consents.jsonl:3")
    )
    yield (
        _marked(
            "mark-moved",
            "The user agreed, but later than noted: the corrected line has another time, after the read and the "
            "upload.",
        )
        .marked(9, "given", "corrected: at 9 s, see the video", corrects="consents.jsonl:2")
        .finds("read-before-consent", "medium", "proven", "phone_number", evidence=["consents.jsonl:3"])
        .finds("sent-before-consent", "high", "proven", "phone_number", "api.shop.test", evidence=["consents.jsonl:3"])
    )
