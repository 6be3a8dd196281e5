"""A run told in the order of its lines, for tests of rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Access, Consent, Gap, Phase, Ref, Value
from appwitness.events.seen import see
from appwitness.findings import Finding, Flow, Match
from appwitness.judge.app_types import AppTypes
from appwitness.judge.claims import Claim
from appwitness.judge.consent import Observed, Timeline
from appwitness.judge.data_types import DataTypes
from appwitness.judge.laws import Laws
from appwitness.judge.phases import Phases
from appwitness.judge.policy import Policy
from appwitness.judge.recipients import Recipients, RecipientTable
from appwitness.judge.rules import Frequency, Rule, RunFacts, judge


def _read(name, model):
    return yaml_files.parse(next(yaml_files.files(name)), model)


START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
TYPES = _read("data_types.yml", DataTypes)
TABLE = _read("recipients.yml", RecipientTable)
LAWS = _read("laws.yml", Laws)
APP_TYPES = _read("app_types.yml", AppTypes)
LABELS = _read("consent.yml", Labels)
FREQUENCY = _read("frequency.yml", Frequency)
RULES = [yaml_files.parse(path, Rule) for path in yaml_files.files("rules")]
NUMBER = "+8613800138000"
GET_NUMBER = "android.telephony.TelephonyManager.getLine1Number"
QUERY = "android.content.ContentResolver.query"
LOCATE = "android.location.LocationManager.getLastKnownLocation"
SOURCES = {"phone_number": GET_NUMBER, "device_contacts": QUERY, "location": LOCATE}


def at(seconds):
    return START + timedelta(seconds=seconds)


class Scenario:
    """A run told in the order of its lines; each verb appends one line and returns its name."""

    def __init__(self, package="com.example.shop", offset_s=0.0, **known: Any):
        """`known`: app_type, policy, territory, jurisdictions."""
        self.package = package
        self.recipients = Recipients(TABLE, package)
        self.offset_s = offset_s
        self.accesses: list[tuple[Ref, Access]] = []
        self.consents: list[tuple[Ref, Consent]] = []
        self.phases: list[tuple[Ref, Phase]] = []
        self.flows: list[Flow] = []
        self.claimed: list[Claim] = []
        self.gaps: list[Gap] = []
        self.uploads = 0
        self.known = known

    def asked(self, second, **more):
        return self._consent(second, "requested", **{"by": "app", "signal": "dialog", **more})

    def prompted(self, second, permission, **more):
        return self.asked(second, signal="permission_prompt", scope="system_permission", text=permission, **more)

    def answered(self, second, permission, status, **more):
        more = {"signal": "permission_result", "scope": "system_permission", "text": permission, **more}
        return self.says(second, status, **more)

    def separately(self, second, scope, status="given", **more):
        return self.says(second, status, scope=scope, **more)

    def phase(self, second, state, **more):
        ref = f"phases.jsonl:{len(self.phases) + 1}"
        self.phases.append((ref, Phase(at=at(second + self.offset_s), state=state, **more)))
        return ref

    def claims(self, second, kind="sdk", says="given", host=None, **more):
        ref = f"uploads.jsonl:{self.uploads + 1}" if host else f"consents.jsonl:{len(self.consents) + 90}"
        more = {"path": "key", "text": "1", "scope": "general_policy", **more}
        self.claimed.append(Claim(at=at(second), ref=ref, kind=kind, says=says, host=host, **more))
        return ref

    def gap(self, second, where, why):
        self.gaps.append(Gap(at=at(second), where=where, why=why, subject="x"))

    def says(self, second, status, **more):
        return self._consent(second, status, **{"by": "user", "signal": "tap", **more})

    def _consent(self, second, status, **more):
        shift = 0 if more.get("by") == "operator" else self.offset_s
        ref = f"consents.jsonl:{len(self.consents) + 1}"
        self.consents.append((ref, Consent(at=at(second + shift), status=status, **more)))
        return ref

    def reads(self, second, data="phone_number", outcome="returned", rows=None, until=None, **more):
        ref = f"accesses.jsonl:{len(self.accesses) + 1}"
        values: tuple[Value, ...] = ()
        if outcome == "returned" and rows:
            values = tuple(Value(type="name", text=f"Person {row}", row=row) for row in range(rows))
        elif outcome == "returned":
            values = (Value(type=data, text=NUMBER),)
        more = {
            "source": SOURCES.get(data, f"api.of.{data}"),
            "data": data,
            "values": values,
            "outcome": outcome,
            **more,
        }
        until = at(until + self.offset_s) if until else None
        self.accesses.append((ref, Access(at=at(second + self.offset_s), until=until, **more)))
        return ref

    def sends(
        self,
        second,
        access,
        host="api.shop.test",
        data="phone_number",
        rows=None,
        confidence=0.999,
        namesake=False,
        **more,
    ):
        self.uploads += 1
        match = {
            "type": data,
            "value": NUMBER,
            "variant": "plain",
            "path": "$.n",
            "start": 0,
            "end": 1,
            "namesake": namesake,
        }
        numbers = [None] if rows is None else range(rows) if isinstance(rows, int) else rows
        self.flows.append(
            Flow(
                id=f"f{len(self.flows) + 1}",
                access=access,
                upload=f"uploads.jsonl:{self.uploads}",
                data=data,
                consent="not_shown",
                recipient=self.recipients.of(host),
                matches=tuple(Match(**match, confidence=confidence, row=row) for row in numbers),
                at=at(second),
                rows=None if rows is None else len(numbers),
                rows_read=None if rows is None else 12,
                **more,
            )
        )
        return self.flows[-1].upload

    def facts(self, **more):
        offset_ms = self.offset_s * 1000
        app_type = self.known.get("app_type")
        policy = self.known.get("policy")
        consents = [see(ref, line, offset_ms) for ref, line in self.consents]
        return RunFacts(
            flows=self.flows,
            accesses=[see(ref, line, offset_ms) for ref, line in self.accesses],
            timeline=Timeline(consents, START, LABELS, observed=Observed(self.package)),
            data_types=TYPES,
            recipients=TABLE,
            consents=consents,
            phases=Phases([see(ref, line, offset_ms) for ref, line in self.phases], at(3600)),
            claims=self.claimed,
            gaps=self.gaps,
            uploads=self.uploads,
            app_type=None if app_type is None else APP_TYPES.of(app_type),
            policy=None if policy is None else Policy.model_validate(policy),
            territory=self.known.get("territory"),
            labels=LABELS,
            frequency=FREQUENCY,
            recipient_of=self.recipients.of,
            **more,
        )

    def findings(self, **more) -> tuple[Finding, ...]:
        return judge(RULES, self.facts(**more))

    def found(self):
        return [
            (each.rule, each.level, each.confidence, each.recipient.host if each.recipient else None)
            for each in self.findings()
        ]

    def of(self, rule) -> list[Finding]:
        return [each for each in self.findings() if each.rule == rule]
