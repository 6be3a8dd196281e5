"""Runs for the tests of the gate: reports whose findings are told in a line each."""

from datetime import UTC, datetime, timedelta

from appwitness.events import Access, AppIdentity, DeviceIdentity, Observers, Run
from appwitness.findings import Code, Finding, JudgedRule, Recipient, Report, ReportedGap

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
RULES = ("sent-before-consent", "sent-after-refusal", "address-book-upload", "read-before-consent")
SOURCE = "android.telephony.TelephonyManager.getLine1Number"


def finding(
    rule="sent-before-consent",
    data="phone_number",
    host="ads.adnet.test",
    actor="AdNet",
    *,
    level="high",
    confidence="proven",
    consent="requested",
    code="com.adnet.Sync.send",
    line=1,
    key=None,
) -> Finding:
    """One finding; `actor` None: the app's own code; "": no code was seen."""
    sent_by = None if actor == "" else Code(code=code, owner=actor, ref=f"connections.jsonl:{line}")
    return Finding(
        rule=rule,
        level=level,
        confidence=confidence,
        title={"en": rule.replace("-", " "), "zh": rule},
        data=data,
        recipient=Recipient(host=host, key=".".join(host.split(".")[-2:]) if key is None else key) if host else None,
        consent=consent,
        sent_by=sent_by,
        evidence=(f"accesses.jsonl:{line}", f"uploads.jsonl:{line}"),
    )


def report(
    *findings, plan="accept", name="run", rules=RULES, gaps=(), package="com.example.weather", **fields
) -> Report:
    """A run of one app that showed these findings."""
    refs = {ref for each in findings for ref in each.evidence if ref.startswith("accesses")}
    return Report(
        recording=name,
        run=Run(
            id=name,
            app=AppIdentity(package=package, version="4.1.0", version_code=410),
            device=DeviceIdentity(serial="lab", kind="lab"),
            plan=plan,
            started=START,
            observers=Observers(hooks=True, proxy=True, consent=True),
        ),
        findings=findings,
        rules=tuple(JudgedRule(id=rule, level="high", title={"en": rule}) for rule in rules),
        gaps=tuple(gaps),
        evidence={ref: Access(at=START, source=SOURCE, data="phone_number", outcome="returned") for ref in refs},
        **fields,
    )


def gap(subject, why="tls_refused", where="proxy", **fields) -> ReportedGap:
    """Something that was not observed."""
    return ReportedGap(
        at=START + timedelta(seconds=1), where=where, subject=subject, why=why, ref="gaps.jsonl:1", **fields
    )
