"""The page of one finding: what was read, what was sent, the bytes with the value marked, and the reasoning."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from appwitness.api.browsing import in_order
from appwitness.findings import Finding, Flow, Report
from appwitness.findings.surroundings import Context
from appwitness.reports.page.cards import Cards
from appwitness.reports.page.flows import ShownFlows
from appwitness.reports.page.sections import ranges
from appwitness.reports.verdict import DataAtRecipient, SentData
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken
from appwitness.web.query import PageRequest, fields_of
from appwitness.web.recording_page import head

MOST_RANGES = 400
"""Maximum number of ranges of lines that are listed."""


def finding(asked: PageRequest, problem: str = "", fields: Mapping[str, str] | None = None) -> Response:
    """One finding, by its number in the recording; for a refused waiver form, with the problem and the fields."""
    number = asked.request.path_params["number"]
    report, words = asked.report, asked.words
    if not 1 <= number <= len(report.findings):
        raise UserError(
            Spoken("{recording} has no finding {number}.", recording=asked.recording, number=number),
            "See the list of its findings.",
        )
    found = report.findings[number - 1]
    group = _alone(found, report)
    report = report.model_copy(update={"contexts": {flow.id: _around(asked, flow) for flow in group.flows[:1]}})
    (card,) = Cards(report, words, ShownFlows(report, words)).of([group])
    listed = list(ranges(found.all_evidence))
    order = [each.number for each in in_order(asked.concluded.findings)]
    at = order.index(number)
    facts = {
        **head(asked),
        "finding": {
            "number": number,
            **fields_of(found, "rule level confidence data consent title detail evidence flows"),
            "host": found.recipient and found.recipient.host,
        },
        "problem": problem,
        "lines": listed[:MOST_RANGES],
        "before": order[at - 1] if at else None,
        "after": order[at + 1] if at + 1 < len(order) else None,
        "_card": card,
        "_tag": card.tags[0],
        "_more_lines": max(0, len(listed) - MOST_RANGES),
        "_may_act": asked.site.work is not None,
        "_fields": fields or {},
        "_place": at + 1,
        "_all": len(order),
    }
    return asked.answer("finding.html", facts, 400 if problem else 200)


def _around(asked: PageRequest, flow: Flow) -> tuple[Context, ...]:
    found = asked.site.index.around(asked.recording, flow)
    return found if asked.reveal else tuple(map(asked.mask.context, found))


def _alone(found: Finding, report: Report) -> DataAtRecipient:
    """The finding as a group by itself, with only its own flows."""
    wanted = set(found.flows)
    flows = tuple(sorted((flow for flow in report.flows if flow.id in wanted), key=lambda flow: flow.at))
    host = found.recipient.host if found.recipient else ""
    sent = SentData((found,), flows[0].recipient, flows) if flows else None
    return DataAtRecipient((found,), found.data or "", host, sent)
