"""Derives consent from recorded screens: which questions came up, what was touched, and what was not seen.

Screens are recorded as they were read, and interpreted only here, with the words of catalog/consent.yml; so better
words also improve the judgement of old recordings. Older recordings have consent lines instead of screens.

The agent reports each dialog, page and touch of the app's own views. An outside observer reports what is on the screen
whenever it changes, and now and then while it does not, but does not see touches by hand. A question that disappears
without an answer seen by its observer is `gone`. If an outside observer saw it, it counts as gone from shortly before
it was last seen, because an app takes a moment to remove it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

from appwitness.catalog.labels import Choice, Labels, normal_label
from appwitness.events import Consent, ConsentState, Event, Scope, Screen, Touch, Window
from appwitness.events.seen import Seen, holds
from appwitness.judge.consent.by_catalog import understood

TAKEN_AWAY = timedelta(seconds=2)
"""How long an app may take to remove a question after the touch that answers it."""
UNWATCHED = timedelta(seconds=15)
"""While a question stays on the screen, an outside observer reports it more often than this."""
TICK = timedelta(microseconds=1)
CLOSES = timedelta(seconds=5)
"""A question that disappears within this time after a touch is taken to have disappeared because of it."""
MOST_ITEMS = 1000
MOST_CHARACTERS = 4000
"""Limits on what is read: windows of a line, texts of a window, and characters of a text. Lines may be huge."""
MOST_READ = 200_000
"""Maximum number of characters that are read of one line; the rest is reported as a gap."""
MOST_DIALOGS = 100
"""Maximum number of dialogs that are remembered for one process while nobody has seen them close."""
READ = "read from the screen's tree"
TOUCHED = "touched for the user by the {}, as read from the screen's tree"
"""Notes on how an outside observer knows of a line; hooks see no touches in web pages, Compose or Flutter."""


@dataclass
class _Question:
    """A question on the screen."""

    asked: Consent
    """The line of the question as a whole."""
    scopes: tuple[Scope, ...]
    title: str
    key: object
    """Equal as long as the same thing is asked, whatever is ticked."""
    stood: datetime
    """When it was last seen."""
    decided: bool = False
    hidden: bool = False
    """Whether nothing of the app is on the screen."""
    closes: tuple[datetime, Literal["user", "app"]] | None = None
    """When something was touched that may close it without an answer, and who would then have closed it."""
    opened: datetime | None = None
    """When the button that opens its choices was touched; the layer with the choices is still the same question."""

    def leads_on(self, at: datetime) -> bool:
        """Whether a question at this time is another layer of this one."""
        return self.opened is not None and at - self.opened <= CLOSES


@dataclass(frozen=True)
class _Opened:
    """A touch on a control that withdraws consent or turns off a use of data; the app may ask for confirmation."""

    at: datetime
    label: str
    scope: Scope
    status: ConsentState


@dataclass(frozen=True)
class _TakingBack:
    """The question whether to withdraw consent, on the screen."""

    opened: _Opened
    text: str
    number: int | None
    """The number of its dialog."""
    key: object


@dataclass
class _Observer:
    """What one observer has seen so far: the hooks in a process, or an outside observer."""

    dialogs: dict[int | None, _Question] = field(default_factory=dict)
    page: _Question | None = None
    """The question of the screen as a whole; for an outside observer, any question on the screen."""
    pages: set[str] = field(default_factory=set)
    """Headings of pages that have asked: coming back to one is not a new question."""
    second_layer: bool = False
    """Whether the choices of a question were opened."""
    last: Seen[Screen] | None = None
    opened: _Opened | None = None
    taking_back: _TakingBack | None = None


class ScreenReader:
    """Turns screens into consent lines, in the order of the file."""

    def __init__(self, labels: Labels, package: str | None = None) -> None:
        """`package` of the observed app: windows of other apps are ignored."""
        self._labels = labels
        self._package = package
        self._observers: dict[tuple[str, int | None], _Observer] = {}

    def read(self, seen: Seen[Screen]) -> list[Seen[Consent]]:
        """The consent lines that follow from another screen, each with the screen's reference."""
        observer = self._observers.setdefault((seen.event.by, seen.event.pid), _Observer())
        observer.last = seen
        return [_by_name_of(seen, line) for line in self._read(observer, seen.event)]

    def leaves_out(self, screen: Screen) -> bool:
        """Whether a line is so large that part of it is not read."""
        return self.bounded(screen)[1]

    def bounded(self, screen: Screen) -> tuple[list[Window], bool]:
        """The part of a line's windows that is read (for a look, the app's own windows; otherwise the first window),
        and whether anything is left out."""
        ours = filter(self._is_ours, screen.windows) if screen.what == "look" else iter(screen.windows[:1])
        room = _ScreenRoom()
        windows = [room.bounded(each) for each in islice(ours, MOST_ITEMS)]
        return windows, room.left_out or next(ours, None) is not None

    def _read(self, observer: _Observer, screen: Screen) -> list[Consent]:
        windows, _ = self.bounded(screen)
        window = windows[0] if windows else Window()
        match screen.what:
            case None:
                return []
            case "dialog":
                return self._asked_back(observer, screen, [window]) or self._dialog(observer, screen, window)
            case "page":
                return self._asked_back(observer, screen, [window]) + self._page(observer, screen, window)
            case "look":
                return self._asked_back(observer, screen, windows) + self._look(observer, screen, windows)
            case "touch":
                return self._touch(observer, screen, window, screen.touched) if screen.touched else []
            case "dismiss" | "cancel":
                return self._closed(observer, screen)

    def unproven(self, until: datetime | None) -> list[Seen[Consent]]:
        """A `gone` line for each question that was on the screen at the last look from outside, if the run went on
        until much later: nothing shows the question after that look. `until`: None if unknown."""
        found: list[Seen[Consent]] = []
        for (by, _), observer in self._observers.items():
            question, last = observer.page, observer.last
            if by != "host" or question is None or last is None or question.decided or question.hidden:
                continue
            if until is not None and until - last.at > UNWATCHED:
                lines = _gone(last.event, question, question.stood + TICK)
                found += [_by_name_of(last, line) for line in lines]
        return found

    # questions

    def _dialog(self, observer: _Observer, screen: Screen, window: Window) -> list[Consent]:
        title = self._labels.heading(window)
        if title is None:
            return []
        lines = self._asked(screen, window, title)
        observer.dialogs[screen.number] = _question(lines, title, window)
        if len(observer.dialogs) > MOST_DIALOGS:
            observer.dialogs.pop(next(iter(observer.dialogs)))
        return lines

    def _page(self, observer: _Observer, screen: Screen, window: Window) -> list[Consent]:
        """The lines for a full screen. It asks only if it can be answered there: a list of settings names policies,
        too. The previous page counts as gone from when it was last seen."""
        title = self._labels.asks(window)
        before, lines = observer.page, []
        if before is not None and before.title != title and not before.decided:
            lines = self._went(screen, before, before.stood)
            observer.pages.discard(before.title)
        if title is None:
            observer.page = None
        elif before is None or before.title != title:
            asked = self._asked(screen, window, title)
            observer.page = _question(asked, title, window)
            observer.page.decided = title in observer.pages
            lines += [] if title in observer.pages else asked
            observer.pages.add(title)
        else:
            before.stood = screen.at
        return lines

    def _look(self, observer: _Observer, screen: Screen, ours: list[Window]) -> list[Consent]:
        before = observer.page
        if before is not None and screen.since is not None and not before.hidden:
            before.stood = max(before.stood, screen.since)
        if not ours:
            if before is not None:
                before.hidden = True
            return []
        layer = observer.second_layer
        asking = ((each, self._labels.asks(each, second_layer=layer)) for each in ours)
        window, title = next(((each, title) for each, title in asking if title is not None), (Window(), None))
        if before is not None and title is not None and before.key == _key(window):
            anew, before.hidden, before.stood = before.hidden and before.decided, False, screen.at
            if not anew:
                return []
        lines = []
        if before is not None and not (before.decided or (title is not None and before.leads_on(screen.at))):
            lines = self._went(screen, before, before.stood - TAKEN_AWAY)
        observer.page = None
        observer.second_layer = layer and title is not None
        if title is not None:
            asked = self._asked(screen, window, title)
            observer.page = _question(asked, title, window)
            lines += asked
        return lines

    # taking back

    def _asked_back(self, observer: _Observer, screen: Screen, windows: list[Window]) -> list[Consent]:
        """The lines for the question whether to withdraw consent: it came up, or it is gone without an answer that
        was seen."""
        before, opened = observer.taking_back, observer.opened
        if opened is not None and screen.at - opened.at > CLOSES:
            opened = None
        found = ((each, self._labels.takes_back(each, opened=opened is not None)) for each in windows)
        window, heading = next(((each, said) for each, said in found if said is not None), (None, ""))
        if before is not None and window is not None and before.key == _key(window):
            return []
        lines = []
        if before is not None and (before.number is None or window is not None):
            lines = [_line(screen, **_of(before), status="gone", by="app")]
            observer.taking_back = None
        if window is None:
            return lines
        observer.opened = None
        about = opened or _Opened(screen.at, heading, self._labels.scope_of(heading) or "general_policy", "withdrawn")
        text = heading if self._labels.asks_to_take_back(heading) else f"{about.label}: {heading}"
        observer.taking_back = _TakingBack(about, text, screen.number, _key(window))
        return [*lines, _line(screen, **_of(observer.taking_back), status="requested", by="app")]

    def _answered_back(self, observer: _Observer, screen: Screen, window: Window, touch: Touch) -> list[Consent] | None:
        """What a touch says if the user was asked whether to withdraw consent; None: not asked, or the touch was in
        another window."""
        asked, labels = observer.taking_back, self._labels
        if asked is None or labels.takes_back(window, opened=True) is None:
            return None
        if labels.cancels_taking_back(touch.label):
            status: ConsentState = "dismissed"
        elif labels.confirms_taking_back(touch.label):
            status = asked.opened.status
        else:
            return []
        observer.taking_back = None
        return [_tapped(screen, touch, status, asked.opened.scope)]

    def _taken_back(self, observer: _Observer, screen: Screen, touch: Touch) -> list[Consent] | None:
        """The line for a touch on what withdraws consent or turns a use of data off; None: another button or a
        switch."""
        labels = self._labels
        scope = labels.scope_of(touch.label) or "general_policy"
        status: ConsentState = "withdrawn" if labels.withdraws(touch.label) else "refused"
        turns_off = touch.ticked is None and labels.opts_out(touch.label) and labels.choice(touch.label) != "agree"
        if status == "refused" and not turns_off:
            return None
        observer.opened = _Opened(screen.at, touch.label, scope, status)
        return [_tapped(screen, touch, status, scope)]

    def _asked(self, screen: Screen, window: Window, title: str) -> list[Consent]:
        """The line of the question as a whole, and one for each separate choice that it offers."""
        boxes = self._labels.boxes(window)
        ticked = any(check.checked for check in boxes) if boxes else None
        text = self._labels.title_with_change(window, title)
        about = {"signal": "dialog", "status": "requested", "by": "app"}
        lines = [_line(screen, **about, scope=self._labels.scope(window, title), text=text, ticked=ticked)]
        for scope, check in self._labels.offered(window).items():
            lines.append(_line(screen, **about, scope=scope, text=check.text, ticked=check.checked))
        return lines

    def _closed(self, observer: _Observer, screen: Screen) -> list[Consent]:
        if (asked := observer.taking_back) is not None and (screen.by == "host" or asked.number == screen.number):
            observer.taking_back = None
            by_user = screen.what == "cancel" or screen.by == "host"
            how = {"status": "dismissed", "by": "user"} if by_user else {"status": "gone", "by": "app"}
            return [_line(screen, **_of(asked), **how)]
        if screen.by == "host":  # the back key; the next look tells whether it closed the question
            if observer.page is not None:
                observer.page.closes = (screen.at, "user")
            return []
        question = observer.dialogs.pop(screen.number, None)
        if question is None or question.decided:
            return []
        if screen.what == "cancel":
            question.closes = (screen.at, "user")
        return self._went(screen, question, screen.at - TAKEN_AWAY)

    def _went(self, screen: Screen, question: _Question, since: datetime) -> list[Consent]:
        """The lines for a question that is gone without an answer that was seen."""
        if question.closes is None or screen.at - question.closes[0] > CLOSES:
            return _gone(screen, question, since)
        about = {"signal": "dialog", "status": "dismissed", "by": question.closes[1], "text": question.title}
        return [_line(screen, **about, scope=scope) for scope in question.scopes]

    def _is_ours(self, window: Window) -> bool:
        return self._package is None or window.package in (None, "", self._package)

    # touches

    def _touch(self, observer: _Observer, screen: Screen, window: Window, touch: Touch) -> list[Consent]:
        labels = self._labels
        if not self._is_ours(window):
            return []
        if (answered := self._answered_back(observer, screen, window, touch)) is not None:
            return answered
        title = labels.asks(window, second_layer=observer.second_layer)
        title = labels.heading(window) if title is None else title
        elsewhere = title is None or labels.scope_of(touch.label) != labels.scope(window, title)
        if elsewhere and (taken := self._taken_back(observer, screen, touch)) is not None:
            return taken
        if title is None:
            return self._switched(screen, touch)
        if touch.ticked is not None:
            return []
        status, note = self._answer(window, touch)
        opens = self._opens(window, touch)
        for question in (*observer.dialogs.values(), *filter(None, [observer.page])):
            if question.title == title:
                question.stood = screen.at
                question.decided = question.decided or status not in (None, "requested")
                question.closes = (screen.at, "app") if status else None
                question.opened = screen.at if opens else None
        if status not in (None, "requested"):
            observer.pages.add(title)
        if status is None:
            observer.second_layer = screen.by == "host"
            return []
        boxes = labels.boxes(window)
        ticked = all(box.checked for box in boxes) if boxes else None
        lines = [_tapped(screen, touch, status, labels.scope(window, title), note=note, ticked=ticked)]
        return lines + (self._chosen(screen, window, touch, status) if status != "requested" else [])

    def _answer(self, window: Window, touch: Touch) -> tuple[ConsentState | None, str | None]:
        """What a touch on a question says about it as a whole, and why."""
        labels = self._labels
        unticked = [check.text for check in labels.boxes(window) if not check.checked]
        choices = list(labels.offered(window).values()) or list(window.checks)
        if self._keeps(window, touch) and choices:
            taken = sum(check.checked for check in choices)
            known = taken == 0 or bool(labels.offered(window))
            return ("given" if taken else "refused") if known else None, f"{taken} of {len(choices)} choices allowed"
        match self._chooses(window, touch):
            case "agree" if unticked:
                return "requested", f"the box beside {unticked[0]!r} was not ticked"
            case "agree":
                return "given", None
            case "refuse":
                return "refused", None
            case "basic":
                return "refused", "basic function only"
            case "later" | "closing":
                return "dismissed", "put off or closed without an answer"
            case "ambiguous":
                return "requested", "not a clear yes or no"
            case None:
                return None, None

    def _chooses(self, window: Window, touch: Touch) -> Choice | None:
        """The choice that was touched: by the id of a consent platform, else by its label."""
        platform = self._labels.platform(window)
        choice = self._labels.choice(touch.label)
        match platform.does(touch.id) if platform else None:
            case "agree" | "refuse" as does:
                # an id and a label that contradict each other are no clear answer
                return "ambiguous" if {does, choice} == {"agree", "refuse"} else does
            case "options" | "save":
                return None
            case None:
                return choice

    def _opens(self, window: Window, touch: Touch) -> bool:
        platform = self._labels.platform(window)
        return self._labels.opens_options(touch.label) or (
            platform is not None and platform.does(touch.id) == "options"
        )

    def _keeps(self, window: Window, touch: Touch) -> bool:
        platform = self._labels.platform(window)
        return self._labels.keeps_choices(touch.label) or (platform is not None and platform.does(touch.id) == "save")

    def _chosen(self, screen: Screen, window: Window, touch: Touch, status: ConsentState) -> list[Consent]:
        """The lines for the separate choices: one button may decide all of them, otherwise each counts as ticked."""
        offered = self._labels.offered(window).items()
        if status == "dismissed":
            return [_tapped(screen, touch, "dismissed", scope, note=check.text) for scope, check in offered]
        everything = status == "given" and self._labels.agrees_to_everything(touch.label)
        chosen = status == "given" or self._keeps(window, touch)
        lines = []
        for scope, check in offered:
            taken = everything or (chosen and check.checked)
            ticked = None if everything else check.checked
            lines.append(_tapped(screen, touch, "given" if taken else "refused", scope, note=check.text, ticked=ticked))
        return lines

    def _switched(self, screen: Screen, touch: Touch) -> list[Consent]:
        """What a switch in the settings says if it is about one scope. Switching on what allows a use is a yes,
        switching it off withdraws it; switching on an opt-out is a no, switching it off a yes."""
        scope = None if touch.ticked is None else self._labels.scope_of(touch.label)
        if scope is None:
            return []
        if self._labels.opts_out(touch.label):
            return [_tapped(screen, touch, "given" if touch.ticked else "refused", scope)]
        return [_tapped(screen, touch, "withdrawn" if touch.ticked else "given", scope)]


