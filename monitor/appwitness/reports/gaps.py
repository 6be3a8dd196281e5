"""What a gap is about, in the reader's language: a name, or, of what the system counted, a sentence with its size."""

from __future__ import annotations

from appwitness.events import FILES
from appwitness.findings import Report, ReportedGap
from appwitness.reports.words import Words


def named(gap: ReportedGap, words: Words) -> str:
    """Its subject, and for what hooks or proxy missed how much that is."""
    if (counted := gap.counted) is None:
        return gap.subject
    return words(
        f"missed_{counted.what}",
        data=words.data(counted.data or ""),
        subject=counted.subject,
        by=words(f"counted_by_{counted.by}"),
        counted=f"{counted.counted:,}",
        recorded=f"{counted.recorded:,}",
        unseen=f"{counted.unseen:,}",
    )


def has_forgotten(report: Report, kind: str) -> bool:
    """Whether lines of a kind were forgotten in the recording."""
    return any(gap.why == "forgotten" and gap.subject == FILES[kind] for gap in report.gaps)


def besides(gap: ReportedGap) -> str | None:
    """What else is to be said of it; nothing where `named` has said it."""
    return gap.detail if gap.counted is None else None
