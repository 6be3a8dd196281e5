"""The model of catalog/consent.yml: what button labels choose, what windows ask, what permissions guard, and what
consent claims mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from appwitness.catalog.entries import CatalogEntry, Pattern
from appwitness.events import Check, ConsentState, DataType, Scope, Window

LONGEST_LABEL = 40
"""Maximum length of a label or heading, in characters; longer text is prose."""
LONGEST_CONTROL = 120
"""Maximum length of a label that also states a consequence, or of the text beside a switch, in characters."""
APART = 30
"""Maximum number of characters that a `…` in a phrase may match."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_COUNTDOWN = re.compile(r"[(\uff08\[]?\s*\d+\s*(s|sec|秒|초)?\s*[)\uff09\]]?\s*\Z", re.IGNORECASE)

_PUNCTUATION = re.compile(r"[,;:.!?()\[\]{}\u3001\u3002\u00b7\u2026|/\u2013\u2014\u2192]+")

GROUP = "android.permission-group."
"""Prefix of the names of permission groups."""
Words = dict[str, tuple[str, ...]]
"""Labels by language."""
Choice = Literal["refuse", "basic", "later", "agree", "ambiguous", "closing"]
Does = Literal["agree", "refuse", "options", "save"]
"""What tapping an element of a consent platform's dialog does."""
MOST_HEADINGS = 64
"""Maximum number of windows whose headings are cached."""
_WHOLE_ONLY = frozenset({"ambiguous", "closing"})
"""Lists whose words only count as a whole label: "Accept and close" is a yes."""


def normal(text: str) -> str:
    """A text in normal form: case, punctuation and character width removed, words separated by single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    kept = "".join(char if char.isalnum() or char == "&" or _combines(char) else " " for char in folded)
    return " ".join(kept.split())


def _combines(char: str) -> bool:
    """Whether it is a combining character, such as a vowel sign in Hindi, which is part of its word."""
    return unicodedata.category(char).startswith("M")


def clauses(text: str) -> tuple[str, ...]:
    """The parts of a text between punctuation marks, each in normal form: "No, reject" has two."""
    return tuple(filter(None, map(normal, _PUNCTUATION.split(unicodedata.normalize("NFKC", text)))))


def normal_label(label: str) -> str:
    """A label in normal form, without a countdown at its end."""
    text = unicodedata.normalize("NFKC", label).strip()
    return normal(_COUNTDOWN.sub("", text) or text)


@dataclass(frozen=True)
class Phrases:
    """Phrases to look for in texts in normal form, longest first."""

    phrases: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Phrases:
        """Phrases from words, which are brought to normal form."""
        return cls(tuple(sorted({normal(word) for word in words}, key=len, reverse=True)))

    @classmethod
    def all(cls, words: Words) -> Phrases:
        """Phrases from the words of all languages."""
        return cls.of(word for language in words.values() for word in language)

    @cached_property
    def _sought(self) -> tuple[tuple[str, str, bool], ...]:
        """Each phrase, the string to look for, and whether to look in the text without its spaces. Chinese, Japanese
        and Korean have no spaces between words; elsewhere a phrase must match whole words."""
        cjk = [bool(_CJK.search(phrase)) for phrase in self.phrases]
        return tuple(
            (phrase, phrase.replace(" ", "") if is_cjk else f" {phrase} ", is_cjk)
            for phrase, is_cjk in zip(self.phrases, cjk, strict=True)
        )

    @cached_property
    def _whole(self) -> frozenset[str]:
        return frozenset(phrase.replace(" ", "") for phrase in self.phrases)

    def whole(self, text: str) -> bool:
        """Whether the text is one of the phrases."""
        return text.replace(" ", "") in self._whole

    def inside(self, text: str) -> bool:
        """Whether the text contains one of the phrases."""
        return self.first(text) is not None

    def first(self, text: str) -> str | None:
        """The longest phrase that the text contains; None when it contains none."""
        spaced, squeezed = f" {text} ", text.replace(" ", "")
        return next((phrase for phrase, sought, cjk in self._sought if sought in (squeezed if cjk else spaced)), None)

    def starts(self, text: str) -> bool:
        """Whether the text begins with one of the phrases."""
        spaced, squeezed = f"{text} ", text.replace(" ", "")
        return any((squeezed if cjk else spaced).startswith(sought.lstrip()) for _, sought, cjk in self._sought)

    def count(self, text: str) -> int:
        """How many phrases the text contains, the longest first; each character counts once."""
        if not self.phrases:
            return 0
        return sum(1 for _ in self._squeezed.finditer(text.replace(" ", ""))) + sum(
            1 for _ in self._spaced.finditer(f" {text} ")
        )

    @cached_property
    def _spaced(self) -> re.Pattern[str]:
        return _any_of(sought.strip() for _, sought, cjk in self._sought if not cjk)

    @cached_property
    def _squeezed(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(sought) for _, sought, cjk in self._sought if cjk) or r"(?!)")


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of these phrases as whole words."""
    words = "|".join(map(re.escape, phrases))
    return re.compile(rf"(?<= )(?:{words})(?= )" if words else r"(?!)")