def consents(
    lines: Iterable[Seen[Event]], labels: Labels, package: str | None = None, until: datetime | None = None
) -> tuple[Seen[Consent], ...]:
    """The consent lines of a recording, and those that follow from its screens, in order of time.

    `until`: the end of observation, on the host's clock.
    """
    reader = ScreenReader(labels, package)
    found: list[Seen[Consent]] = []
    for seen in sorted(lines, key=lambda each: each.number):
        if holds(seen, Consent):
            found += filter(None, [understood(seen, labels)])
        elif holds(seen, Screen):
            found += reader.read(seen)
    return tuple(sorted((*found, *reader.unproven(until)), key=lambda each: each.at))


def _by_name_of(screen: Seen[Screen], line: Consent) -> Seen[Consent]:
    return Seen(screen.ref, screen.number, screen.on_host(line.at), line)


def _of(asked: _TakingBack) -> dict[str, Any]:
    return {"signal": "dialog", "scope": asked.opened.scope, "text": asked.text}


def _question(lines: list[Consent], title: str, window: Window) -> _Question:
    return _Question(lines[0], tuple(line.scope for line in lines), title, _key(window), lines[0].at)


class _ScreenRoom:
    """How much more of a line may be read."""

    def __init__(self) -> None:
        self._left = MOST_READ
        self.left_out = False

    def bounded(self, window: Window) -> Window:
        """What is read of a window."""
        texts = (window.texts, window.labels, [check.text for check in window.checks], window.ids)
        size = sum(len(text) for each in texts for text in each)
        few = all(len(each) <= MOST_ITEMS for each in texts)
        if few and size <= self._left and all(len(text) <= MOST_CHARACTERS for each in texts for text in each):
            self._left -= size
            return window
        self.left_out = True
        share = self._left // len(texts)
        cut = [self._cut(each, share) for each in texts]
        checks = [each.model_copy(update={"text": text}) for each, text in zip(window.checks, cut[2], strict=False)]
        kept = {"texts": cut[0], "labels": cut[1], "checks": tuple(checks), "ids": cut[3]}
        return window.model_copy(update=kept)

    def _cut(self, texts: Sequence[str], share: int) -> tuple[str, ...]:
        """The first texts, together no longer than their share."""
        kept = []
        for text in texts[:MOST_ITEMS]:
            short = text[: min(MOST_CHARACTERS, share)]
            share -= len(short)
            self._left -= len(short)
            kept.append(short)
        return tuple(kept)


