"""Decides what a screen asks and what a plan taps there, from uiautomator's hierarchy; pure."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from appwitness.agent.consent_signals import load
from appwitness.catalog import editions, yaml_files
from appwitness.catalog.entries import CatalogEntry
from appwitness.catalog.labels import LONGEST_LABEL, Does, Labels, Phrases, Platform, Words, normal, normal_label
from appwitness.devices.android.screen.hierarchy import Button, SeenWindow
from appwitness.events import Check

Plan = Literal["accept", "refuse", "silent", "withdraw", "free"]
Kind = Literal["permission", "consent", "system", "other"]
Answer = Literal["given", "refused", "withdrawn"]
SETTINGS_PAGE = "the page of a permission in Settings, where the app led"
Touch = Literal["allow", "once", "deny"]
"""The effect of a button in a permission dialog."""


class PermissionGroup(CatalogEntry):
    """A group of permissions, as the system asks for them."""

    name: str
    words: Words


class _PermissionEntry(CatalogEntry):
    buttons: dict[Touch, tuple[str, ...]]
    messages: tuple[str, ...]
    words: dict[Touch, Words]
    groups: tuple[PermissionGroup, ...]


class _System(CatalogEntry):
    id: str
    name: str


class _Notice(CatalogEntry):
    name: str
    packages: tuple[str, ...]
    ids: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = Field(default=(), alias="not")
    touch: tuple[str, ...] = ()
    labels: Words = Field(default_factory=dict)
    avoid: Words = Field(default_factory=dict)

    def fits(self, seen: SeenWindow) -> bool:
        """Whether a window shows this notice."""
        if seen.package not in self.packages or seen.ids & set(self.never) or not set(self.ids) <= seen.ids:
            return False
        return not self.says or any(word in text for word in self.says for text in seen.texts)

    def button(self, seen: SeenWindow) -> Button | None:
        """The button that lets the app continue; None: no button there is known to do so."""
        avoid = Phrases.all(self.avoid) if self.avoid else None
        left = [each for each in seen.buttons if avoid is None or not avoid.inside(normal(each.label))]
        by_id = [each for name in self.touch for each in left if each.node.id == name]
        wanted = [normal(word) for words in self.labels.values() for word in words]
        by_label = [each for word in wanted for each in left if normal_label(each.label) == word]
        return next(iter((*by_id, *by_label)), None)


class _Review(CatalogEntry):
    goes_on: str
    cancels: str


class KnownDialogs(CatalogEntry):
    """catalog/devices/dialogs.yml."""

    permission: _PermissionEntry
    system: tuple[_System, ...]
    notices: tuple[_Notice, ...]
    review: _Review
    settings_page: tuple[str, ...]
    dialog_ids: tuple[str, ...]
    way_back: Words


@functools.cache
def known() -> KnownDialogs:
    """The known dialogs in the catalog. Raises FileError with the line."""
    return yaml_files.parse(editions.file("devices/dialogs.yml"), KnownDialogs)


def _consent() -> Labels:
    return load()


@functools.cache
def _phrases(touch: Touch) -> Phrases:
    return Phrases.all(known().permission.words[touch])


@functools.cache
def _groups() -> tuple[tuple[PermissionGroup, Phrases], ...]:
    return tuple((group, Phrases.all(group.words)) for group in known().permission.groups)


@functools.cache
def _refusals() -> dict[str, int]:
    """Label -> position in its language's list in consent.yml, which begins with the clearest refusal."""
    return {normal(word): at for words in _consent().refuse.values() for at, word in enumerate(words)}


@dataclass(frozen=True)
class Dialog:
    """What a screen asks."""

    kind: Kind
    seen: SeenWindow
    title: str
    group: PermissionGroup | None = None
    """The permission's group; None if the dialog's words are unknown."""
    platform: Platform | None = None
    notice: _Notice | None = None


@dataclass(frozen=True)
class Decision:
    """The action taken on a dialog."""

    act: Literal["tap", "back", "leave"]
    why: str
    button: Button | None = None
    answer: Answer | None = None
    """The answer that the action gives; None: it is only a step towards one, or no answer at all."""
    uncertain: bool = False
    """Whether no button there is known to do what the plan wants."""


def foremost(windows: Iterable[SeenWindow]) -> tuple[SeenWindow, ...]:
    """The windows, permission dialogs first."""
    return tuple(sorted(windows, key=lambda seen: _permission(seen) is None))


