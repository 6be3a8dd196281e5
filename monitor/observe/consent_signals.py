"""Decides what a dialog, a tap or an answered permission says of consent; pure, by catalog/consent.yml."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from monitor import catalog
from monitor.events import Consent, DataType, Scope, Time

LONGEST_LABEL = 40
"""Characters of what can be a label or a heading; longer text is prose."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_COUNTDOWN = re.compile(r"[(\uff08\[]?\s*\d+\s*(s|sec|秒|초)?\s*[)\uff09\]]?\s*\Z", re.IGNORECASE)

Words = dict[str, tuple[str, ...]]
Choice = Literal["refuse", "basic", "agree", "ambiguous"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopePhrases(_Entry):
    """What a dialog with one of the phrases is about."""

    scope: Scope
    phrases: tuple[str, ...]


class SdkCall(_Entry):
    """A call by which the app tells an SDK that the user agreed."""

    cls: str = Field(alias="class")
    method: str
    argument: int | None = Field(default=None, description="index of the bool; None: the call itself says so")


class ConsentWords(_Entry):
    """catalog/consent.yml; labels by language."""

    refuse: Words
    basic: Words
    agree: Words
    ambiguous: Words
    withdraw: Words
    titles: Words
    keywords: Words
    checkboxes: Words
    scopes: tuple[ScopePhrases, ...]
    permissions: dict[str, tuple[DataType, ...]]
    sdk_calls: tuple[SdkCall, ...]


def load(path: Path | None = None) -> ConsentWords:
    """The catalog's consent.yml, or another file of that shape. Raises FileError with the line."""
    return catalog.parse(path or catalog.HERE / "consent.yml", ConsentWords)


def normal(text: str) -> str:
    """A text without case, punctuation and width: words with single spaces between them."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    kept = "".join(char if char.isalnum() or char == "&" else " " for char in folded)
    return " ".join(kept.split())


def normal_label(label: str) -> str:
    """The same for a label, without the countdown at its end."""
    text = unicodedata.normalize("NFKC", label).strip()
    return normal(_COUNTDOWN.sub("", text) or text)


@dataclass(frozen=True)
class _Phrases:
    """Phrases to look for, longest first."""

    phrases: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> _Phrases:
        return cls(tuple(sorted({normal(word) for word in words}, key=len, reverse=True)))

    def whole(self, text: str) -> bool:
        squeezed = text.replace(" ", "")
        return any(squeezed == phrase.replace(" ", "") for phrase in self.phrases)

    def inside(self, text: str) -> bool:
        return any(_contains(text, phrase) for phrase in self.phrases)


def _contains(text: str, phrase: str) -> bool:
    """Chinese, Japanese and Korean have no spaces between words; elsewhere a phrase is whole words."""
    if _CJK.search(phrase):
        return phrase.replace(" ", "") in text.replace(" ", "")
    return f" {phrase} " in f" {text} "


# The facts that the agent sends (hooks/consent.ts).


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: Time
    app: str | None = None
    pid: int | None = None
    stack: tuple[str, ...] = ()


class Check(BaseModel):
    """A box to tick."""

    text: str
    checked: bool


class _Screen(_Fact):
    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


class DialogShown(_Screen):
    """A dialog came up."""

    fact: Literal["dialog"]
    id: int


class DialogClosed(_Fact):
    """A dialog went away: `cancel` is the back key or a touch beside it."""

    fact: Literal["closed"]
    id: int
    how: Literal["dismiss", "cancel"]


class Tapped(_Screen):
    """A view was clicked; `input` when a finger or a key did it. Texts and labels are those of its window."""

    fact: Literal["tap"]
    label: str
    input: bool


class PermissionsAsked(_Fact):
    """The app asked for Android permissions."""

    fact: Literal["permissions_asked"]
    permissions: tuple[str, ...]


class PermissionsAnswered(_Fact):
    """The user answered."""

    fact: Literal["permissions_answered"]
    permissions: tuple[str, ...]
    granted: tuple[bool, ...]


class SdkCalled(_Fact):
    """The app called an SDK's consent API."""

    fact: Literal["sdk_call"]
    api: str
    value: str | None


Fact = DialogShown | DialogClosed | Tapped | PermissionsAsked | PermissionsAnswered | SdkCalled
_facts: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="fact")])


@dataclass
class _Open:
    """A consent dialog on the screen."""

    scope: Scope
    title: str
    decided: bool = False


