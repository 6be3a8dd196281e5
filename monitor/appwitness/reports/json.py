"""The report as JSON that follows the published schema; the same recording always yields the same bytes."""

from __future__ import annotations

from typing import Any

from appwitness.findings import Report
from appwitness.findings.audit import audit
from appwitness.findings.chain import Chains
from appwitness.reports.phrases import all_said
from appwitness.reports.verdict import facts
from appwitness.reports.words import LANGUAGES, Words
from appwitness.support import escape


def render(report: Report, *, lang: str = "en", reveal: bool = False) -> str:
    """The report as indented JSON with a final newline. `lang` has no effect: titles are included in every language."""
    chains = Chains(report)
    findings = tuple(each.model_copy(update={"chain": chains.of(each)}) for each in report.findings)
    tree = report.model_copy(update={"findings": findings, "audit": audit(report)}).model_dump(mode="json")
    english = Words("en")
    for flow, of_flow in zip(report.flows, tree["flows"], strict=True):
        for match, of_match in zip(flow.matches, of_flow["matches"], strict=True):
            of_match["note"] = all_said(match.reasons, english)  # for people; programs read the codes
    tree["run"]["versions"] = _sorted(tree["run"]["versions"])
    tree["coverage"] = _sorted(tree["coverage"])
    tree["masked"] = not reveal
    tree["headline"] = {lang: facts(report, Words(lang)) for lang in LANGUAGES}
    return escape.document(tree)


def _sorted(tree: Any) -> Any:
    """Free-form objects sorted by key, so that their order does not depend on who filled them."""
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    return [_sorted(item) for item in tree] if isinstance(tree, list) else tree
