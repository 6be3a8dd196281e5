"""Whether the recording is what was stamped, in one sentence: every report says it."""

from __future__ import annotations

from collections.abc import Iterator

from appwitness.events import Run, format_time
from appwitness.findings import ComparedRun, Report, Seal
from appwitness.recording.timestamps import SOON
from appwitness.reports.time_axis import span
from appwitness.reports.words import Words, plain


def state(report: Report | ComparedRun) -> str:
    """intact, intact_up_to, altered, never_stamped; not_checked where nobody recomputed the stamps."""
    return report.verified.outcome if report.verified else "not_checked"


def is_sound(report: Report | ComparedRun) -> bool:
    """Whether nothing that was checked speaks against the recording."""
    return state(report) in ("intact", "intact_up_to", "not_checked")


def integrity(report: Report | ComparedRun, words: Words) -> str:
    """What recomputing the stamps came to, and of a shared copy what it was made of."""
    said = _recomputed(report.verified, words)
    return words("shared_itself", copy=copied(report.run, words), said=said) if report.run.shared else said


def copied(run: Run, words: Words) -> str:
    """Of a shared copy what it was made of; else nothing."""
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
    said += "".join(words("semicolon") + each for each in clock(seal, words))
    return said + forgotten(seal, words)


def clock(seal: Seal, words: Words) -> Iterator[str]:
    """What time-stamp authorities say against the clock by which the recording was made."""
    for token in seal.tokens:
        off_s = (token.at - token.stamped).total_seconds() if token.stamped else 0.0
        if abs(off_s) > SOON.total_seconds():
            yield words("clock_behind" if off_s > 0 else "clock_ahead", stamp=token.stamp, off=span(off_s))


def is_remarkable(report: Report | ComparedRun) -> bool:
    """Whether there is more to say of its stamps than that all is what they say."""
    seal = report.verified
    return seal is not None and (
        seal.outcome != "intact"
        or bool(seal.forgotten)
        or seal.trusted is not None
        or any(token.trusted for token in seal.tokens)
        or any(clock(seal, Words("en")))
    )


def forgotten(seal: Seal, words: Words) -> str:
    """That lines were forgotten on purpose, how many, when and why; else nothing."""
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