class Signals:
    """Turns facts into consent events, in the order in which they come."""

    def __init__(self, words: ConsentWords | None = None) -> None:
        self._words = words or load()
        self._choices: dict[Choice, _Phrases] = {name: _all(getattr(self._words, name)) for name in get_args(Choice)}
        self._withdraw = _all(self._words.withdraw)
        self._titles = _all(self._words.titles)
        self._keywords = _all(self._words.keywords)
        self._checkboxes = _all(self._words.checkboxes)
        self._scopes = [(entry.scope, _Phrases.of(entry.phrases)) for entry in self._words.scopes]
        self._open: dict[int, _Open] = {}

    def sdk_calls(self) -> list[dict[str, Any]]:
        """The SDK calls to hook, as the agent takes them."""
        return [call.model_dump() for call in self._words.sdk_calls]

    def feed(self, fact: Mapping[str, Any]) -> Sequence[Consent]:
        """What one fact says. Raises pydantic's ValidationError when it is not one of those above."""
        match _facts.validate_python(dict(fact)):
            case DialogShown() as shown:
                return self._dialog(shown)
            case DialogClosed() as closed:
                return self._closed(closed)
            case Tapped() as tap:
                return self._tap(tap)
            case PermissionsAsked() as asked:
                return [self._permission(asked, name, None) for name in asked.permissions]
            case PermissionsAnswered() as answered:
                pairs = zip(answered.permissions, answered.granted, strict=False)
                return [self._permission(answered, name, granted) for name, granted in pairs]
            case SdkCalled() as called:
                return self._sdk(called)

    def choice(self, label: str) -> Choice | None:
        """What a label chooses: the whole label first, then a phrase in it; a no is looked for before a yes."""
        text = normal_label(label)
        if not text or len(text) > LONGEST_LABEL:
            return None
        for name, phrases in self._choices.items():
            if phrases.whole(text):
                return name
        for name, phrases in self._choices.items():
            if name != "ambiguous" and phrases.inside(text):
                return name
        return None

    def _dialog(self, shown: DialogShown) -> list[Consent]:
        title = self._title(shown)
        if title is None:
            return []
        scope = self._scope(shown)
        self._open[shown.id] = _Open(scope, title)
        return [_consent(shown, signal="dialog", status="requested", scope=scope, by="app", text=title)]

    def _title(self, screen: _Screen) -> str | None:
        """The heading of a screen that asks for consent, or None when it does not."""
        headings = [text for text in screen.texts if 0 < len(normal(text)) <= LONGEST_LABEL]
        for text in headings:
            if self._titles.inside(normal(text)):
                return text
        about = any(self._keywords.inside(normal(text)) for text in (*screen.texts, *screen.labels))
        asks = {self.choice(label) for label in screen.labels} & {"agree", "refuse", "basic"}
        if about and asks:
            return headings[0] if headings else next(iter(screen.texts), "")[:LONGEST_LABEL]
        return None

    def _scope(self, screen: _Screen) -> Scope:
        text = normal(" ".join((*screen.texts, *(check.text for check in screen.checks))))
        return next((scope for scope, phrases in self._scopes if phrases.inside(text)), "general_policy")

    def _closed(self, closed: DialogClosed) -> list[Consent]:
        dialog = self._open.pop(closed.id, None)
        if dialog is None or dialog.decided:
            return []
        by: Literal["user", "app"] = "user" if closed.how == "cancel" else "app"
        return [_consent(closed, signal="dialog", status="dismissed", scope=dialog.scope, by=by, text=dialog.title)]

    def _tap(self, tap: Tapped) -> list[Consent]:
        by: Literal["user", "app"] = "user" if tap.input else "app"
        text = normal_label(tap.label)
        title = self._title(tap)
        if title is None:
            if text and self._withdraw.whole(text):
                return [_consent(tap, signal="tap", status="withdrawn", by=by, text=tap.label)]
            return []
        scope = self._scope(tap)
        choice = self.choice(tap.label)
        unticked = [check.text for check in tap.checks if not check.checked and self._asks(check)]
        note = None
        status: Literal["given", "refused", "requested"]
        match choice:
            case "agree" if unticked:
                status, note = "requested", f"the box beside {unticked[0]!r} was not ticked"
            case "agree":
                status = "given"
            case "refuse":
                status = "refused"
            case "basic":
                status, note = "refused", "basic function only"
            case "ambiguous":
                status, note = "requested", "not a clear yes or no"
            case None:
                return []
        if status != "requested":
            for dialog in self._open.values():
                dialog.decided = dialog.decided or dialog.title == title
        return [_consent(tap, signal="tap", status=status, scope=scope, by=by, text=tap.label, note=note)]

    def _asks(self, check: Check) -> bool:
        return self._checkboxes.inside(normal(check.text))

    def _permission(self, fact: PermissionsAsked | PermissionsAnswered, name: str, granted: bool | None) -> Consent:
        data = self._words.permissions.get(name)
        return _consent(
            fact,
            signal="permission_prompt" if granted is None else "permission_result",
            status="requested" if granted is None else "given" if granted else "refused",
            scope="system_permission",
            by="app" if granted is None else "user",
            text=name,
            data=data,
        )

    def _sdk(self, called: SdkCalled) -> list[Consent]:
        if called.value not in {"true", "false"}:
            return []
        status: Literal["given", "refused"] = "given" if called.value == "true" else "refused"
        return [_consent(called, signal="sdk_call", status=status, by="app", text=called.api)]


def _all(words: Words) -> _Phrases:
    return _Phrases.of(word for language in words.values() for word in language)


def _consent(fact: _Fact, **fields: Any) -> Consent:
    return Consent(at=fact.at, app=fact.app, pid=fact.pid, stack=fact.stack, **fields)
