"""Lines that say the same hold it once, and still say it."""

from __future__ import annotations

from datetime import UTC, datetime

from appwitness.events import Access, Value, dump, parse
from appwitness.events.shared_parts import SharedParts

AT = datetime(2026, 3, 14, 1, 20, tzinfo=UTC)


def line(second: int, caller: str = "com.example.A.a(A.java:1)") -> Access:
    made = Access(
        at=AT.replace(second=second),
        app="com.example",
        pid=4711,
        source="android.telephony.TelephonyManager.getLine1Number",
        data="phone_number",
        values=(Value(type="phone_number", text="+8613800138000"),),
        outcome="returned",
        stack=("android.telephony.TelephonyManager.getLine1Number(T.java:9)", caller),
        thread="main",
    )
    event = parse(dump(made))  # objects of its own
    assert isinstance(event, Access)
    return event


def test_equal_parts_are_one_object_and_the_lines_say_what_they_said():
    sharing = SharedParts()
    lines = [line(1), line(2), line(3, "com.example.B.b(B.java:2)")]
    before = [dump(each) for each in lines]
    first, second, third = (sharing.of(each) for each in lines)
    assert first.stack is second.stack
    assert first.values is second.values
    assert first.source is third.source
    assert first.stack[0] is third.stack[0]
    assert first.stack != third.stack
    assert [dump(each) for each in (first, second, third)] == before


def test_what_nobody_said_stays_unsaid():
    bare = parse(dump(Access(at=AT, source="a.B.c", data="oaid", outcome="empty")))
    assert dump(SharedParts().of(bare)) == dump(bare)
