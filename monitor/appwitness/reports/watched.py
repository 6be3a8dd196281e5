"""Who watched, what nobody watched, and which foreign files a recording was made of, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from appwitness.events import Run, count_sources
from appwitness.findings import Finding, Flow, Need, Report
from appwitness.reports.words import Words, plain


def watched(report: Report, words: Words) -> str:
    """What was watched, and what was not: one line."""
    there = [name for name in get_args(Need) if getattr(report.observers, name)]
    said = [words(f"watched_{name}") for name in there]
    if report.observers.witnesses:
        said.append(words("watched_witnesses"))
    if persona := report.observers.persona:
        said.append(words.count(f"watched_{persona}", len(report.run.persona)))
    if report.observers.hooks and "gadget" in report.run.device.facts:
        said.append(words("watched_gadget"))
    if report.observers.hooks and (codes := report.run.translated):
        said.append(words("watched_translated", app=codes[0], device=codes[1]))
    return words("semicolon").join(filter(None, [*said, unwatched(report, words)]))


def unwatched(report: Report, words: Words) -> str:
    """Who of those that a run has did not watch; nothing where all did."""
    lacking = [name for name in get_args(Need) if not getattr(report.observers, name)]
    return not_watched(lacking, words) if lacking else ""


def not_watched(lacking: Iterable[Need], words: Words) -> str:
    """What nobody watched."""
    return words("watched_not", what=words("comma").join(words(f"unwatched_{name}") for name in lacking))


def missing(report: Report, words: Words) -> str:
    """What a clean result would need besides; nothing where everything was there."""
    names = report.observers.missing
    return words("missing", what=words("semicolon").join(words(f"missing_{name}") for name in names)) if names else ""


def uncompared(report: Report, words: Words) -> str:
    """That the clocks of device and host were not compared; nothing where they were, or where one clock wrote all."""
    return words("clocks_uncompared_more") if any(gap.why == "no_clock" for gap in report.gaps) else ""


def assumption(report: Report, words: Words) -> str:
    """What the operator has taken for granted; nothing where nothing was."""
    return words(f"assumed_{report.assumed_consent}") if report.assumed_consent else ""


def files(report: Report, words: Words) -> list[str]:
    """The foreign files that it was made of, each with what tells it from others."""
    return [
        plain(
            words(
                "imported_as",
                name=each.name,
                size=words("unknown") if each.size is None else f"{each.size:,}",
                sha256=each.sha256,
                format=each.format or words("unknown"),
            )
            + (words("imported_tool", tool=each.tool) if each.tool else "")
        )
        for each in report.run.source
    ]


def device(run: Run, words: Words) -> str:
    """The device of a run; of a foreign file what somebody says of it, as nobody of ours saw one."""
    kind = words(f"device_{run.device.kind}")
    if not run.imported:
        named = " ".join(part for part in (run.device.model, run.device.serial) if part)
        return plain(f"{named} ({kind})")
    if run.device.kind == "unknown":
        return words("device_unwatched")
    return f"{words('device_unwatched')}{words('semicolon')}{words('device_as_said', kind=kind)}"


def case(run: Run, words: Words) -> list[tuple[str, str]]:
    """For what, where and with what it was made, as far as the operator said so."""
    said = {name: getattr(run, name) for name in ("case", "place", "equipment")}
    return [(words(f"made_{name}"), plain(text)) for name, text in said.items() if text]


def plan(report: Report, words: Words) -> str:
    """What plan was set, and what the user was seen to answer."""
    said = words(f"plan_{report.run.plan}")
    if not report.observers.consent:
        answers = words("plan_unwatched")
    elif report.answered:
        names = words("comma").join(words(f"consent_{each}") for each in report.answered)
        answers = words("plan_answered", answers=names)
    else:
        answers = words("plan_unanswered")
    return f"{said}{words('semicolon')}{answers}"


def sources(report: Report) -> dict[str, str]:
    """The count of sources, for words."""
    return {name: f"{number:,}" for name, number in count_sources(report.run.hooks).model_dump().items()}


def consent(of: Finding | Flow, words: Words) -> str:
    """The consent at that moment; empty where it has nothing to do with it."""
    if of.consent is None:
        return ""
    if of.consent_assumed:
        return words(f"consent_assumed_{'given' if of.consent == 'given' else 'none'}")
    if of.consent_unordered:
        return words("consent_unordered")
    return words(f"consent_{of.consent}")
