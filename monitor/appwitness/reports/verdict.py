"""The opening of every report: what was sent to whom and when, how many findings, and a warning about gaps."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from appwitness.events import Run
from appwitness.findings import CONFIDENCES, LEVELS, Confidence, Finding, Flow, Level, People, Recipient, Report, Why
from appwitness.findings.people import combined, label, told
from appwitness.reports.time_axis import consent_steps, span, step_for
from appwitness.reports.watched import assumption, consent, missing, uncompared
from appwitness.reports.words import Words, capital, plain

FEW = 2
"""Maximum number of data types and recipients that the sentence of facts names."""
ANSWERS = ("given", "refused", "withdrawn", "basic_only", "partial")
"""States that result from a user's answer; closing a question is not one."""
CLEARTEXT = "sent-in-cleartext"
"""The rule that objects to how data was sent."""
BY_ANSWER = frozenset({"sent-before-consent", "sent-after-refusal", "sent-after-withdrawal"})
"""Rules that object to when data was sent, relative to the user's answer."""
OBJECTION = "objection_"
"""Prefix of the keys in words.yml whose texts say what a rule objects to."""
HASHES = re.compile(r"(?<![a-z])(md5|sha|hmac|crc|murmur|xxh|fnv|blake|ripemd|sm3|adler|digest|hash)", re.IGNORECASE)
"""Matches names of variants that are hashes."""
LABEL = 40
"""Maximum number of characters quoted from a button or setting."""


class VerdictLine(NamedTuple):
    """The result in one line, what else to say about it, and the word for its colour."""

    line: str
    more: str
    tone: str
    """`high`, `medium`, `low` or `info` if there are findings; otherwise `gaps`, `none`, or `plain` while the run is
    still being judged."""


@dataclass(frozen=True)
class Graded:
    """Something with the findings about it, and how serious they are."""

    findings: tuple[Finding, ...]
    """Worst first; empty if no rule objects."""

    @property
    def level(self) -> Level | None:
        """The worst level; None if no rule objects."""
        return self.findings[0].level if self.findings else None

    @property
    def confidence(self) -> Confidence | None:
        """The highest confidence among the worst findings; None if no rule objects."""
        return self.findings[0].confidence if self.findings else None

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that object, worst first."""
        return tuple(dict.fromkeys(finding.rule for finding in self.findings))

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sort key: the worst first, then the most certain, then what most rules object to."""
        return (*_rank(self.findings[0]), -len(self.rules)) if self.findings else (len(LEVELS), 0, 0)


@dataclass(frozen=True)
class SentData(Graded):
    """Values of one data type that one recipient received: the flows, and the findings about them."""

    recipient: Recipient
    flows: tuple[Flow, ...]
    """In order of time; at least one."""

    @property
    def data(self) -> str:
        """Code of the data type."""
        return self.flows[0].data

    @property
    def people(self) -> People | None:
        """Whose data was sent there, if it is about people."""
        return combined(self.flows)

    @property
    def attempted(self) -> bool:
        """Whether no response was recorded to any of the uploads, so that nobody knows whether anything arrived."""
        return all(flow.unanswered for flow in self.flows)

    @property
    def moments(self) -> tuple[tuple[Flow, ...], ...]:
        """The flows in order of time, in one group for each period in which the consent stayed the same."""
        return tuple(
            tuple(flows) for _, flows in groupby(self.flows, key=lambda flow: (flow.consent, flow.consent_assumed))
        )


