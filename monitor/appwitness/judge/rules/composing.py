"""Composes a finding: its level, its confidence, the lines that show it, and its sentence."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache, cached_property, partial
from itertools import chain, pairwise, takewhile
from typing import NamedTuple

from appwitness.events import Consent, DataType, Ref
from appwitness.events.refs import Key, Refs, key_of
from appwitness.findings import (
    CONFIDENCES,
    LEVELS,
    Article,
    Code,
    ConsentStatus,
    Finding,
    Flow,
    Level,
    Party,
    People,
    Recipient,
)
from appwitness.findings.people import combined, told
from appwitness.judge.clock_order import decided
from appwitness.judge.code import code_and_owner
from appwitness.judge.data_types import DataTypes
from appwitness.judge.rules import sentences
from appwitness.judge.rules.condition_registry import JudgedRun, Test
from appwitness.judge.rules.conditions import holding
from appwitness.judge.rules.facts import RunFacts
from appwitness.judge.rules.grouping import FindingGroup
from appwitness.judge.rules.model import Raised, Rule
from appwitness.judge.rules.sightings import CERTAIN, PERMISSION_SIGNALS, Sighting, bound_of, in_time, rows
from appwitness.judge.rules.translations import LANGUAGES, Language

PROVEN, CORROBORATED, INDICATED, DECLARED = range(len(CONFIDENCES))
EVIDENCE = 20
"""Maximum number of lines that a finding names in `evidence`; `all_evidence` has all of them."""
Words = dict[str, Callable[[], str]]
"""Words for a sentence, computed when the sentence uses them."""
_NO_TYPES = DataTypes(items=())


class One(NamedTuple):
    """A rule's result for one sighting."""

    grade: int
    """Index in CONFIDENCES."""
    level: int
    """Index in LEVELS."""
    lines: tuple[tuple[Ref, ...], ...]
    """The lines that show it besides those of the sighting itself, in parts that many results have in common."""


_Made = dict[object, tuple[One, ConsentStatus | None, ConsentStatus | None]]
"""Everything that a rule looks at in a sighting -> the result, and the statuses whose ids are in the key, to keep them
alive."""


class Answers(NamedTuple):
    """What the user had been asked and had answered at one moment, as far as a rule depends on it."""

    separate: ConsentStatus | None
    """The status in the separate scope that the rule names; None: it names none."""
    against: tuple[Ref, ...]
    """Lines that contradict these answers within seconds."""