def _key(window: Window) -> object:
    labels = tuple(normal_label(label) for label in window.labels)
    return window.texts, labels, tuple(check.text for check in window.checks)


def _gone(screen: Screen, question: _Question, since: datetime) -> list[Consent]:
    about: dict[str, Any] = {"signal": "dialog", "status": "gone", "by": "app", "text": question.asked.text}
    if screen.image:
        about["note"] = f"picture bodies/{screen.image}"
    at = max(since, question.asked.at)
    return [_line(screen, **about, scope=scope).model_copy(update={"at": at}) for scope in question.scopes]


def _tapped(screen: Screen, touch: Touch, status: ConsentState, scope: Scope, **fields: Any) -> Consent:
    by = "app" if touch.by == "app" else "user"
    return _line(screen, signal="tap", status=status, scope=scope, by=by, text=touch.label, **fields)


def _line(screen: Screen, **fields: Any) -> Consent:
    """A consent line at the moment of a screen; one from outside says how it is known."""
    note = fields.pop("note", None)
    if screen.by == "host":
        how = TOUCHED.format(screen.touched.by) if screen.touched else READ
        note = f"{note}; {how}" if note else how
    return Consent(
        at=screen.at,
        boot_ms=screen.boot_ms,
        app=screen.app,
        pid=screen.pid,
        stack=screen.stack,
        clock="host" if screen.by == "host" else "device",
        note=note,
        **fields,
    )
