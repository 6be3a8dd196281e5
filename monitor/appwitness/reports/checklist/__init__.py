"""Renders a filled checklist for a terminal, a program, a browser or a printer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from appwitness.events import format_time
from appwitness.findings.filled_checklist import (
    FilledChecklist,
    FilledItem,
    FillingRun,
    HandAnswer,
    ItemEvidence,
    ItemState,
    Unfilled,
)
from appwitness.reports.words import Words, capital, plain
from appwitness.support import escape

STATES: tuple[ItemState, ...] = get_args(ItemState)
TONES: dict[ItemState, str] = {"fail": "high", "nothing_seen": "none", "not_observed": "gaps", "by_hand": "info"}
"""State of an item -> the tone of its words."""
MOST = 20
"""Maximum number of reasons, and of findings, listed for an item; the JSON has all of them."""


def render(filled: FilledChecklist, format: str, lang: str) -> str:
    """The list as text, json or html. Raises UserError for an unknown language."""
    told = ChecklistStory(filled, Words(lang))
    if format == "json":
        return escape.document({**filled.model_dump(mode="json"), "counts": told.counts})
    if format == "text":
        from appwitness.reports.checklist.checklist_text import text

        return text(told)
    from appwitness.reports.html import fill

    return fill("checklist.html", told.words, told=told, filled=filled, foot=f"{filled.checklist} {filled.package}")


@dataclass(frozen=True)
class ChecklistStory:
    """A filled list, in words."""

    filled: FilledChecklist
    words: Words

    @property
    def levels(self) -> dict[ItemState, str]:
        """State of an item -> the level whose colour it has on the page."""
        return {"fail": "high", "nothing_seen": "low", "not_observed": "medium", "by_hand": "info"}

    @property
    def counts(self) -> dict[str, int]:
        """How many items are in each state, and how many of those to be checked by hand are still open."""
        items = list(self.filled.items)
        counted: dict[str, int] = {state: sum(each.state == state for each in items) for state in STATES}
        return counted | {"open": sum(each.state == "by_hand" and each.is_open for each in items)}

    @property
    def summary(self) -> str:
        """The number of items by result."""
        return self.words("list_summary", **self.counts)

    @property
    def app(self) -> str:
        """The app, its version and its digest."""
        version = f" {self.filled.version}" if self.filled.version else ""
        digest = f", SHA-256 {self.filled.apk_sha256}" if self.filled.apk_sha256 else ""
        return plain(f"{self.filled.package}{version}{digest}")

    @property
    def origin(self) -> list[str]:
        """Where the items come from, and whether they were compared with that source."""
        source, words = self.filled.source, self.words
        name = plain(words.of(source.name)) + (f" <{plain(source.url)}>" if source.url else "")
        said = [words("list_source", name=name)]
        said.append(words("list_compared", date=source.compared) if source.compared else words("list_uncompared"))
        if source.note:
            said.append(plain(words.of(source.note)))
        return said

    def run(self, run: FillingRun) -> str:
        """One of the recordings, in words."""
        words = self.words
        watched = words("comma").join(words(f"watched_{each}") for each in run.observers) or "–"
        answers = words("comma").join(words(f"consent_{each}") for each in run.answered)
        length = "list_length_unknown" if run.seconds is None else "list_length"
        return words(
            "list_run",
            recording=plain(run.recording),
            plan=words(f"plan_{run.plan}"),
            length=words(length, seconds=f"{run.seconds or 0:g}"),
            watched=words("list_run_watched", what=watched),
            answers=words("plan_answered", answers=answers) if answers else words("plan_unanswered"),
            gaps=f"{run.gaps:,}",
        )

    def state(self, item: FilledItem) -> str:
        """The result of an item, in a word or two."""
        return self.words(f"list_{item.state}")

    def lines(self, item: FilledItem) -> Iterator[str]:
        """Everything to say about an item: why it fails, what was watched, what was not, or what to look at."""
        words = self.words
        yield from map(self.evidence, item.failing[:MOST])
        if (more := len(item.failing) - MOST) > 0:
            yield words("and_more", count=more)
        yield from (words("list_doubtful", what=self.evidence(each)) for each in item.doubtful[:MOST])
        if item.state == "nothing_seen":
            yield self.watched(item)
        elif item.state == "not_observed":
            yield from self.reasons(item)
        elif item.state == "by_hand":
            yield from self.by_hand(item)
        for number, answer in enumerate(item.answers):
            yield from self.answer(answer, counts=number == 0)

    def by_hand(self, item: FilledItem) -> Iterator[str]:
        """What a person has to look at, and what recordings show about it."""
        words = self.words
        if item.plans:
            if item.reasons:
                yield words("list_part_open")
                yield from self.reasons(item)
            else:
                yield words("list_part")
                yield self.watched(item)
        yield words("list_look", what=plain(words.of(item.by_hand or {})))

    @property
    def command(self) -> str:
        """The command that records a person's answer."""
        command = f"appwitness mark check {self.filled.checklist}:ITEM pass|fail --note TEXT --recording RECORDING"
        return self.words("list_command", command=command)

    def watched(self, item: FilledItem) -> str:
        """What was watched for an item, in which runs, and for how long."""
        words = self.words
        return words(
            "list_watched",
            what=words("comma").join(words(f"watched_{each}") for each in item.needs),
            runs=words("comma").join(map(plain, item.watched)),
            plans=words("comma").join(item.plans),
            seconds=f"{item.seconds or 0:g}",
        )

    def evidence(self, each: ItemEvidence) -> str:
        """A finding, with its lines of evidence."""
        words = self.words
        return words(
            "list_shown",
            title=plain(words.of(each.title)),
            confidence=words(f"confidence_{each.confidence}"),
            detail=plain(words.of(each.detail)),
            recording=plain(each.recording),
            plan=each.plan,
            evidence=", ".join(map(plain, each.evidence)),
        )

    def reasons(self, item: FilledItem) -> Iterator[str]:
        """Why an item was not observed."""
        yield from (self._reason(each, item) for each in item.reasons[:MOST])
        if (more := len(item.reasons) - MOST) > 0:
            yield self.words("and_more", count=more)

    def _reason(self, why: Unfilled, item: FilledItem) -> str:
        words, subject = self.words, plain(why.subject)
        names = {
            "plan": f"plan_{why.subject}",
            "observer": f"watched_{why.subject}",
            "situation": f"list_seen_{why.subject}",
            "given": f"list_given_{why.subject}",
        }
        named = words(names[why.why]) if why.why in names and words.has(names[why.why]) else subject
        said = words(f"list_why_{why.why}", subject=named, seconds=f"{item.seconds or 0:g}")
        where = words("comma").join(map(plain, filter(None, (why.recording, why.ref))))
        return capital(words("list_in", reason=said, where=where) if where else said)

    def answer(self, answer: HandAnswer, *, counts: bool) -> Iterator[str]:
        """What a person answered, who it was, and when."""
        words = self.words
        yield words(
            "list_answer" if counts else "list_answer_before",
            answer=words(f"list_answer_{answer.answer}"),
            who=plain(answer.who) if answer.who else words("list_nobody"),
            at=format_time(answer.at),
            recording=plain(answer.recording),
            ref=answer.ref,
        )
        if answer.note:
            yield words("list_answer_note", note=plain(answer.note))