class Reporter:
    """Makes findings from groups, for one recording."""

    def __init__(self, run: JudgedRun) -> None:
        self._facts = facts = run.facts
        self._sightings = run.sightings
        self._timeline = facts.timeline
        # Method caches would keep this object, and with it all sightings, alive until a garbage collection.
        self._law = cache(partial(_touched, facts))
        self._levels = cache(partial(_raised, run))
        self._contrary = cache(self._timeline.against)
        self._code = cache(partial(code_and_owner, facts.recipients))
        self._shown = cache(_shown)

    def ones(self, rule: Rule, group: FindingGroup, before: Mapping[Sighting, One]) -> list[One]:
        """The rule's result for each sighting in a group, in their order; known results are reused."""
        known = {} if rule.needs_others else before
        raised = self._levels(rule.levels)
        made: _Made = {}
        return [known.get(each) or self._one(rule, raised, each, made) for each in group.members]

    def _one(self, rule: Rule, raised: list[tuple[Level, Test]], sighting: Sighting, made: _Made) -> One:
        level = next((level for level, holds in raised if holds(sighting)), rule.level)
        separate, later = self._separate(rule, sighting), self._later(rule, sighting)
        key: object = sighting
        if rule.on in ("access", "flow"):
            when = rule.when
            key = (
                level,
                self._supported(rule, sighting),
                id(sighting.status),
                id(separate),
                id(later),
                sighting.phase.ref if when.phase else None,
                sighting.record.ref if when.record and sighting.record else None,
            )
        if key not in made:
            answers = self._answers(rule, sighting.status, separate)
            grade = self._grade(rule, sighting, answers)
            lines = tuple(self._lines(rule, sighting, answers, later))
            made[key] = One(grade, LEVELS.index(level), lines), separate, later
        return made[key][0]

    def finding(self, rule: Rule, group: FindingGroup, ones: Sequence[One]) -> Finding:
        """One finding for everything in a group, led by the sighting that proves most."""
        order = _order(group.members, ones)
        members = [group.members[place] for place in order]
        lead = members[0]
        answers = self._answers(rule, lead.status, self._separate(rule, lead))
        count = group.count
        recipient = self._recipient(lead)
        about_scope = rule.when.scope is not None
        articles, laws = self._law(rule.kinds, about_scope, lead.data, recipient.party if recipient else None)
        read_by, sent_by = self._ends(members)
        # lines to check by hand: all of the first sighting's, then those of the others in turn
        evidence = Refs.distinct(_evidence(zip(members, map(ones.__getitem__, order), strict=True)))
        people = combined(_flows_of(members))
        return Finding(
            rule=rule.id,
            level=LEVELS[min(one.level for one in ones)],
            confidence=CONFIDENCES[ones[order[0]].grade],
            title=rule.title,
            detail={language: self._detail(rule, group, members, answers, people, language) for language in LANGUAGES},
            data=lead.data,
            recipient=recipient,
            consent=lead.status.told if rule.on != "run" else None,
            consent_assumed=lead.status.assumed or _assumes(rule, lead, answers),
            consent_unordered=rule.on != "run" and lead.status.unordered,
            read_by=read_by,
            sent_by=sent_by,
            people=people,
            count=count,
            flows=_flow_ids(members),
            evidence=evidence[:EVIDENCE],
            all_evidence=evidence,
            kinds=rule.kinds,
            articles=articles,
            references=(*laws, *rule.references),
        )

    def _ends(self, members: list[Sighting]) -> tuple[Code | None, Code | None]:
        """The code that read the data and the code that sent it; each is None unless stacks show it and agree."""
        read_by: dict[tuple[str, str | None], Code] = {}
        sent_by: list[Code] = []
        other_readers = False
        for each in members:
            flow = each.flow or next((one.flow for one in each.flows if one.flow), None)
            other_readers = other_readers or (each.flow is not None and each.flow.other_readers)
            access = each.access or each.read
            named = self._code(access.stack, access.owners) if access else None
            if named and named not in read_by and (ref := each.ref if each.access else flow and flow.access):
                read_by[named] = Code(code=named[0], owner=named[1], ref=ref)
            if flow and flow.carrier and flow.carrier.code:
                sent_by.append(flow.carrier.code)
        return None if other_readers else _same([*read_by.values()]), _same(sent_by)

    def _recipient(self, lead: Sighting) -> Recipient | None:
        if lead.flow is not None:
            return lead.flow.recipient
        if lead.claim is None or lead.claim.host is None:
            return None
        return self._facts.recipient_of(lead.claim.host)

    def _grade(self, rule: Rule, sighting: Sighting, answers: Answers) -> int:
        """The index in CONFIDENCES: if two independent observers, the hook and the wire, agree, a finding is proven.

        A flow is proven if the hook saw the read before it and the match is no coincidence. It is corroborated if both
        saw it but the match could be a coincidence, or the clocks do not tell which came first. It is indicated if only
        the wire saw it (a value of the persona), or if it carried nothing but names that other people have too. A read
        is proven if its value was on the wire, in an upload of the app's, while the rule's consent condition still held
        (so it must have been read by then); corroborated if it was on the wire at any time; indicated if only the hook
        saw it. A claim on the wire is proven if the state that it is compared with was observed; other claims, consent
        lines and the run as a whole are indicated.

        An upload that no socket, process or transform ties to the app may be another app's, and so may one with only a
        likely socket: what rests on either is corroborated at most.

        These are also corroborated at most: what rests on an answer about which a tap and an operator's mark within
        seconds disagree; what only the agent saw, that is messages, and connections that the proxy could not read; and
        anything in a run whose hooks failed the agent's self-check.

        These are indicated at most: a refusal that follows only from the choice of the basic function in an app of
        unknown type; what rests on consent in a run whose hooks failed the self-check; and what rests on the order of
        lines of two clocks that nobody compared, such as those of hook log and capture in an import. What rests on a
        consent that the operator assumes is indicated at most, and declared if only one observer saw the rest.
        """
        grade, unordered = self._supported(rule, sighting)
        if rule.when.consent is not None and sighting.status.state == "not_shown" and self._sightings.carried_over:
            # Consent from an earlier run, on an install that was not clean, is consent that this run did not see.
            grade = max(grade, INDICATED)
        if answers.against:
            grade = max(grade, CORROBORATED)
        if self._guessed(sighting):
            grade = INDICATED
        if rule.when.consent is not None and self._facts.observers.hooks_failed:
            # A hook that saw no question and no yes may have missed them.
            grade = max(grade, INDICATED)
        if grade == PROVEN and not self._together:
            grade = CORROBORATED
        if _assumes(rule, sighting, answers):
            grade = DECLARED if grade == INDICATED else INDICATED
        if unordered or _unordered(rule, sighting, answers):
            grade = max(grade, INDICATED)
        return max(grade, CONFIDENCES.index(rule.at_most))

    @cached_property
    def _together(self) -> bool:
        """Whether hooks and proxy both watched the run while it was made, with working hooks."""
        observers = self._facts.observers
        return observers.hooks and observers.proxy and observers.stamped == "during" and not observers.hooks_failed

    def _supported(self, rule: Rule, sighting: Sighting) -> tuple[int, bool]:
        """The confidence that the observations at the two ends (read and upload) alone support, as an index in
        CONFIDENCES; and whether nobody compared their clocks."""
        if sighting.flow is not None:
            return self._shown(sighting)
        if sighting.flows:
            shown = [self._shown(flow) for flow in sighting.flows]
            uncompared = all(each for _, each in shown)
            if not any(_is_certain(flow) for flow in sighting.flows):
                return INDICATED, uncompared
            consent = rule.when.consent
            in_time = any(
                grade == PROVEN and (consent is None or flow.is_in(consent))
                for (grade, _), flow in zip(shown, sighting.flows, strict=True)
            )
            return PROVEN if in_time else CORROBORATED, uncompared
        if sighting.claim is not None and sighting.claim.host is not None and sighting.status.ref is not None:
            return CORROBORATED if sighting.ref in self._facts.untied else PROVEN, False
        return INDICATED, False

    def _lines(
        self, rule: Rule, sighting: Sighting, answers: Answers, later: ConsentStatus | None
    ) -> Iterable[tuple[Ref, ...]]:
        # the consent lines that caused it, and those that an operator has since replaced
        for status in (sighting.status, answers.separate, later):
            if status is not None:
                yield (status.ref, *status.corrected) if status.ref else status.corrected
        yield answers.against
        if sighting.record and rule.when.record:
            yield (sighting.record.ref,)
        when = rule.when
        if when.phase and sighting.phase.ref:
            yield (sighting.phase.ref,)
        if when.together is not None:
            yield tuple(each.ref for each in self._sightings.asked_with(sighting))
        if end := self._end(rule, sighting):
            yield (end[1],)
        if when.purpose is not None and (notice := self._notice(sighting)):
            yield (notice.ref,)

    def _answers(self, rule: Rule, status: ConsentStatus, separate: ConsentStatus | None) -> Answers:
        when = rule.when
        if math.isinf(self._facts.clock_uncertainty_ms):
            # Nobody knows whether a tap (device's clock) and a mark (host's clock) happened at the same time.
            return Answers(separate, ())
        against: tuple[Ref, ...] = ()
        if when.consent is not None:
            against = self._contrary(status.ref, status.state, "general_policy")
        if separate is not None:
            against += self._contrary(separate.ref, separate.state, when.separate.scope)
        return Answers(separate, tuple(dict.fromkeys(against)) if against else ())

    def _separate(self, rule: Rule, sighting: Sighting) -> ConsentStatus | None:
        if rule.when.separate is None:
            return None
        scope, data = rule.when.separate.scope, sighting.data
        if math.isinf(sighting.uncertainty_ms):
            return decided(self._timeline, sighting.at, sighting.clock, math.inf, data, scope)
        return self._timeline.at(sighting.at, data, scope)

    def _later(self, rule: Rule, sighting: Sighting) -> ConsentStatus | None:
        """The consent that came too late, for a rule about the time before it; otherwise None."""
        if rule.on not in ("access", "flow", "claim") or rule.when.consent is None:
            return None
        if sighting.status.unordered or sighting.status.state in ("given", "refused", "withdrawn", "basic_only"):
            return None
        return self._timeline.given_after(sighting.at, sighting.data)

    def _end(self, rule: Rule, sighting: Sighting) -> tuple[float, Ref] | None:
        if rule.when.ended_within_s is None:
            return None
        within = timedelta(seconds=rule.when.ended_within_s)
        found = self._facts.phases.exit_after(sighting.at, within)
        return ((found[0] - sighting.at).total_seconds(), found[1]) if found else None

    def _notice(self, sighting: Sighting) -> Sighting | None:
        notices = self._sightings.notices
        after = bisect_right(notices, sighting.at, key=lambda each: each.at)
        return notices[after] if after < len(notices) else None

    def _detail(
        self,
        rule: Rule,
        group: FindingGroup,
        members: list[Sighting],
        answers: Answers,
        people: People | None,
        language: Language,
    ) -> str:
        lead, flows = members[0], _flows_of(members)
        words: Words = {
            "data": lambda: told(people, self._label(lead.data or "", language), language),
            "when": lambda: sentences.when(lead.at, group.count, language),
            "consent": lambda: self._consent(rule, lead, language),
            **self._circumstances(rule, group, lead, answers, language),
        }
        if (flow := lead.flow) is not None:
            to = flow.recipient
            if rule.when.record and (record := lead.record):
                words["record"] = lambda: sentences.record(
                    sentences.claim(record.kind, record.path, record.text, record.host, language),
                    record.at, record.at_start, record.ref, language,
                )  # fmt: skip
            words |= {
                "recipient": lambda: sentences.recipient(to, language, flow.via),
                "sent": lambda: sentences.sent(flow, language),
                "rows": lambda: sentences.rows(*rows(members), language),
                "whose": lambda: self._whose(people, members, language),
                "forms": lambda: sentences.forms({match.variant for each in flows for match in each.matches}, language),
            }
        elif lead.access is not None:
            access = lead.access
            read_rows = {value.row for value in access.values if value.row is not None}
            words |= {
                "source": lambda: lead.what,
                "entries": lambda: sentences.entries(len(read_rows), language),
                "caller": lambda: sentences.callers(
                    [each.access for each in members if each.access], self._facts.recipients, language
                ),
            }
        elif lead.consent is not None:
            words |= self._asked(rule, lead, lead.consent, language)
        elif lead.claim is not None:
            claim = lead.claim
            words["speaker"] = lambda: sentences.speaker(lead.ref not in self._facts.untied, language)
            words["claim"] = lambda: sentences.claim(claim.kind, claim.path, claim.text, claim.host, language)
        else:
            unseen = self._sightings.unseen
            words["reads"] = lambda: self._reads(lead, language)
            words["unseen"] = lambda: sentences.also((self._label(data, language) for data in unseen), language)
        said = sentences.filled(rule.detail[language], words, language)
        if answers.against:
            said = _joined(said, sentences.against(answers.against, language))
        if lead.flow is not None and lead.flow.simultaneous:
            said += sentences.simultaneous(bound_of(lead.flow), language)
        if lead.claim is not None and lead.ref in self._facts.untied:
            said += sentences.untied(language)
        return said + sentences.shortcomings(flows, language)

    def _whose(self, people: People | None, members: list[Sighting], language: Language) -> str:
        """Whose data was sent and which of their details; for rows that are not about people, how many."""
        data = self._label(members[0].data or "", language)
        if people is not None:
            return told(people, data, language)
        many = sentences.rows(*rows(members), language)
        return f"{many} of the {data}" if language == "en" else f"{data} {many}"

    def _circumstances(
        self, rule: Rule, group: FindingGroup, lead: Sighting, answers: Answers, language: Language
    ) -> Words:
        """The words that are available only if the rule has a certain condition."""
        when, facts = rule.when, self._facts
        words: Words = {}
        if (separate := answers.separate) is not None:
            words["separate"] = lambda: sentences.separate(separate, when.separate.scope, language)
        if phase := next((name for name in when.phase or () if holding(name, lead)), None):
            words["phase"] = lambda: sentences.phase(phase, lead.phase.ref, language)
        if when.scope and (type_ := facts.app_type):
            name = type_.en if language == "en" else type_.zh
            words["app_type"] = lambda: sentences.app_type(type_.number, name, language)
        if (stretch := group.stretch) and (preset := group.preset) and (caller := group.caller):
            words["often"] = lambda: sentences.often(stretch, preset, caller.code, caller.name, group.state, language)
        if when.sent is not None:
            words["capture"] = lambda: sentences.capture(facts.uploads, language)
        if when.abroad and (flow := lead.flow) and (territory := facts.territory):
            words["country"] = lambda: sentences.country(flow.recipient, territory, language)
        if when.with_:
            others = (self._sightings.together[lead.ref] - {lead.data}) & set(when.with_)
            words["also"] = lambda: sentences.also((self._label(code, language) for code in others), language)
        return words

    def _asked(self, rule: Rule, lead: Sighting, consent: Consent, language: Language) -> Words:
        permission = consent.signal in PERMISSION_SIGNALS
        words: Words = {
            "text": lambda: sentences.label(consent.text, language),
            "question": lambda: sentences.question(consent.text, permission, language),
        }
        if rule.when.together is not None:
            names = [each.what for each in self._sightings.asked_with(lead)]
            words["permissions"] = lambda: sentences.permissions(names, language)
        if end := self._end(rule, lead):
            words["end"] = lambda: sentences.stopped(*end, language)
        if rule.when.purpose is not None:
            notice = self._notice(lead)
            seconds = (notice.at - lead.at).total_seconds() if notice else None
            words["notice"] = lambda: sentences.notice(seconds, notice.ref if notice else None, language)
        return words

    def _consent(self, rule: Rule, lead: Sighting, language: Language) -> str:
        said = sentences.consent(lead.status, self._later(rule, lead), lead.at, language)
        return said + sentences.type_unknown(language) if self._guessed(lead) else said

    def _guessed(self, sighting: Sighting) -> bool:
        """Whether a refusal follows only from the choice of the basic function in an app of unknown type."""
        return sighting.status.state == "basic_only" and sighting.decided == "refused" and not self._facts.app_type

    def _reads(self, lead: Sighting, language: Language) -> str:
        counts: Counter[str] = Counter()
        for each in self._sightings.accesses:
            counts[self._label(each.data or "", language)] += each.count
        return sentences.reads(counts, lead.at, language)

    def _label(self, data: str, language: Language) -> str:
        return (self._facts.data_types or _NO_TYPES).label(data, language)