def verdict(report: Report, words: Words) -> VerdictLine:
    """The result of the recording. A run with gaps, or one that nobody watched, is never called clean."""
    lacking = missing(report, words)
    levels = Counter(finding.level for finding in report.findings)
    line, tone = headline(report.run, levels, bool(report.gaps or lacking), words)
    parts = []
    if report.findings:
        if report.gaps:
            parts.append(words.count("and_gaps", len(report.gaps)))
    elif tone == "gaps":
        parts += [words.count("verdict_gaps_more", len(report.gaps))] if report.gaps else []
        parts.append(lacking)
    else:
        parts.append(words("verdict_none_more"))
    parts += [uncompared(report, words), assumption(report, words)]
    if report.run.unhooked is not None:
        parts.insert(0, words("verdict_unhooked_more", why=plain(report.run.unhooked)))
    elif (probe := report.run.probe) is not None and probe.failed:
        parts.insert(0, words("verdict_hooks_failed_more", called=str(probe.called), seen=str(probe.seen)))
    return VerdictLine(line, words("space").join(filter(None, parts)), tone)


def headline(
    run: Run, levels: Mapping[Level, int], unclean: bool, words: Words, *, so_far: bool = False
) -> tuple[str, str]:
    """The line, and the word for its colour, for a run with these numbers of findings by level.

    `unclean`: something could not be observed; `so_far`: the run has not been judged to its end.
    """
    if found := sum(levels.values()):
        tone: str = next(level for level in LEVELS if levels.get(level))
        parts = [f"{levels[level]} {words(f'level_{level}')}" for level in LEVELS if levels.get(level)]
        line = f"{words.count('verdict_findings', found)}{words('colon')}{words('comma').join(parts)}"
    elif so_far:
        line, tone = words("verdict_so_far"), "plain"
    else:
        line, tone = (words("verdict_gaps_only"), "gaps") if unclean else (words("verdict_none"), "none")
    if run.unhooked is not None:
        line = words("verdict_unhooked", line=line)
    elif run.probe is not None and run.probe.failed:
        line = words("verdict_hooks_failed", line=line)
    return line, tone


def sent(report: Report) -> list[SentData]:
    """What was sent, by data type and host: the most serious objections first, then in order of time.

    Data that another app sent, or that went to the device itself, is left out: no finding rests on it.
    """
    groups: dict[tuple[str, str, bool], list[Flow]] = {}
    for flow in sorted(filter(_left, report.flows), key=lambda flow: flow.at):
        groups.setdefault((flow.data, flow.recipient.host, flow.picked), []).append(flow)
    of: dict[str, list[Finding]] = {}
    for finding in worst_first(report):
        for id_ in finding.flows:
            of.setdefault(id_, []).append(finding)
    found = []
    for flows in groups.values():
        findings = {id(finding): finding for flow in flows for finding in of.get(flow.id, ())}
        found.append(SentData(tuple(sorted(findings.values(), key=_rank)), flows[0].recipient, tuple(flows)))
    return sorted(found, key=lambda each: each.rank)


def _left(flow: Flow) -> bool:
    """Whether it left the device, and did not come from another app."""
    reason = flow.recipient.reason
    return not flow.other_app and (reason is None or reason.code != Why.THE_DEVICE)


def facts(report: Report, words: Words) -> str:
    """What was sent to whom, and when, relative to the user's answer."""
    groups = sent(report)
    told = [group for group in groups if group.findings] or groups
    said = [went(report, group, words) for group in told[:FEW]]
    if len(told) > FEW:
        said.append(words.count("went_more", len(told) - FEW))
    text = words("semicolon").join(said)
    return words("sentence", text=capital(text)) if said else ""


def went(report: Report, group: SentData, words: Words) -> str:
    """What was sent of one data type to one recipient, how, and what rules object to; without a full stop.

    If some of the uploads got a response, the text is about these, and the others are counted as attempts.
    """
    answered = tuple(flow for flow in group.flows if not flow.unanswered)
    told_of = replace(group, flows=answered) if answered else group
    said = words("comma").join(filter(None, (_gone(report, told_of, words), *_objected(report, told_of, words))))
    attempts = len({flow.upload for flow in group.flows} - {flow.upload for flow in answered}) if answered else 0
    return said + (words.count("went_unanswered", attempts) if attempts else "")


