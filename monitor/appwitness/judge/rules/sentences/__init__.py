"""The words that a rule's `detail` may use, in English and Chinese: a finding states facts in one sentence.

It never contains a personal value or a verdict: "no consent event was observed before that", not what a judge would
conclude from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import Formatter

from appwitness.judge.rules.sentences.circumstances import app_type, capture, country, often, phase
from appwitness.judge.rules.sentences.claimed import claim, record
from appwitness.judge.rules.sentences.decided import SCOPES, against, consent, separate, type_unknown
from appwitness.judge.rules.sentences.observed import (
    also,
    callers,
    entries,
    forms,
    moment,
    reads,
    recipient,
    rows,
    sent,
    shortcomings,
    simultaneous,
    speaker,
    untied,
    when,
)
from appwitness.judge.rules.sentences.questions import label, notice, permissions, question, stopped
from appwitness.judge.rules.translations import Language

__all__ = [
    "NEEDS",
    "SCOPES",
    "WORDS",
    "against",
    "also",
    "app_type",
    "callers",
    "capture",
    "claim",
    "consent",
    "country",
    "entries",
    "filled",
    "forms",
    "label",
    "moment",
    "notice",
    "often",
    "permissions",
    "phase",
    "question",
    "reads",
    "recipient",
    "record",
    "rows",
    "sent",
    "separate",
    "shortcomings",
    "simultaneous",
    "speaker",
    "stopped",
    "type_unknown",
    "untied",
    "used_words",
    "when",
]

_MEET = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]")
_WHEN = "how often and when: `at ...`, `3 times (one of them at ...)`"
_CONSENT = "what the user had been asked and had decided by then"
_SEPARATE = "what the user had decided in the scope that `separate` names"
_BOTH = {
    "data": "name of the kind of data",
    "when": _WHEN,
    "consent": _CONSENT,
    "separate": _SEPARATE,
    "phase": "that the app was in the background, the screen off, or the app not opened yet",
    "app_type": "the app's type, and that its necessary scope does not name the kind of data",
}
WORDS: dict[str, dict[str, str]] = {
    "access": {
        **_BOTH,
        "source": "the API",
        "entries": "how many rows the API gave, in brackets; nothing where it gave single values",
        "caller": "the app's or an SDK's code that called, each named once, in brackets; nothing where no stack tells",
        "often": "how many calls in how long, by whom; which preset that exceeds and whose it is",
        "capture": "how many uploads were captured without it",
    },
    "flow": {
        **_BOTH,
        "sent": "that the app sent it, tried to, or that it is not known which app did: the beginning of a sentence",
        "recipient": "host, name and party",
        "rows": "how many of the entries that were read were found in the uploads",
        "whose": "whose data of how many people, and which of their details; of other rows, how many of them",
        "forms": "what the values had been turned into: plain, sha256 ...",
        "country": "where the recipient is registered, and which territory was given",
        "record": "the app's own word that there is no consent: what it was, where, and since when",
        "also": "the other kinds of data in the same upload that `with` names",
    },
    "consent": {
        "text": "the label, title or permission, in quotation marks; nothing where the line has none",
        "question": "for which permission, or in which dialog",
        "when": _WHEN,
        "consent": "what the user had been asked and had decided just before",
        "permissions": "the permissions that were asked for at once",
        "notice": "when a notice was first shown afterwards, or that none was shown in the run",
        "end": "how soon the app ended",
    },
    "claim": {
        "claim": "what was claimed, where, and in which words",
        "speaker": "the app, or that it is not known which app did: the beginning of a sentence",
        "when": _WHEN,
        "consent": _CONSENT,
        "separate": _SEPARATE,
    },
    "run": {
        "reads": "how many accesses to which kinds of data there were, and when the first was",
        "unseen": "the kinds of data that policy.yml names and of which nothing was observed",
    },
}
"""The words that a rule's `detail` may use, by what the rule judges, with their meanings."""

NEEDS: dict[str, str] = {
    "separate": "separate",
    "phase": "phase",
    "app_type": "scope",
    "often": "often",
    "capture": "sent",
    "country": "abroad",
    "record": "record",
    "also": "with_",
    "permissions": "together",
    "notice": "purpose",
    "end": "ended_within_s",
    "unseen": "never_seen",
}
"""Words that only a rule with a certain condition may use."""


def filled(template: str, words: Mapping[str, Callable[[], str]], language: Language) -> str:
    """The template with its words filled in, on one line; in Chinese, with a space between a Chinese character and a
    Latin letter or digit."""
    text = ""
    for literal, name, _, _ in Formatter().parse(template):
        for piece in (literal, words[name]() if name is not None else ""):
            apart = language == "zh" and _MEET.fullmatch(f"{text[-1:]}{piece[:1]}")
            text += f" {piece}" if apart else piece
    return text.replace("\n", " ")


def used_words(template: str) -> list[str]:
    """The words in braces of a template, with everything in the braces: `data`, but also `data!r` or `data:>9`,
    which templates may not use. Raises ValueError if the braces do not pair."""
    return [
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in Formatter().parse(template)
        if name is not None
    ]