def _unordered(rule: Rule, sighting: Sighting, answers: Answers) -> bool:
    """Whether a result depends on the order of a consent line and another line, whose clocks nobody compared."""
    if answers.separate is not None and answers.separate.unordered:
        return True
    return rule.when.consent is not None and sighting.status.unordered


def _assumes(rule: Rule, sighting: Sighting, answers: Answers) -> bool:
    """Whether it depends on a consent, or its absence, that was assumed rather than observed."""
    if answers.separate is not None and answers.separate.assumed:
        return True
    return rule.when.consent is not None and sighting.status.assumed


def _order(members: Sequence[Sighting], ones: Sequence[One]) -> Sequence[int]:
    """The places of the members, the one that proves most first; equal ones in order of time."""
    places: Iterable[int] = range(len(members))
    if any(later < earlier for earlier, later in pairwise(map(in_time, members))):
        places = sorted(places, key=lambda place: in_time(members[place]))
    ranks: dict[tuple[int, bool, bool], array[int]] = defaultdict(partial(array, "I"))
    for place in places:
        ranks[ones[place].grade, *_shortcomings(members[place])].append(place)
    return array("I", chain.from_iterable(ranks[rank] for rank in sorted(ranks)))


def _evidence(results: Iterable[tuple[Sighting, One]]) -> Iterator[Key]:
    """The lines that show each result in turn; those that several have in common, at least once."""
    told: set[object] = set()
    for each, one in results:
        yield from each.lines
        if each.flows:
            yield each.flows[0].lines[-1]
        if id(one) not in told:
            told.add(id(one))
            for part in one.lines:
                if part not in told:
                    told.add(part)
                    yield from map(key_of, part)
        if each.flow is not None and each.flow.connection:
            yield key_of(each.flow.connection)