def objection(report: Report, group: Graded, words: Words) -> str:
    """What the rules object to, in a few words; empty if none does."""
    if not isinstance(group, SentData):
        return plain(words.of(group.findings[0].title)) if group.findings else ""
    if not group.findings:
        return ""
    how = words(f"{OBJECTION}{CLEARTEXT}") if CLEARTEXT in group.rules else ""
    return words("comma").join(filter(None, (how, *_objected(report, group, words))))


def _objected(report: Report, group: SentData, words: Words) -> list[str]:
    """What the rules object to, apart from cleartext. If a rule rests on the user's answer, or no rule objects: when
    the data was sent; otherwise each rule's own words."""
    if rests_on_answer(report, group, words):
        return [words("went_again").join([when(report, flows, words) for flows in group.moments][:FEW])]
    rules = [finding for finding in group.findings if finding.rule != CLEARTEXT]
    return list(dict.fromkeys(_own_words(finding, words) for finding in rules))[:FEW]


def rests_on_answer(report: Report, group: SentData, words: Words) -> bool:
    """Whether a rule that objects rests on what the user had been asked and had answered, or no rule objects."""
    needs = {rule.id: rule.needs for rule in report.rules}
    others = (rule for rule in group.rules if not words.has(f"{OBJECTION}{rule}"))
    return not group.findings or any(rule in BY_ANSWER or "consent" in needs.get(rule, ()) for rule in others)


def _own_words(finding: Finding, words: Words) -> str:
    """What a rule objects to; for a rule that is not ours, its title."""
    key = f"{OBJECTION}{finding.rule}"
    return words(key) if words.has(key) else plain(words.of(finding.title))


def _gone(report: Report, group: SentData, words: Words) -> str:
    """What was sent, how and where to."""
    said, host = _as_sent(group, words), plain(group.recipient.host)
    if not host:
        return _without_host(report, group, words, said)
    attempt = "_attempt" if group.attempted else ""
    if CLEARTEXT in group.rules:
        return words(f"went_how{attempt}", what=said, host=host, how=words(f"{OBJECTION}{CLEARTEXT}"))
    return words(f"went_plainly{attempt}", what=said, host=host)


def _without_host(report: Report, group: SentData, words: Words, said: str) -> str:
    """What was sent, and how, if the recipient has no host: a text message, another app, Bluetooth. Phone numbers are
    counted if every upload shows one."""
    via = group.flows[0].via
    if any(flow.via != via for flow in group.flows) or not words.has(f"went_by_{via}"):
        return words("went_unnamed", what=said)
    uploads = {flow.upload for flow in group.flows}
    numbers = {getattr(report.evidence.get(ref), "url", None) for ref in uploads}
    if via == "sms" and None not in numbers and (len(numbers) == len(uploads)):
        return words.count("went_by_sms_to", len(numbers), what=said)
    return words(f"went_by_{via}", what=said)


def unnamed(flows: Sequence[Flow], words: Words) -> str:
    """What to call a recipient without a host, by how the data left the device."""
    ways = {flow.via for flow in flows}
    key = f"unnamed_{next(iter(ways))}"
    return words(key) if len(ways) == 1 and words.has(key) else words("unnamed")


def _as_sent(group: SentData, words: Words) -> str:
    """The data type, with a remark if only hashes, or only what the app had encrypted, were found."""
    said = what(group, words)
    forms = dict.fromkeys(match.variant for flow in group.flows for match in flow.matches)
    if forms and all(map(is_hash, forms)):
        return words(
            "went_hashed", what=said, forms=words("comma").join(plain(form.replace("_", " ")) for form in forms)
        )
    return words("went_encrypted", what=said) if list(forms) == ["encrypted"] else said


def is_hash(variant: str) -> bool:
    """Whether a variant is a hash or a MAC of the value."""
    return bool(HASHES.search(variant))