@dataclass(frozen=True)
class GappedPhrases:
    """Phrases to look for in texts in normal form; `…` in a phrase matches a few words."""

    phrases: tuple[str, ...]

    @classmethod
    def all(cls, words: Words) -> GappedPhrases:
        """The phrases of all languages, longest first."""
        return cls(tuple(sorted({each for language in words.values() for each in language}, key=len, reverse=True)))

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], bool], ...]:
        """A pattern for each phrase, and whether it is for texts without spaces."""
        found = []
        for phrase in self.phrases:
            cjk = bool(_CJK.search(phrase))
            parts = [normal(part) for part in phrase.split("…")]
            if cjk:
                inside = f".{{0,{APART}}}?".join(re.escape(part.replace(" ", "")) for part in parts)
            else:
                inside = rf"(?<= ){f' (?:.{{0,{APART}}}? )??'.join(map(re.escape, parts))}(?= )"
            found.append((re.compile(inside), cjk))
        return tuple(found)

    def rests(self, text: str) -> Iterator[str]:
        """For each phrase that the text contains, the text without it."""
        spaced, squeezed = f" {text} ", text.replace(" ", "")
        for pattern, cjk in self._patterns:
            whole = squeezed if cjk else spaced
            if match := pattern.search(whole):
                yield f"{whole[: match.start()]} {whole[match.end() :]}".strip()


class Negations(CatalogEntry):
    """Words directly before or after a yes or a no that negate it."""

    before: Words = Field(default={}, description="stands before it: not, 不")
    after: Words = Field(default={}, description="stands after it: しない")

    def turn(self, phrase: str, parts: Iterable[str]) -> bool:
        """Whether one of the words is next to the phrase in one of these parts of a label."""
        if phrase not in self._beside:
            beside = [f"{each} {phrase}" for each in self._before] + [f"{phrase} {each}" for each in self._after]
            self._beside[phrase] = Phrases.of(beside)
        return any(map(self._beside[phrase].inside, parts))

    @cached_property
    def _beside(self) -> dict[str, Phrases]:
        """Cache: phrase -> the phrase with each of the words next to it."""
        return {}

    @cached_property
    def _before(self) -> tuple[str, ...]:
        return tuple(word for words in self.before.values() for word in words)

    @cached_property
    def _after(self) -> tuple[str, ...]:
        return tuple(word for words in self.after.values() for word in words)


class ScopePhrases(CatalogEntry):
    """What a question with one of these phrases is about."""

    scope: Scope
    phrases: tuple[str, ...]

    @cached_property
    def sought(self) -> Phrases:
        """The phrases in normal form."""
        return Phrases.of(self.phrases)


class Platform(CatalogEntry):
    """A consent platform, recognised by element ids in its dialogs."""

    name: str
    there: tuple[str, ...]
    agree: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    save: tuple[str, ...] = ()

    def made(self, ids: Container[str]) -> bool:
        """Whether a dialog with these element ids is this platform's."""
        own = (*self.agree, *self.refuse, *self.options, *self.save)
        return any(name in ids for name in self.there) or sum(name in ids for name in own) > 1

    def does(self, name: str | None) -> Does | None:
        """What tapping the element with this id does; None when it is unknown."""
        return next((does for does in get_args(Does) if name in getattr(self, does)), None)


class Says(CatalogEntry):
    """What a value says about consent; a value that matches neither pattern says nothing by itself."""

    given: Pattern | None = Field(default="^(true|1|yes)$", description="found in the value, case aside; None: never")
    refused: Pattern | None = Field(default="^(false|0|no)$", description="the same for a no; it is looked for first")

    def status(self, value: str) -> ConsentState:
        """given or refused; requested when the value does not tell."""
        answers: tuple[tuple[ConsentState, str | None], ...] = (("refused", self.refused), ("given", self.given))
        for status, pattern in answers:
            if pattern is not None and re.search(pattern, value, re.IGNORECASE):
                return status
        return "requested"


class SdkCall(Says):
    """A call by which the app tells an SDK that the user agreed."""

    cls: str = Field(alias="class")
    method: str
    argument: int | None = Field(
        default=None, description="index of what says so, from the end when negative; None: the call itself says so"
    )
    key: str | None = Field(default=None, description="only calls whose first argument is this text")
    scope: Scope = "general_policy"


