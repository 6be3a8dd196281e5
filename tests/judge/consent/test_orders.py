"""Every order of up to three things that can happen, held against what the texts say, told here once more and apart."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from appwitness.catalog import yaml_files
from appwitness.catalog.labels import Labels
from appwitness.events import Consent
from appwitness.events.seen import see
from appwitness.judge.consent import Timeline

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
LABELS = yaml_files.parse(yaml_files.HERE / "consent.yml", Labels)
HAPPENS: dict[str, dict[str, Any]] = {
    "shown": {"signal": "dialog", "status": "requested", "by": "app", "text": "用户协议和隐私政策"},
    "changed": {"signal": "dialog", "status": "requested", "by": "app", "text": "隐私政策更新"},
    "closed": {"signal": "dialog", "status": "dismissed", "by": "user"},
    "agreed": {"signal": "tap", "status": "given", "by": "user", "text": "同意并继续"},
    "refused": {"signal": "tap", "status": "refused", "by": "user", "text": "不同意"},
    "basic": {"signal": "tap", "status": "refused", "by": "user", "text": "仅浏览"},
    "withdrawn": {"signal": "tap", "status": "withdrawn", "by": "user", "text": "撤回同意"},
    "got it": {"signal": "tap", "status": "given", "by": "user", "text": "我知道了"},
    "claimed": {"signal": "sdk_call", "status": "given", "by": "app"},
    "allowed": {"signal": "permission_result", "status": "given", "by": "user", "scope": "system_permission"},
    "denied": {"signal": "permission_result", "status": "refused", "by": "user", "scope": "system_permission"},
    "marked yes": {"signal": "operator", "status": "given", "by": "operator"},
    "marked no": {"signal": "operator", "status": "refused", "by": "operator"},
}
ANSWERS = {
    "agreed": "given",
    "marked yes": "given",
    "refused": "refused",
    "marked no": "refused",
    "basic": "basic_only",
    "withdrawn": "withdrawn",
}


def expected(happened) -> str:
    """The last answer counts, and a changed policy ends a yes; without one, whether the question is on the screen."""
    answered = [number for number, each in enumerate(happened) if each in ANSWERS]
    if answered:
        answer = ANSWERS[happened[answered[-1]]]
        return "expired" if answer == "given" and "changed" in happened[answered[-1] :] else answer
    seen = [each for each in happened if each in ("shown", "changed", "closed", "got it")]
    return "not_shown" if not seen else "dismissed" if seen[-1] == "closed" else "requested"


def state(happened, apart_s: float) -> str:
    lines = [
        (f"consents.jsonl:{n}", Consent(at=START + timedelta(seconds=n * apart_s), **HAPPENS[each]))
        for n, each in enumerate(happened, 1)
    ]
    return (
        Timeline([see(ref, line, 0) for ref, line in lines], labels=LABELS)
        .at(START + timedelta(seconds=60), "location")
        .state
    )


def test_every_order_of_up_to_three_apart_and_of_one_time():
    orders = [order for length in (1, 2, 3) for order in product(HAPPENS, repeat=length)]
    wrong = {
        (order, apart): (state(order, apart), expected(order))
        for order in orders
        for apart in (0, 0.000001, 5)
        if state(order, apart) != expected(order)
    }
    assert len(orders) == 13 + 13**2 + 13**3
    assert not wrong