def _flow_ids(members: Iterable[Sighting]) -> tuple[str, ...]:
    """The flows of sightings, in order of time."""
    carried = sorted((each for each in members if each.flow or each.flows), key=in_time)
    return tuple(dict.fromkeys(flow.id for each in carried for flow in _flows(each)))


def _flows_of(members: Iterable[Sighting]) -> list[Flow]:
    """The flows of those sightings that are flows; not the flows that carried the values of an access."""
    return [each.flow for each in members if each.flow]


def _same(codes: list[Code]) -> Code | None:
    """The code they have in common: the same method, otherwise the class or package that contains them all, if they
    have one owner; None if there is none."""
    if not codes or len({each.owner for each in codes}) > 1:
        return None
    shared = takewhile(lambda parts: len({*parts}) == 1, zip(*(each.code.split(".") for each in codes), strict=False))
    names = [parts[0] for parts in shared]
    if len({each.code for each in codes}) == 1:
        return codes[0]
    return codes[0].model_copy(update={"code": ".".join(names)}) if len(names) > 1 else None


def _flows(sighting: Sighting) -> list[Flow]:
    """The flow itself; for a read, the flows that carried its values."""
    each = (sighting, *sighting.flows)
    return [one.flow for one in each if one.flow]


def _on_the_wire(flow: Sighting) -> bool:
    """Whether the proxy saw an upload of the app's, and not only the agent, which also saw the read."""
    if flow.clock != "host" or flow.flow is None or flow.flow.untied:
        return False
    return flow.flow.carrier is None or flow.flow.carrier.by != "host"  # by host: a likely socket, not a certain one


