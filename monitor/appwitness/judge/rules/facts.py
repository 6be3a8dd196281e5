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
    """What was seen, and what the catalog and the tester say. What is left out is unknown, and then nothing that asks
    for it holds."""

    flows: Sequence[Flow]
    accesses: Sequence[Seen[Access]]
    timeline: Timeline
    observers: Observers = EVERYBODY
    """Who watched: a rule that needs another observer does not judge."""
    clock_uncertainty_ms: float = 0
    """Infinite where nobody compared the clocks of device and host."""
    """How far the clocks of device and host may be apart in spite of all."""
    data_types: DataTypes | None = None
    """Names and properties of kinds of data; without it sentences use the codes."""
    recipients: RecipientTable | None = None
    """Whose code a stack frame is; without it sentences name only the code."""
    consents: Sequence[Seen[Consent]] = ()
    phases: Phases = field(default_factory=Phases)
    claims: Sequence[Claim] = ()
    gaps: Sequence[Gap] = ()
    """What could not be observed."""
    untied: frozenset[Ref] = frozenset()
    """Uploads with claims that no socket or process ties to the app; flows know it themselves."""
    uploads: int = 0
    """How many uploads were captured, with or without personal data."""
    app_type: AppType | None = None
    policy: Policy | None = None
    """What the tester says that the maker declares."""
    territory: str | None = None
    """ISO 3166 code of the country that is not abroad, or EU."""
    laws: Laws | None = None
    """Without it findings name no articles."""
    jurisdictions: tuple[str, ...] = ()
    """Whose laws findings name; none: all that there are."""
    recipient_of: Callable[[str], Recipient] = lambda host: Recipient(host=host)
    """Who a host belongs to, for claims on the wire; flows know theirs."""
    labels: Labels | None = None
    """What a label chooses; without it no condition on labels holds."""
    frequency: Frequency = field(default_factory=Frequency)

    @property
    def ground(self) -> tuple[object, ...]:
        """All but what grows with each access and upload."""
        return tuple(value for name, value in vars(self).items() if name not in GROWING)
