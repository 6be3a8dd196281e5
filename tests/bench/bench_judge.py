"""Judging with every rule we have: whether ten times the flows take ten times longer.

Runs of 10,000 and of 100,000 flows, with as many accesses. In an ordinary one the user is asked and the app comes and
goes once in a thousand of them; in a dense one there is a consent line, a phase and a claim for each. Seconds
are those of one core, whatever else it did, the best of a few rounds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from appwitness.correlate.prior_knowledge import Knowledge, knowledge
from appwitness.events import Access, Consent, Phase, Ref, Value
from appwitness.events.seen import see
from appwitness.findings import Finding, Flow, Match, Recipient
from appwitness.judge.claims import Claim
from appwitness.judge.consent import Timeline
from appwitness.judge.phases import Phases
from appwitness.judge.policy import Policy
from appwitness.judge.rules import RunFacts, judge
from appwitness.support.collecting import uncollected
from tests.bench.figures import Figure, Given
from tests.bench.running import alone, talk

SIZES = (10_000, 100_000)
ROUNDS = 3
START = datetime(2026, 5, 1, tzinfo=UTC)
STEP = timedelta(milliseconds=40)
KINDS = ("phone_number", "location", "device_id_imei", "android_id", "oaid", "bank_card", "installed_apps", "clipboard")
SDKS = ("com.umeng.analytics", "com.adnet.sdk", "com.friendgraph.sdk", "com.example.shop")
HOSTS = 200
POLICY = {
    "first_party": ["shop.test"],
    "audience": "children",
    "data": [{"type": "phone_number", "purposes": ["signing in"]}],
    "recipients": [{"name": "Shop", "hosts": ["shop.test"], "data": ["phone_number"]}],
}


class Lines(NamedTuple):
    """One run, before anything was thought of it."""

    flows: list[Flow]
    accesses: list[tuple[Ref, Access]]
    consents: list[tuple[Ref, Consent]]
    phases: list[tuple[Ref, Phase]]
    claims: list[Claim]


def lines(size: int, every: int = 1) -> Lines:
    """That many flows and accesses; once in `every` of them the user is asked, agrees, refuses or takes back, the app
    comes or goes, and something is claimed."""
    made = Lines([], [], [], [], [])
    for number in range(size):
        at = START + number * STEP
        kind, sdk = KINDS[number % len(KINDS)], SDKS[number // 7 % len(SDKS)]
        ref = f"accesses.jsonl:{number + 1}"
        made.accesses.append((ref, _access(at, kind, sdk, number)))
        made.flows.append(_flow(at + STEP / 2, ref, kind, number))
        if number % every == 0:
            _beside(made, at, number // every)
    return made


def _beside(made: Lines, at: datetime, number: int) -> None:
    made.consents.append((f"consents.jsonl:{number + 1}", _consent(at + STEP / 3, number)))
    states: tuple[Any, ...] = ("foreground", "background", "screen_off", "screen_on")
    state = states[number % 4]
    made.phases.append((f"phases.jsonl:{number + 1}", Phase(at=at, state=state, pid=1)))
    made.claims.append(_claim(at + STEP / 2, number))


def _access(at: datetime, kind: str, sdk: str, number: int) -> Access:
    return Access(
        at=at,
        app="com.example.shop",
        pid=1,
        source=f"android.os.Source{number % 12}.get",
        data=kind,
        values=(Value(type=kind, text=f"value {number % 97}"),),
        outcome="returned",
        stack=(f"android.os.Source{number % 12}.get(Source.java:9)", f"{sdk}.Reader.read(Reader.java:{number % 40})"),
    )


def _flow(at: datetime, access: Ref, kind: str, number: int) -> Flow:
    third = number % 3 == 0
    return Flow(
        id=f"f{number + 1}",
        access=access if number % 5 else None,
        upload=f"uploads.jsonl:{number + 1}",
        data=kind,
        consent="given",
        recipient=Recipient(
            host=f"h{number % HOSTS}.{'adnet' if third else 'shop'}.test",
            party="third" if third else "first",
            country=("CN", "US", None)[number % 3],
        ),
        matches=(
            Match(
                type=kind,
                value=f"value {number % 97}",
                variant=("plain", "sha256")[number % 2],
                path="$.device.id",
                start=10,
                end=40,
                confidence=0.99,
            ),
        ),
        at=at,
        access_at=at - STEP / 2,
        cleartext=number % 11 == 0,
    )


def _consent(at: datetime, number: int) -> Consent:
    asked, answered = ("dialog", "requested", "app"), ("tap", "given", "user")
    signal, status, by = (
        asked,
        answered,
        ("tap", "refused", "user"),
        ("tap", "withdrawn", "user"),
        ("permission_prompt", "requested", "app"),
        ("permission_result", "refused", "user"),
        ("sdk_call", "given", "app"),
        ("operator", "given", "operator"),
    )[number % 8]
    scope = ("general_policy", "third_party_separate", "ads_tracking", "sensitive_separate")[number // 8 % 4]
    fields: dict[str, Any] = {"signal": signal, "status": status, "by": by, "scope": scope}
    if number % 3 == 0:
        fields["data"] = [KINDS[number % len(KINDS)]]
    label = {"given": "OK" if number % 24 == 1 else "Agree", "refused": "Disagree"}.get(status)
    return Consent(at=at, text=label, **fields)


def _claim(at: datetime, number: int) -> Claim:
    return Claim.model_validate(
        {
            "at": at,
            "ref": f"uploads.jsonl:{number + 1}",
            "kind": ("tcf", "gcs", "npa", "gdpr_consent")[number % 4],
            "path": "url.query.gdpr_consent",
            "text": "CQhQ...",
            "says": ("given", "refused")[number % 2],
            "scope": "ads_tracking",
            "purposes": ("1", "3"),
            "host": f"h{number % HOSTS}.adnet.test",
        }
    )


def facts(made: Lines, known: Knowledge) -> RunFacts:
    """The lines as rules look at them: the timelines of consent and phases are part of what is measured."""
    phases = Phases([see(ref, line, 0) for ref, line in made.phases])
    consents = [see(ref, line, 0) for ref, line in made.consents]
    return RunFacts(
        flows=made.flows,
        accesses=[see(ref, line, 0) for ref, line in made.accesses],
        timeline=Timeline(consents, run_started=START, labels=known.labels, phases=phases),
        data_types=known.data_types,
        recipients=known.recipients,
        consents=consents,
        phases=phases,
        claims=made.claims,
        uploads=len(made.flows),
        app_type=known.app_types.of(4),
        policy=Policy.model_validate(POLICY),
        territory="CN",
        laws=known.laws,
        labels=known.labels,
        frequency=known.frequency,
    )


def best(work: Callable[[], Any]) -> float:
    """Seconds of one core, the best of a few rounds."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return min(spent)


def judged(size: int, every: int, known: Knowledge) -> float:
    """Seconds that judging one run takes."""
    made = lines(size, every)
    found: list[tuple[Finding, ...]] = []
    with uncollected():  # as the walk judges
        took = best(lambda: found.append(judge(known.rules, facts(made, known))))
    laid_out = best(lambda: facts(made, known))
    fired = {finding.rule for finding in found[-1]}
    talk(
        f"{size:,} flows and accesses, {len(made.claims):,} consent lines, phases and claims; {len(known.rules)} rules"
    )
    talk(
        f"  judging      {took:8.2f} s   {took / size * 1e6:8.1f} us/flow   {len(found[-1])} findings of {len(fired)} "
        f"rules; laying out consent and phases took {laid_out:.2f} s of it"
    )
    return took


def measure() -> Iterator[Given]:
    """How long judging takes, and how that grows."""
    known = knowledge()
    for name, every in (("ordinary", 1_000), ("dense", 1)):
        few, many = (judged(size, every, known) for size in SIZES)
        yield Figure(f"{name} run, ten times the flows", many / few)


if __name__ == "__main__":
    sys.exit(alone("judge", measure()))