def _shortcomings(sighting: Sighting) -> tuple[bool, bool]:
    """Whether a sentence about a sighting has to leave open whose upload it was, and whether it arrived."""
    return (sighting.flow.untied, sighting.flow.unanswered) if sighting.flow else (False, False)


def _is_certain(flow: Sighting) -> bool:
    """Whether its value is no coincidence, and no name that other people have too."""
    return flow.certainty >= CERTAIN and not flow.namesake


def _shown(sighting: Sighting) -> tuple[int, bool]:
    """The confidence that a flow alone supports, as an index in CONFIDENCES; and whether nobody compared the clock of
    its upload with that of its read."""
    flow = sighting.flow
    if flow is None or flow.access is None:
        return INDICATED, False
    uncompared = flow.clock == "host" and flow.uncertainty_ms is None
    if sighting.namesake:
        return INDICATED, uncompared
    sure = _is_certain(sighting) and not flow.simultaneous and _on_the_wire(sighting)
    return PROVEN if sure else CORROBORATED, uncompared


def _joined(sentence: str, more: str) -> str:
    """A sentence with another clause before its full stop."""
    return f"{sentence[:-1]}{more}{sentence[-1]}" if sentence[-1:] in (".", "。") else sentence + more


def _raised(run: JudgedRun, levels: tuple[Raised, ...]) -> list[tuple[Level, Test]]:
    return [(each.level, each.when.test(run)) for each in levels]


def _touched(
    facts: RunFacts, kinds: tuple[str, ...], about_scope: bool, data: DataType | None, party: Party | None
) -> tuple[tuple[Article, ...], tuple[str, ...]]:
    """The articles that finding types touch, and the same in words; for a rule about the necessary scope, also the
    item on the app's type."""
    if facts.laws is None:
        return (), ()
    articles = facts.laws.articles(kinds, facts.jurisdictions, data, party)
    type_ = facts.app_type.article if about_scope and facts.app_type else None
    if type_ is not None and (not facts.jurisdictions or type_.jurisdiction in facts.jurisdictions):
        articles = (type_, *articles)
    return articles, facts.laws.references(articles)