class PreferenceStore(CatalogEntry):
    """A class that writes preferences, with the methods that take key and value."""

    cls: str = Field(alias="class")
    methods: tuple[str, ...]


class Preference(Says):
    """Keys of a preference store that concern consent."""

    keys: Pattern = Field(description="found in the key, ignoring case")
    signal: Literal["preference", "iab_tcf", "iab_gpp"] = "preference"
    scope: Scope = "general_policy"
    form: Literal["text", "tcf"] = Field(default="text", description="tcf: a TC string, by the purposes agreed to")


class Labels(BaseModel):
    """All of catalog/consent.yml; labels are by language.

    The player that carries out a plan and the judge read screens by the same lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    refuse: Words = {}
    basic: Words = {}
    later: Words = {}
    agree: Words = {}
    negations: Negations = Negations()
    forced: Words = {}
    ambiguous: Words = {}
    closing: Words = {}
    options: Words = {}
    choices: Words = {}
    changed: Words = {}
    everything: Words = {}
    withdraw: Words = {}
    confirms: Words = {}
    cancels: Words = {}
    inverts: Words = {}
    titles: Words = {}
    policy: Words = {}
    keywords: Words = {}
    checkboxes: Words = {}
    scopes: tuple[ScopePhrases, ...] = ()
    platforms: tuple[Platform, ...] = ()
    permission_controllers: tuple[str, ...] = ()
    permissions: dict[str, tuple[DataType, ...]] = {}
    permission_groups: dict[str, tuple[str, ...]] = {}
    sdk_calls: tuple[SdkCall, ...] = ()
    stores: tuple[PreferenceStore, ...] = ()
    preferences: tuple[Preference, ...] = ()

    @cached_property
    def _lists(self) -> dict[str, Phrases]:
        return {
            name: Phrases.all(value)
            for name in type(self).model_fields
            if name not in ("permissions", "permission_groups") and isinstance(value := getattr(self, name), dict)
        }

    # what permissions guard, and what the app claims

    def guarded(self, name: str) -> tuple[DataType, ...] | None:
        """The data types behind a permission, or behind a group `android.permission-group.NAME`; None when it is
        unknown."""
        if name in self.permissions or not name.startswith(GROUP):
            return self.permissions.get(name)
        members = self.permission_groups.get(name.removeprefix(GROUP))
        if members is None:
            return None
        guarded = (self.permissions.get(f"android.permission.{member}", ()) for member in members)
        return tuple(dict.fromkeys(data for kinds in guarded for data in kinds))

    @cached_property
    def calls(self) -> dict[str, SdkCall]:
        """SDK calls by `class.method`."""
        return {f"{call.cls}.{call.method}": call for call in self.sdk_calls}

    def preference(self, key: str) -> Preference | None:
        """The entry for a key of a preference store; None when the key does not concern consent."""
        return next((one for one in self.preferences if re.search(one.keys, key, re.IGNORECASE)), None)

    # what a label chooses

    def choice(self, label: str) -> Choice | None:
        """What a label chooses, by the whole label first, then by a phrase in it. A no is looked for before a yes,
        but "leave if you disagree" alone is not a no. A negated yes is a no; a negated no is ambiguous."""
        if label not in self._chosen:
            self._chosen[label] = self._choose(label)
        return self._chosen[label]

    @cached_property
    def _chosen(self) -> dict[str, Choice | None]:
        """Cache of labels: an app has few, but a long recording shows them thousands of times."""
        return {}

    def forces(self, label: str) -> bool:
        """Whether a label is a yes, and also says that whoever disagrees must leave: "Agree or exit"."""
        text = normal_label(label)
        if len(text) > LONGEST_CONTROL or self._whole(text) is not None:
            return False
        rests = list(self._forced.rests(text))
        return any(self._choose_plainly(rest, (rest,)) == "agree" for rest in rests) or (
            bool(rests) and self._choose_plainly(text, clauses(label)) == "agree"
        )

    @cached_property
    def _forced(self) -> GappedPhrases:
        return GappedPhrases.all(self.forced)

    def _choose(self, label: str) -> Choice | None:
        text = normal_label(label)
        if not text or (len(text) > LONGEST_LABEL and not self.forces(label)):
            return None
        return "agree" if self.forces(label) else self._choose_plainly(text, clauses(label))

    @cached_property
    def _choices(self) -> dict[Choice, Phrases]:
        return {name: self._lists[name] for name in get_args(Choice)}

    def _whole(self, text: str) -> Choice | None:
        return next((name for name, phrases in self._choices.items() if phrases.whole(text)), None)

    def _choose_plainly(self, text: str, parts: tuple[str, ...]) -> Choice | None:
        if whole := self._whole(text):
            return whole
        for name, phrases in self._choices.items():
            if name not in _WHOLE_ONLY and (found := phrases.first(text)):
                if name in ("agree", "refuse") and self.negations.turn(found, parts):
                    return "refuse" if name == "agree" else "ambiguous"
                # "Manage consent" contains "consent" but is no yes; "Accept all and customise" is one.
                opens = self._lists["options"].first(text) if name == "agree" else None
                if name == "agree" and self._takes_back_alone(text):
                    return None
                return name if opens is None or len(opens) <= len(found) else None
        return None

    def opens_options(self, label: str) -> bool:
        """Whether tapping it only leads to choices or to something to read."""
        return self._lists["options"].whole(normal_label(label))

    def keeps_choices(self, label: str) -> bool:
        """Whether tapping it saves the choices as they are set."""
        return self._lists["choices"].whole(normal_label(label))

    def agrees_to_everything(self, label: str) -> bool:
        """Whether one tap on it agrees to everything that is asked."""
        return self._lists["everything"].whole(normal_label(label))

    def withdraws(self, label: str) -> bool:
        """Whether tapping it withdraws consent."""
        text = normal_label(label)
        return text != "" and self._lists["withdraw"].whole(text)

    def asks_to_take_back(self, text: str) -> bool:
        """Whether a text asks to withdraw consent or to turn off a use of data."""
        said = normal(text)
        return self._lists["withdraw"].inside(said) or self.opts_out(text)

    def takes_back(self, window: Window, *, opened: bool) -> str | None:
        """The heading of a window that asks to withdraw consent or to turn off a use of data; None for other windows.

        `opened`: an element for withdrawing was just tapped, so the window need not say what it asks.
        """
        cancels = [label for label in window.labels if self.cancels_taking_back(label)]
        confirms = [label for label in window.labels if label not in cancels and self.confirms_taking_back(label)]
        if not (cancels and confirms) or all(self.choice(label) == "closing" for label in cancels):
            return None
        headings = [text for text in window.texts if 0 < len(normal(text)) <= LONGEST_CONTROL]
        asks = next(filter(self.asks_to_take_back, headings), None)
        if asks is None and opened and self.heading(window) is None:
            return next(iter(headings), "")
        return asks

    def confirms_taking_back(self, label: str) -> bool:
        """Whether tapping this label in a window of `takes_back` withdraws consent."""
        text = normal_label(label)
        if not text or self.cancels_taking_back(label):
            return False
        words = self._lists
        goes_on = self.choice(label) in ("agree", "ambiguous")
        return goes_on or words["confirms"].whole(text) or words["withdraw"].inside(text) or self.opts_out(label)

    def says_cancel(self, label: str) -> bool:
        """Whether a label cancels an action that was begun, whatever the action is: "Cancel"."""
        return self._lists["cancels"].whole(normal_label(label)) and self.choice(label) != "closing"

    def cancels_taking_back(self, label: str) -> bool:
        """Whether tapping this label in a window of `takes_back` leaves everything unchanged."""
        text, words = normal_label(label), self._lists
        if words["cancels"].whole(text):
            return True
        if words["confirms"].whole(text) or words["withdraw"].whole(text):
            return False
        if taken := words["withdraw"].first(text):
            return self.negations.turn(taken, clauses(label))
        return self.choice(label) in ("refuse", "later", "closing") or words["cancels"].starts(text)

    def opts_out(self, label: str) -> bool:
        """Whether a label turns off what it is about (`scope_of`): "Limit ad tracking". Such a label as a whole is
        not a yes."""
        text = normal_label(label)
        if len(text) > LONGEST_CONTROL or self.scope_of(label) is None:
            return False
        return self._lists["inverts"].count(text) % 2 == 1

    def allows(self, check: Check) -> bool:
        """Whether a checkbox or switch in its present state allows what it is about."""
        return check.checked != self.opts_out(check.text)

    def speaks_of_taking_back(self, label: str) -> bool:
        """Whether a label has words for withdrawing consent and does not negate them."""
        text = normal_label(label)
        return len(text) <= LONGEST_CONTROL and self._takes_back_alone(text) and not self.cancels_taking_back(label)

    def _takes_back_alone(self, text: str) -> bool:
        """Whether a text has words for withdrawing consent and no yes besides them: "Agree (you can withdraw consent
        at any time)" is a yes."""
        phrase = self._lists["withdraw"].first(text)
        if phrase is None:
            return False
        squeezed = bool(_CJK.search(phrase))
        whole, part = (text.replace(" ", ""), phrase.replace(" ", "")) if squeezed else (f" {text} ", f" {phrase} ")
        return not self._lists["agree"].inside(whole.replace(part, " ", 1).strip())

    def says_changed(self, text: str) -> bool:
        """Whether a dialog with this text says that the terms agreed to have changed."""
        return self._lists["changed"].inside(normal(text))

    # what a window asks

    def asks(self, window: Window, *, second_layer: bool = False) -> str | None:
        """The heading of a window that asks for consent and can be answered there; None for other windows.

        `second_layer`: its choices were opened, so the window need not say what it asks.
        """
        title = self.heading(window) if self._answers(window) or self.boxes(window) else None
        if title is None and (window.labels or window.checks):
            refusable = any(self.choice(each) == "refuse" or self.keeps_choices(each) for each in window.labels)
            if self.platform(window) or (second_layer and refusable):
                return next(iter(window.texts), "")[:LONGEST_LABEL]
        return title

    def heading(self, window: Window) -> str | None:
        """The heading of a window that asks for consent; None when it does not."""
        if window not in self._headings:
            if len(self._headings) >= MOST_HEADINGS:
                self._headings.clear()
            self._headings[window] = self._heading(window)
        return self._headings[window]

    @cached_property
    def _headings(self) -> dict[Window, str | None]:
        """Cache of windows: each tap is recorded with the whole window."""
        return {}

    def _heading(self, window: Window) -> str | None:
        headings = [text for text in window.texts if 0 < len(normal(text)) <= LONGEST_LABEL]
        if any(self._lists["withdraw"].inside(normal(text)) for text in headings) or self._takes_back(window):
            return None
        for text in headings:
            if self._lists["titles"].inside(normal(text)):
                return text
        about = any(self._lists["keywords"].inside(normal(text)) for text in (*window.texts, *window.labels))
        if about and self._answers(window):
            return headings[0] if headings else next(iter(window.texts), "")[:LONGEST_LABEL]
        return None

    def _takes_back(self, window: Window) -> bool:
        """Whether a window is a settings page or asks about withdrawal: it has a button for withdrawing, and no
        other for a yes."""
        back = [label for label in window.labels if self.withdraws(label)]
        return bool(back) and not any(self.choice(label) == "agree" for label in window.labels if label not in back)

    def _answers(self, window: Window) -> bool:
        return bool({self.choice(label) for label in window.labels} & {"agree", "refuse", "basic", "later"})

    def platform(self, window: Window) -> Platform | None:
        """The consent platform that made a window, by element ids; None when there is none."""
        return next((each for each in self.platforms if each.made(window.ids)), None) if window.ids else None

    def boxes(self, window: Window) -> list[Check]:
        """The window's checkboxes that must be ticked before a yes counts."""
        return [check for check in window.checks if self.is_box(check.text)]

    def is_box(self, text: str) -> bool:
        """Whether a checkbox with this text must be ticked before a yes counts."""
        return self._lists["checkboxes"].inside(normal(text))

    def offered(self, window: Window) -> dict[Scope, Check]:
        """The separate choices that a window offers besides its buttons: a checkbox or switch for each scope, shown
        as checked if it allows the scope."""
        boxes = self.boxes(window)
        offered: dict[Scope, Check] = {}
        for check in window.checks:
            scope = self.scope_of(check.text)
            if scope is not None and check not in boxes:
                offered.setdefault(scope, msgspec.structs.replace(check, checked=self.allows(check)))
        return offered

    def scope(self, window: Window, title: str) -> Scope:
        """The scope of a window's question: the title's scope, or else the text's. A text about the policy as a whole
        mentions everything, so its scope is the policy."""
        own = self.scope_of(title)
        if own is not None:
            return own
        text = normal(" ".join((*window.texts, *(check.text for check in self.boxes(window)))))
        if self._lists["policy"].inside(text):
            return "general_policy"
        return self.scope_of(text) or "general_policy"

    def scope_of(self, text: str) -> Scope | None:
        """The scope of a text; None when it is the policy as a whole."""
        return next((each.scope for each in self.scopes if each.sought.inside(normal(text))), None)

    def title_with_change(self, window: Window, title: str) -> str:
        """The title, followed by the phrase that says that the policy changed, if only the text has such a phrase."""
        changed = self._lists["changed"]
        if changed.inside(normal(title)):
            return title
        phrase = next((found for text in window.texts if (found := changed.first(normal(text)))), None)
        return title if phrase is None else f"{title}: {phrase}"
