"""What the label of a button chooses, and the normal form in which labels, headings and texts are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

LONGEST_LABEL = 40
"""Characters of what can be a label or a heading; longer text is prose."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_COUNTDOWN = re.compile(r"[(\uff08\[]?\s*\d+\s*(s|sec|秒|초)?\s*[)\uff09\]]?\s*\Z", re.IGNORECASE)

Words = dict[str, tuple[str, ...]]
"""Labels by language."""
Choice = Literal["refuse", "basic", "later", "agree", "ambiguous", "closing"]
_WHOLE_ONLY = frozenset({"ambiguous", "closing"})
"""Lists whose words mean nothing inside a longer label: "Accept and close" is a yes."""


def normal(text: str) -> str:
    """A text without case, punctuation and width: words with single spaces between them."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    kept = "".join(char if char.isalnum() or char == "&" or _combines(char) else " " for char in folded)
    return " ".join(kept.split())


def _combines(char: str) -> bool:
    """Vowel signs of Hindi and the like, which are part of their word."""
    return unicodedata.category(char).startswith("M")


def normal_label(label: str) -> str:
    """The same for a label, without the countdown at its end."""
    text = unicodedata.normalize("NFKC", label).strip()
    return normal(_COUNTDOWN.sub("", text) or text)


@dataclass(frozen=True)
class Phrases:
    """Phrases to look for in a text in its normal form, longest first."""

    phrases: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Phrases:
        """These words, in their normal form."""
        return cls(tuple(sorted({normal(word) for word in words}, key=len, reverse=True)))

    @classmethod
    def all(cls, words: Words) -> Phrases:
        """The words of all languages."""
        return cls.of(word for language in words.values() for word in language)

    def whole(self, text: str) -> bool:
        """Whether the text is one of them."""
        squeezed = text.replace(" ", "")
        return any(squeezed == phrase.replace(" ", "") for phrase in self.phrases)

    def inside(self, text: str) -> bool:
        """Whether the text has one of them in it."""
        return self.first(text) is not None

    def first(self, text: str) -> str | None:
        """The longest of them that the text has in it."""
        return next((phrase for phrase in self.phrases if _contains(text, phrase)), None)


def _contains(text: str, phrase: str) -> bool:
    """Chinese, Japanese and Korean have no spaces between words; elsewhere a phrase is whole words."""
    if _CJK.search(phrase):
        return phrase.replace(" ", "") in text.replace(" ", "")
    return f" {phrase} " in f" {text} "


def _without(text: str, phrase: str) -> str:
    """What is left of a text when a phrase that it has in it is taken away."""
    if _CJK.search(phrase):
        return text.replace(" ", "").replace(phrase.replace(" ", ""), "")
    return f" {text} ".replace(f" {phrase} ", " ").strip()


class Labels(BaseModel):
    """The lists of catalog/consent.yml by which a consent line is read; what else is there is passed over."""

    model_config = ConfigDict(frozen=True)

    refuse: Words = {}
    basic: Words = {}
    later: Words = {}
    agree: Words = {}
    forced: Words = {}
    ambiguous: Words = {}
    closing: Words = {}
    options: Words = {}
    choices: Words = {}
    changed: Words = {}
    everything: Words = {}
    permission_controllers: tuple[str, ...] = ()

    @cached_property
    def _choices(self) -> dict[Choice, Phrases]:
        return {name: Phrases.all(getattr(self, name)) for name in get_args(Choice)}

    @cached_property
    def _forced(self) -> Phrases:
        return Phrases.all(self.forced)

    @cached_property
    def _everything(self) -> Phrases:
        return Phrases.all(self.everything)

    @cached_property
    def _options(self) -> Phrases:
        return Phrases.all(self.options)

    @cached_property
    def _by_choices(self) -> Phrases:
        return Phrases.all(self.choices)

    @cached_property
    def _changed(self) -> Phrases:
        return Phrases.all(self.changed)

    def choice(self, label: str) -> Choice | None:
        """What a label chooses: the whole label first, then a phrase in it; a no is looked for before a yes, but what
        only says that whoever does not agree must leave is not a no."""
        if label not in self._chosen:
            self._chosen[label] = self._choose(normal_label(label))
        return self._chosen[label]

    @cached_property
    def _chosen(self) -> dict[str, Choice | None]:
        """Labels asked for so far: an app has few, and a long recording shows them thousands of times."""
        return {}

    def forces(self, label: str) -> bool:
        """Whether it is a yes that says besides that whoever does not agree must leave: "Agree or exit"."""
        text = normal_label(label)
        phrase = self._forced.first(text) if len(text) <= LONGEST_LABEL else None
        return phrase is not None and self._choose_plainly(_without(text, phrase)) == "agree"

    def _choose(self, text: str) -> Choice | None:
        if not text or len(text) > LONGEST_LABEL:
            return None
        return "agree" if self.forces(text) else self._choose_plainly(text)

    def _choose_plainly(self, text: str) -> Choice | None:
        for name, phrases in self._choices.items():
            if phrases.whole(text):
                return name
        for name, phrases in self._choices.items():
            if name not in _WHOLE_ONLY and (found := phrases.first(text)):
                # "Manage consent" has "consent" in it and is no yes; "Accept all and customise" is one.
                opens = self._options.first(text) if name == "agree" else None
                return name if opens is None or len(opens) <= len(found) else None
        return None

    def opens_options(self, label: str) -> bool:
        """Whether a touch on it only leads to choices, or to something to read."""
        return self._options.whole(normal_label(label))

    def keeps_choices(self, label: str) -> bool:
        """Whether a touch on it keeps the choices as they are ticked, each for itself."""
        return self._by_choices.whole(normal_label(label))

    def agrees_to_everything(self, label: str) -> bool:
        """Whether one touch on it agrees to all that is asked, whatever that is."""
        return self._everything.whole(normal_label(label))

    def says_changed(self, text: str) -> bool:
        """Whether a dialog with this text says that what was agreed to has changed."""
        return self._changed.inside(normal(text))
