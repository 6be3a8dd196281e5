"""The facts of a recording that rules judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appwitness.events import Access, Consent, Gap, Observers, Ref
from appwitness.events.seen import Seen
from appwitness.findings import Flow, Recipient
from appwitness.judge.consent import Timeline
from appwitness.judge.data_types import DataTypes
from appwitness.judge.phases import Phases
from appwitness.judge.recipients import RecipientTable
from appwitness.judge.rules.frequency import Frequency

if TYPE_CHECKING:
    from appwitness.catalog.labels import Labels
    from appwitness.judge.app_types import AppType
    from appwitness.judge.claims import Claim
    from appwitness.judge.laws import Laws
    from appwitness.judge.policy import Policy


GROWING = frozenset({"flows", "accesses", "gaps", "uploads"})
EVERYBODY = Observers(hooks=True, proxy=True, consent=True)


@dataclass(frozen=True)
class RunFacts:
    """What was seen, and what the catalog and the tester say. Anything left out is unknown, and a condition on it never
    holds."""

    flows: Sequence[Flow]
    accesses: Sequence[Seen[Access]]
    timeline: Timeline
    observers: Observers = EVERYBODY
    """Who watched: a rule that needs an observer who did not watch is skipped."""
    clock_uncertainty_ms: float = 0
    """How far the clocks of device and host may still be apart; infinite if nobody compared them."""
    data_types: DataTypes | None = None
    """Names and properties of data types; without it sentences use the codes."""
    recipients: RecipientTable | None = None
    """The owners of the code in stack frames; without it sentences name only the code."""
    consents: Sequence[Seen[Consent]] = ()
    phases: Phases = field(default_factory=Phases)
    claims: Sequence[Claim] = ()
    gaps: Sequence[Gap] = ()
    """What could not be observed."""
    untied: frozenset[Ref] = frozenset()
    """Uploads with claims that no socket or process ties to the app; flows carry this themselves."""
    uploads: int = 0
    """How many uploads were captured, with or without personal data."""
    app_type: AppType | None = None
    policy: Policy | None = None
    """What the app's maker declares, according to the tester."""
    territory: str | None = None
    """ISO 3166 code of the country where the users are, or EU."""
    laws: Laws | None = None
    """Without it findings name no articles."""
    jurisdictions: tuple[str, ...] = ()
    """The jurisdictions whose laws findings name; empty: all of them."""
    recipient_of: Callable[[str], Recipient] = lambda host: Recipient(host=host)
    """The owner of a host, for claims on the wire; flows carry theirs."""
    labels: Labels | None = None
    """What each label chooses; without it no condition on labels holds."""
    frequency: Frequency = field(default_factory=Frequency)

    @property
    def ground(self) -> tuple[object, ...]:
        """All facts except those that grow with each access and upload."""
        return tuple(value for name, value in vars(self).items() if name not in GROWING)
