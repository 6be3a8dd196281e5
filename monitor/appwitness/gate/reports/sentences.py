"""The sentences on a gate that several formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from appwitness.findings.gate_decision import Change, Gated, GatedFlow, Mute, Remark, Unobserved
from appwitness.findings.people import label
from appwitness.gate.reports import GateStory
from appwitness.reports.integrity import integrity, is_remarkable
from appwitness.reports.words import Words, plain

CHANGES: tuple[Change, ...] = ("new", "worse", "new_rule", "not_observable", "gone", "better", "same")
"""In the order in which they are told."""


def verdict(told: GateStory) -> str:
    """One sentence: what the gate decided, and the counts."""
    gate, words = told.gate, told.words
    line = words(f"gate_{gate.outcome}")
    counts = Counter(one.change for one in gate.changes)
    parts = [f"{counts[change]} {words(f'change_{change}')}" for change in CHANGES if counts[change]]
    if gate.flows:
        parts.append(words.count("gate_flows", len(gate.flows)))
    return line + (words("colon") + words("comma").join(parts) if parts else "")


def against(told: GateStory) -> str:
    """What the runs were held against."""
    gate = told.gate
    if gate.against is None:
        return told.words("gate_against_nothing")
    release = f"{told.words('open')}{plain(gate.against.release)}{told.words('close')}" if gate.against.release else ""
    return told.words("gate_against", what=plain(gate.against_what or "")) + release


def about(one: Gated, words: Words) -> str:
    """Data > recipient, code, and plans."""
    behaviour = one.behaviour
    parts = [label(behaviour.people, words.data(behaviour.data), words.lang)] if behaviour.data else []
    if behaviour.recipient:
        parts.append(f"> {plain(behaviour.recipient)}")
    actor = {"app": words("actor_app"), "unknown": words("actor_unknown")}.get(behaviour.actor, plain(behaviour.actor))
    parts.append(f"{words('open').strip()}{actor}; {', '.join(map(plain, behaviour.plans))}{words('close')}")
    return " ".join(parts)


def why(one: Gated, words: Words) -> Iterator[str]:
    """What rose, why nobody knows, and who has accepted it until when."""
    if one.rose and one.was and one.now:
        yield words("comma").join(_rose(one, rose, words) for rose in one.rose)
    for reason in one.unobserved:
        yield unobserved(reason, words)
    if one.waiver:
        yield waiver(one.waiver, words)


def waiver(mute: Mute, words: Words) -> str:
    """Who has accepted it, why and until when, or why that does not hold."""
    return words(
        f"waiver_{mute.state}",
        id=plain(mute.id),
        owner=plain(mute.owner),
        expires=str(mute.expires),
        reason=plain(mute.reason),
        place=plain(mute.place),
    )


def _rose(one: Gated, what: str, words: Words) -> str:
    assert one.was
    assert one.now
    before, now = one.was, one.now
    match what:
        case "level":
            texts = words(f"level_{before.level}"), words(f"level_{now.level}")
        case "confidence":
            texts = words(f"confidence_{before.confidence}"), words(f"confidence_{now.confidence}")
        case "consent":
            texts = words(f"consent_{before.consent}"), words(f"consent_{now.consent}")
        case _:
            texts = ", ".join(map(plain, before.plans)), ", ".join(map(plain, now.plans))
    return f"{words(f'rose_{what}')}: {texts[0]} > {texts[1]}"


def unobserved(reason: Unobserved, words: Words) -> str:
    """Why nobody can say that something is gone."""
    ref = f" [{plain(reason.ref)}]" if reason.ref else ""
    return words(f"unobserved_{reason.why}", subject=plain(reason.subject)) + ref


def flow(one: GatedFlow, words: Words) -> str:
    """A flow that the list forbids or does not allow."""
    text = words(
        f"flow_{one.what}",
        data=label(one.people, words.data(one.data), words.lang),
        recipient=plain(one.recipient),
        consent=words(f"consent_{one.consent}"),
        plan=plain(one.plan),
        upload=plain(one.upload),
    )
    return text + (f" [{plain(one.place)}]" if one.place else "")


def stamps(told: GateStory) -> Iterator[str]:
    """What is to be said of the stamps of each recording, where it is more than that all is intact."""
    for report in told.reports:
        if is_remarkable(report):
            said = integrity(report, told.words)
            yield told.words("gate_stamps", recording=plain(report.recording), said=said)


def remark(one: Remark, words: Words) -> str:
    """What is told besides."""
    return words(f"remark_{one.what}", subject=plain(one.subject), place=plain(one.place or ""))
