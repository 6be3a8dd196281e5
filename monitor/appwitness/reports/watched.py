"""Describes a recording: its observers, its stamps, its files, and what the maker declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, get_args

from appwitness.events import Run, count_sources, format_time
from appwitness.findings import ComparedRun, Finding, Flow, Need, Report, Seal
from appwitness.findings.people import picked
from appwitness.recording.timestamps import SOON
from appwitness.reports.time_axis import span
from appwitness.reports.words import Words, plain


def watched(report: Report, words: Words) -> str:
    """What was watched and what was not, on one line."""
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
    """The observers that did not watch; empty if all did."""
    lacking = [name for name in get_args(Need) if not getattr(report.observers, name)]
    return not_watched(lacking, words) if lacking else ""


def not_watched(lacking: Iterable[Need], words: Words) -> str:
    """What nobody watched."""
    return words("watched_not", what=words("comma").join(words(f"unwatched_{name}") for name in lacking))


def missing(report: Report, words: Words) -> str:
    """What else a clean result would need; empty if nothing is missing."""
    names = report.observers.missing
    return words("missing", what=words("semicolon").join(words(f"missing_{name}") for name in names)) if names else ""


def uncompared(report: Report, words: Words) -> str:
    """States that the clocks of device and host were not compared; empty unless a gap says so."""
    return words("clocks_uncompared_more") if any(gap.why == "no_clock" for gap in report.gaps) else ""


def assumption(report: Report, words: Words) -> str:
    """What the operator assumes about consent; empty if nothing."""
    return words(f"assumed_{report.assumed_consent}") if report.assumed_consent else ""


def files(report: Report, words: Words) -> list[str]:
    """The imported files that the recording was made from, each with its size, digest and format."""
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
    """The device of a run; for an import, the kind of device that the operator states, since we did not observe it."""
    kind = words(f"device_{run.device.kind}")
    if not run.imported:
        named = " ".join(part for part in (run.device.model, run.device.serial) if part)
        return plain(f"{named} ({kind})")
    if run.device.kind == "unknown":
        return words("device_unwatched")
    return f"{words('device_unwatched')}{words('semicolon')}{words('device_as_said', kind=kind)}"


def case(run: Run, words: Words) -> list[tuple[str, str]]:
    """The case, place and equipment of a run, the source of the app and the image of the device, as far as stated."""
    said: dict[str, str | None] = {name: getattr(run, name) for name in ("case", "place", "equipment")}
    for name in ("obtained", "image"):
        parts = getattr(run, name)
        said[name] = words("comma").join(filter(None, parts.model_dump().values())) if parts else None
    return [(words(f"made_{name}"), plain(text)) for name, text in said.items() if text]


def plan(report: Report, words: Words) -> str:
    """Which plan was set, and what the user was seen to answer."""
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
    """The counts of sources as texts, to be filled into sentences."""
    return {name: f"{number:,}" for name, number in count_sources(report.run.hooks).model_dump().items()}


def consent(of: Finding | Flow, words: Words) -> str:
    """The consent at that moment; empty if consent is irrelevant."""
    if of.consent is None:
        return ""
    if of.consent_assumed:
        return words(f"consent_assumed_{'given' if of.consent == 'given' else 'none'}")
    if of.consent_unordered:
        return words("consent_unordered")
    return words(f"consent_{of.consent}")


# whether the recording is what was stamped, in one sentence that every report contains


def seal_state(report: Report | ComparedRun) -> str:
    """intact, intact_up_to, altered, never_stamped; not_checked if nobody recomputed the stamps."""
    return report.verified.outcome if report.verified else "not_checked"


def is_sound(report: Report | ComparedRun) -> bool:
    """Whether the recording is intact as far as its stamps reach, or its stamps were not checked."""
    return seal_state(report) in ("intact", "intact_up_to", "not_checked")


def integrity(report: Report | ComparedRun, words: Words) -> str:
    """The result of recomputing the stamps, and for a shared copy what it was made from."""
    said = _recomputed(report.verified, words)
    return words("shared_itself", copy=copied(report.run, words), said=said) if report.run.shared else said


def copied(run: Run, words: Words) -> str:
    """What a shared copy was made from; empty for an original."""
    if run.shared is None:
        return ""
    seal = words("shared_seal", seal=run.shared.seal) if run.shared.seal else words("shared_no_seal")
    return words("shared_copy", of=plain(run.shared.of), seal=seal)


def _recomputed(seal: Seal | None, words: Words) -> str:
    if seal is None or seal.outcome == "never_stamped":
        return words(f"verified_{seal.outcome if seal else 'not_checked'}")
    if seal.outcome == "altered":
        return plain(words("verified_altered", where=seal.difference or "", how=seal.how or ""))
    lines = sum(count for count, _ in seal.files.values())
    said = words("verified_intact", lines=f"{lines:,}", stamps=f"{seal.stamps:,}")
    if seal.outcome != "intact":
        ends = words("comma").join(f"{name}:{seal.files.get(name, (0, ''))[0]}" for name in seal.uncovered)
        later = words.count("verified_intact_up_to", seal.late, ends=ends, stamps=f"{seal.stamps:,}")
        said = later if seal.uncovered else said + words("verified_no_end")
    return plain(f"{said}{words('semicolon')}{signature(seal, words)}")


def signature(seal: Seal, words: Words) -> str:
    """Who signed the stamps, or what it means that nobody did, and what time-stamp tokens say."""
    said = _signed(seal, words)
    if seal.tokens:
        told = words("comma").join(f"{token.stamp} {format_time(token.at)}" for token in seal.tokens)
        name = "timed_trusted" if all(token.trusted for token in seal.tokens) else "timed"
        said += words("semicolon") + words(name, tokens=told)
    said += "".join(words("semicolon") + each for each in against_clock(seal, words))
    return said + forgotten(seal, words)


def against_clock(seal: Seal, words: Words) -> Iterator[str]:
    """What time-stamp authorities say that contradicts the clock of the recording."""
    for token in seal.tokens:
        off_s = (token.at - token.stamped).total_seconds() if token.stamped else 0.0
        if abs(off_s) > SOON.total_seconds():
            yield words("clock_behind" if off_s > 0 else "clock_ahead", stamp=token.stamp, off=span(off_s))


def is_remarkable(report: Report | ComparedRun) -> bool:
    """Whether there is more to say about the stamps than that the recording matches them."""
    seal = report.verified
    return seal is not None and (
        seal.outcome != "intact"
        or bool(seal.forgotten)
        or seal.trusted is not None
        or any(token.trusted for token in seal.tokens)
        or any(against_clock(seal, Words("en")))
    )


def forgotten(seal: Seal, words: Words) -> str:
    """States that lines were forgotten on purpose, how many, when and why; otherwise empty."""
    if not seal.forgotten:
        return ""
    whens = (f"{format_time(each.at)}{f', {each.reason}' if each.reason else ''}" for each in seal.forgotten)
    lines = sum(each.lines for each in seal.forgotten)
    name = "forgotten_lines" if lines else "forgotten_parts"
    return words("semicolon") + plain(words(name, lines=f"{lines:,}", when=words("semicolon").join(whens)))


def _signed(seal: Seal, words: Words) -> str:
    if not seal.signed:
        return words("signed_not")
    keys = words("comma").join(f"{key} {plain((seal.trusted or {}).get(key, ''))}".rstrip() for key in seal.keys)
    if seal.trusted is not None and seal.ok:
        return words("signed_trusted", keys=keys)
    if seal.signed < seal.stamps:
        return words("signed_partly", signed=f"{seal.signed:,}", stamps=f"{seal.stamps:,}", keys=keys)
    return words("signed_whole", keys=keys)


# observed compared with declared, as rows: what was seen, and whether the app's maker declares it

DECLARED_ORDER = ("no", "yes", "unseen")
"""Order of the rows: what was observed but not declared comes first."""


class DeclaredRow(NamedTuple):
    """One data type at one recipient."""

    state: Literal["no", "yes", "unseen"]
    data: str
    recipient: str
    observed: str
    declaration: str
    purpose: str
    evidence: str


def declared_rows(report: Report, words: Words) -> list[DeclaredRow]:
    """The table for a report whose tester supplied a policy.yml; otherwise empty."""
    found = []
    for each in report.declared:
        state: Literal["no", "yes", "unseen"] = "no" if not each.declared else "yes" if each.observed else "unseen"
        found.append(
            DeclaredRow(
                state=state,
                data=picked(each.data, words.lang) if each.picked else words.data(each.data),
                recipient=plain(each.recipient) if each.recipient else words("read") if each.observed else "–",
                observed=f"{each.observed:,}",
                declaration=words(f"declared_{state}"),
                purpose=plain(each.purpose or ""),
                evidence=", ".join(map(plain, each.evidence)),
            )
        )
    return sorted(found, key=lambda row: DECLARED_ORDER.index(row.state))