def what(group: SentData, words: Words) -> str:
    """The data type; for data about people, with how many out of how many and which of their details; for other rows,
    with how many were sent."""
    data = words.data(group.data)
    if group.people is not None:
        return told(group.people, data, words.lang)
    most = max(group.flows, key=lambda flow: flow.entries or 0)
    if not most.rows_read or most.entries is None:
        return data
    return words("went_entries", data=data, rows=f"{most.entries:,}", rows_read=f"{most.rows_read:,}")


def when(report: Report, flows: tuple[Flow, ...], words: Words) -> str:
    """When the first of these uploads was sent, relative to the question to the user and the answer, and how many
    uploads there were."""
    flow = flows[0]
    steps = consent_steps(report)
    later = [step for step in steps if step.at > flow.at]
    answer = next((step for step in later if step.state in ANSWERS), None)
    since = step_for(steps, flow.at, flow.consent)
    if flow.consent_unordered:
        text = words("when_unordered")
    elif flow.consent_assumed or flow.consent == "not_observed":
        text = words("when_state", state=consent(flow, words))
    elif flow.consent == "not_shown" and later and later[0].state not in ANSWERS:
        text = words("when_before_question", span=span((later[0].at - flow.at).total_seconds()))
    elif flow.consent in ("not_shown", "requested") and answer:
        text = words("when_before_answer", span=span((answer.at - flow.at).total_seconds()))
    elif flow.consent == "not_shown":
        text = words("when_no_question")
    elif flow.consent == "requested":
        text = words("when_unanswered")
    elif since and since.event.text:
        label = plain(since.event.text)[:LABEL]
        state, time = consent(flow, words), span((flow.at - since.at).total_seconds())
        text = words("when_after_label", span=time, label=label, state=state)
    elif since:
        time = span((flow.at - since.at).total_seconds())
        text = words("when_after", span=time, state=consent(flow, words))
    else:
        text = words("when_state", state=consent(flow, words))
    uploads = len({flow.upload for flow in flows})
    return text + words("when_times", count=f"{uploads:,}") if uploads > 1 else text


def worst_first(report: Report) -> list[Finding]:
    """Findings by level, then by confidence; otherwise in the order in which they were judged."""
    return sorted(report.findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, int]:
    return LEVELS.index(finding.level), CONFIDENCES.index(finding.confidence)


# what a report is about, worst first: each data type at each recipient, and the findings without anything sent


@dataclass(frozen=True)
class DataAtRecipient(Graded):
    """One data type at one recipient; without a recipient, what findings say about reads and questions."""

    data: str
    """Empty: the findings are about no data type."""
    host: str
    """Empty: nothing was sent, or nobody saw it sent."""
    sent: SentData | None = None

    def label(self, words: Words) -> str:
        """The data type; if few people are identified, how many out of how many; empty if it is about none."""
        data = words.data(self.data) if self.data else ""
        return label(self.sent.people, data, words.lang) if self.sent else data

    @property
    def flows(self) -> tuple[Flow, ...]:
        """In order of time."""
        return self.sent.flows if self.sent else ()


def groups(report: Report) -> list[DataAtRecipient]:
    """The groups of a report, worst first."""
    made = [DataAtRecipient(each.findings, each.data, each.recipient.host, each) for each in sent(report)]
    told = {id(finding) for group in made for finding in group.findings}
    rest: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in worst_first(report):
        if id(finding) not in told:
            rest[finding.data or "", finding.recipient.host if finding.recipient else ""].append(finding)
    made += [DataAtRecipient(tuple(findings), *key) for key, findings in rest.items()]
    return sorted(made, key=lambda group: group.rank)


def sentence(group: DataAtRecipient, report: Report, words: Words) -> str:
    """What was sent to whom and when, without a full stop; for a group without flows, the title of its worst rule."""
    if group.sent:
        said = went(report, group.sent, words)
    else:
        title = plain(words.of(group.findings[0].title))
        said = f"{words.data(group.data)}{words('colon')}{title}" if group.data else title
    return capital(said)