def read(seen: SeenWindow, *, on_second_layer: bool = False) -> Dialog | None:
    """What a window asks; None if it asks nothing. `on_second_layer`: the options of a consent dialog were opened."""
    permission = _permission(seen)
    if permission is not None:
        return permission
    for entry in known().system:
        if entry.id in seen.ids:
            return Dialog("system", seen, entry.name)
    for notice in known().notices:
        if notice.fits(seen):
            return Dialog("system", seen, notice.name, notice=notice)
    if seen.package in _consent().permission_controllers and seen.ids & set(known().settings_page):
        return Dialog("system", seen, SETTINGS_PAGE)
    title = _consent().asks(seen.window, second_layer=on_second_layer)
    if title is not None:
        return Dialog("consent", seen, title, platform=_consent().platform(seen.window))
    if seen.buttons and (seen.small or seen.ids & set(known().dialog_ids)):
        return Dialog("other", seen, next(iter(seen.texts), "")[:LONGEST_LABEL])
    return None


def _permission(seen: SeenWindow) -> Dialog | None:
    """The system's permission dialog: recognised by its IDs in any package, or by its words in the system's package."""
    buttons = known().permission.buttons
    ours = frozenset(_consent().permission_controllers)
    by_id = any(name in seen.ids for names in buttons.values() for name in names if name.startswith("permission_"))
    review = known().review
    if seen.package in ours and {review.goes_on, review.cancels} <= seen.ids:
        return Dialog("permission", seen, next(iter(seen.texts), ""))
    by_words = seen.package in ours and {"allow", "deny"} <= {_does(button) for button in seen.buttons}
    if not (by_id or by_words):
        return None
    message = normal(" ".join(seen.texts))
    group = next((group for group, phrases in _groups() if phrases.inside(message)), None)
    return Dialog("permission", seen, next(iter(seen.texts), ""), group=group)


def _does(button: Button) -> Touch | None:
    """What a button of a permission dialog does: by its ID, else by its label."""
    for touch, names in known().permission.buttons.items():
        if button.node.id in names:
            return touch
    said = normal_label(button.label)
    for touch in ("deny", "once", "allow"):
        if _phrases(touch).whole(said):
            return touch
    return None


def decide(dialog: Dialog, plan: Plan, touched: Collection[str] = ()) -> Decision:
    """Decide the plan's action on a dialog; `touched` are the labels tapped there before."""
    if plan in ("silent", "free"):
        return Decision("leave", f"the plan {plan} touches nothing")
    accept = plan in ("accept", "withdraw")
    left = tuple(button for button in dialog.seen.buttons if button.label not in touched)
    match dialog.kind:
        case "permission":
            return _decide_permission(dialog, accept=accept)
        case "system" if dialog.title == SETTINGS_PAGE:
            return Decision("back", f"{SETTINGS_PAGE}: nothing is changed there", uncertain=True)
        case "system" if dialog.notice is not None:
            button = dialog.notice.button(dialog.seen)
            return Decision("tap" if button else "back", dialog.title, button, uncertain=button is None)
        case "system":
            ids = [entry.id for entry in known().system]
            here = {each.node.id: each for each in dialog.seen.buttons}
            found = next((here[each] for each in ids if each in here), None)
            return Decision("tap" if found else "back", dialog.title, found)
        case "consent":
            return _agree(dialog, left) if accept else _refuse(dialog, left, touched)
        case "other":
            return _dismiss(left, "no question of consent")


def _decide_permission(dialog: Dialog, *, accept: bool) -> Decision:
    review = known().review
    if review.cancels in dialog.seen.ids:
        on = next((box for box in dialog.seen.boxes if box.node.checked and box.node.enabled), None)
        if not accept and on is not None:
            return Decision("tap", "a permission that is on", on)
        button = next((each for each in dialog.seen.buttons if each.node.id == review.goes_on), None)
        return Decision("tap" if button else "back", "it goes on", button, "given" if accept else "refused")
    does = [(button, _does(button)) for button in dialog.seen.buttons]
    order: tuple[Touch, ...] = ("allow", "once") if accept else ("deny",)
    names = known().permission.buttons
    for touch in order:
        found = [button for button, what in does if what == touch]
        if found:
            ids = names[touch]
            found.sort(key=lambda each: ids.index(each.node.id) if each.node.id in ids else len(ids))
            return Decision("tap", f"it says {touch}", found[0], "given" if accept else "refused")
    return Decision("back", "none of its buttons is known", uncertain=True)


def _agree(dialog: Dialog, left: tuple[Button, ...]) -> Decision:
    words = _consent()
    for box in dialog.seen.boxes:
        if not box.node.checked and box.node.enabled and words.is_box(box.label):
            return Decision("tap", "the box beside what is agreed to", box)
    if button := _by_id(dialog, left, "agree"):
        return button
    yes = [each for each in left if words.choice(each.label) == "agree" and len(each.label) <= LONGEST_LABEL]
    yes.sort(key=lambda each: not words.agrees_to_everything(each.label))
    if yes:
        return Decision("tap", "its label agrees", yes[0], "given")
    on = [each for each in left if words.choice(each.label) == "ambiguous"]
    if on:
        return Decision("tap", "nothing there agrees; it goes on", on[-1], "given")
    return Decision("back", "nothing there agrees", uncertain=True)


def _refuse(dialog: Dialog, left: tuple[Button, ...], touched: Collection[str]) -> Decision:
    words = _consent()
    if button := _by_id(dialog, left, "refuse"):
        return button
    no = [each for each in left if words.choice(each.label) == "refuse"]
    no.sort(key=lambda each: _refusals().get(normal_label(each.label), len(_refusals())))
    if no:
        return Decision("tap", "its label refuses", no[0], "refused")
    basic = [each for each in left if words.choice(each.label) == "basic"]
    if basic:
        return Decision("tap", "it refuses all but the basic function", basic[0], "refused")
    save = [each for each in left if words.keeps_choices(each.label) or _is(dialog, each, "save")]
    if save:
        on = next((box for box in dialog.seen.boxes if _lets(box) and box.node.enabled), None)
        if on is not None and on.label not in touched:
            return Decision("tap", "a choice that is on", on)
        return Decision("tap", "it keeps the choices, which are off", save[0], "refused")
    if button := _by_id(dialog, left, "options"):
        return button
    options = [each for each in left if words.opens_options(each.label)]
    if options:
        return Decision("tap", "no way to refuse here; the second layer", options[0])
    return _dismiss(left, "nothing there refuses")


def _lets(box: Button) -> bool:
    """Whether a box in its present state allows what it is about: an opt-out box does if it is not ticked."""
    return _consent().allows(Check(text=box.label, checked=box.node.checked))


def _by_id(dialog: Dialog, left: tuple[Button, ...], what: Does) -> Decision | None:
    found = next((each for each in left if _is(dialog, each, what)), None)
    if found is None or dialog.platform is None:
        return None
    why = f"{what} by {dialog.platform.name}'s id {found.node.id}"
    answers: dict[str, Answer] = {"agree": "given", "refuse": "refused"}
    return Decision("tap", why, found, answers.get(what))


def _is(dialog: Dialog, button: Button, what: Does) -> bool:
    return dialog.platform is not None and dialog.platform.does(button.node.id) == what


def _dismiss(left: tuple[Button, ...], why: str) -> Decision:
    words = _consent()
    for choice in ("later", "closing", "refuse"):
        found = next((each for each in left if words.choice(each.label) == choice), None)
        if found is not None:
            return Decision("tap", f"{why}; put off", found)
    return Decision("back", why, uncertain=True)


def way_back(seen: SeenWindow, touched: Collection[str] = (), path: tuple[str, ...] = ()) -> Button | None:
    """What to tap next on the way to where consent is withdrawn, or what withdraws it; None: nothing here.

    `path`: the labels to tap in an app whose way is known; then only they count.
    """
    left = {normal_label(each.label): each for each in reversed(seen.buttons) if each.label not in touched}
    if path:
        return next((left[normal(label)] for label in path if normal(label) in left), None)
    words = _consent()
    for button in left.values():
        if words.withdraws(button.label):
            return button
    found = [(at, button) for said, button in left.items() if (at := _way().get(said)) is not None]
    return min(found, key=lambda each: each[0])[1] if found else None


@functools.cache
def _way() -> dict[str, int]:
    return {normal(word): at for words in known().way_back.values() for at, word in enumerate(words)}


def withdraws(label: str) -> bool:
    """Whether a tap on a label withdraws consent."""
    return _consent().withdraws(label)


def confirms(seen: SeenWindow) -> Button | None:
    """The button that confirms what was begun; None: there is none."""
    for choice in ("agree", "ambiguous"):
        found = [each for each in seen.buttons if _consent().choice(each.label) == choice]
        if found:
            return found[-1]
    return None


def harmless(label: str) -> bool:
    """Whether a tap on a label while exploring neither gives, refuses nor withdraws consent."""
    return _consent().choice(label) not in ("agree", "refuse", "basic") and not withdraws(label)


def grants(button: Button) -> bool:
    """Whether a button grants the permission in a permission dialog."""
    return _does(button) in ("allow", "once")
