"""Whether the app was in the foreground, the screen on, or the app begun by itself: tables of phase lines."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appwitness.events import Phase
from appwitness.events.seen import see
from appwitness.judge.phases import Phases

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
BROADCAST = "started by a broadcast: android.intent.action.BOOT_COMPLETED"

SERVICE = "started by a service: com.example.Push"
OBSERVER = "started by the observer: the app ended after it was refused"


def at(seconds):
    return START + timedelta(seconds=seconds)


def phases(lines, offset_s=0.0, last=3600.0, shuffle=None):
    """Lines as (second, state[, text[, pid]])."""
    made = []
    for number, line in enumerate(lines, 1):
        text, pid = [*line[2:], None, 1][:2] if len(line) != 3 else (line[2], 1)
        second, state = line[:2]
        made.append((f"phases.jsonl:{number}", Phase(at=at(second + offset_s), state=state, text=text, pid=pid)))
    if shuffle is not None:
        random.Random(shuffle).shuffle(made)
    return Phases([see(ref, line, offset_s * 1000) for ref, line in made], at(last))


STATES = [
    ("no line at all", [], 5, (None, None, True, None)),
    ("before the first line", [(10, "foreground")], 5, (None, None, True, None)),
    ("at the very moment", [(10, "foreground")], 10, (True, None, True, None)),
    ("in front", [(1, "started"), (2, "foreground")], 5, (True, None, True, None)),
    ("left", [(2, "foreground"), (4, "background")], 5, (False, None, True, "phases.jsonl:2")),
    ("back again", [(2, "foreground"), (4, "background"), (6, "foreground")], 7, (True, None, True, None)),
    ("screen off", [(2, "foreground"), (4, "screen_off")], 5, (True, False, True, "phases.jsonl:2")),
    ("screen on again", [(4, "screen_off"), (6, "screen_on")], 7, (None, True, True, None)),
    (
        "in the background with the screen off",
        [(2, "background"), (4, "screen_off")],
        5,
        (False, False, True, "phases.jsonl:1"),
    ),
    ("a mark says nothing", [(2, "foreground"), (3, "mark", "paid")], 5, (True, None, True, None)),
    (
        "a second process of a living app",
        [(1, "started"), (2, "foreground"), (9, "started", None, 2)],
        20,
        (True, None, True, None),
    ),
    (
        "a new life begins unknown",
        [(1, "started"), (2, "foreground"), (4, "background"), (9, "exited"), (90, "started"), (91, "foreground")],
        90.5,
        (None, None, True, None),
    ),
]


@pytest.mark.parametrize("offset_s", [-60, 0, 3600])
@pytest.mark.parametrize(("lines", "second", "expected"), [pytest.param(*case[1:], id=case[0]) for case in STATES])
def test_what_was_known_at_a_moment(lines, second, expected, offset_s):
    assert tuple(phases(lines, offset_s).at(at(second))) == expected
    assert tuple(phases(lines, offset_s, shuffle=7).at(at(second))) == expected


ONCE = [(1, "started"), (1.4, "foreground"), (40, "background"), (60, "exited")]
BY_ITSELF = [
    ("opened", [(1, "started"), (1.4, "foreground")], 1.2, None),
    ("attached to, and never shown", [(1, "started")], 500, None),
    ("attached to in the background", [(1, "started"), (400, "foreground")], 300, None),
    ("opened twice", [*ONCE, (90, "started"), (91, "foreground")], 90.5, None),
    ("opened slowly", [*ONCE, (90, "started"), (115, "foreground")], 100, None),
    ("restarted, never shown", [*ONCE, (90, "started")], 95, "phases.jsonl:5"),
    ("restarted, shown much later", [*ONCE, (90, "started"), (500, "foreground")], 400, "phases.jsonl:5"),
    ("restarted by the observer", [*ONCE, (89, "mark", OBSERVER, None), (90, "started")], 95, None),
    (
        "restarted by the observer, then by itself",
        [*ONCE, (89, "mark", OBSERVER, None), (90, "started"), (95, "exited"), (99, "started")],
        110,
        "phases.jsonl:8",
    ),
    ("restarted, and shown by now", [*ONCE, (90, "started"), (500, "foreground")], 501, None),
    ("a restart that nobody could have seen shown", [(1, "started"), (60, "exited"), (90, "started")], 500, None),
    ("brought up", [(1, "started"), (1.1, "mark", BROADCAST)], 2, "phases.jsonl:2"),
    ("brought up, and opened soon", [(1, "started"), (1.1, "mark", BROADCAST), (3, "foreground")], 2, "phases.jsonl:2"),
    ("opened, and a service started too", [(1, "started"), (1.1, "mark", SERVICE), (3, "foreground")], 2, None),
    ("a service, and never shown", [(1, "started"), (1.1, "mark", SERVICE)], 2, "phases.jsonl:2"),
    ("a broadcast long after the start", [(1, "started"), (60, "mark", BROADCAST)], 100, None),
    ("a broadcast while it was shown", [(1, "started"), (2, "foreground"), (3, "mark", BROADCAST)], 4, None),
]


@pytest.mark.parametrize(("lines", "second", "ref"), [pytest.param(*case[1:], id=case[0]) for case in BY_ITSELF])
def test_which_lives_the_app_began_by_itself(lines, second, ref):
    status = phases(lines).at(at(second))
    assert (status.ever_foreground, status.ref if not status.ever_foreground else None) == (ref is None, ref)


def test_a_run_that_goes_on_is_not_judged_too_early():
    lines = [*ONCE, (90, "started")]
    assert phases(lines, last=95).at(at(94)).ever_foreground
    assert not phases(lines, last=121).at(at(94)).ever_foreground


ENDS = [
    ("soon", [(10, "exited")], "phases.jsonl:1"),
    ("too late", [(20, "exited")], None),
    ("before", [(5, "exited")], None),
    ("killed", [(10, "exited", "killed")], None),
    ("while its connection was lost", [(10, "exited", "unseen")], None),
    ("after the observation ended", [(9, "mark", "observation ended"), (10, "exited")], None),
    ("not its last process", [(1, "started"), (2, "started", None, 2), (9, "exited")], None),
    (
        "its last process",
        [(1, "started"), (2, "started", None, 2), (9, "exited"), (10, "exited", None, 2)],
        "phases.jsonl:4",
    ),
    ("what it had on the screen went with it", [(9.5, "background"), (10, "exited")], "phases.jsonl:2"),
    ("somebody had left it", [(7.5, "background"), (10, "exited")], None),
    ("the question itself had covered it", [(6, "background"), (10, "exited")], "phases.jsonl:2"),
]


@pytest.mark.parametrize(("lines", "ref"), [pytest.param(*case[1:], id=case[0]) for case in ENDS])
def test_the_app_ended_within_five_seconds(lines, ref):
    found = phases(lines).exit_after(at(7), timedelta(seconds=5))
    assert (found and found[1]) == ref


LEFT = [
    ("no line at all", [], None),
    ("away", [(8, "background")], (8, "phases.jsonl:1")),
    ("away, told twice", [(8, "background"), (9, "background")], (8, "phases.jsonl:1")),
    ("away and back", [(8, "background"), (9, "foreground")], None),
    ("away, back, away", [(8, "background"), (9, "foreground"), (10, "background")], (10, "phases.jsonl:3")),
    ("away before, and still", [(6, "background")], None),
    ("at that very moment", [(12, "background")], (12, "phases.jsonl:1")),
    ("later", [(13, "background")], None),
    ("ended", [(8, "exited")], (8, "phases.jsonl:1")),
    ("ended, and begun anew", [(8, "exited"), (9, "started"), (10, "foreground")], (8, "phases.jsonl:1")),
    ("another process ended", [(8, "exited", None, 2)], None),
]


@pytest.mark.parametrize(("lines", "since"), [pytest.param(*case[1:], id=case[0]) for case in LEFT])
def test_what_was_on_the_screen_has_been_left_since(lines, since):
    assert phases(lines).left(at(7), at(12), 1) == (since and (at(since[0]), since[1]))


@pytest.mark.parametrize("offset_s", [-3600, 0, 3600])
def test_a_mark_of_the_host_carries_its_clock(offset_s):
    lines: list[Any] = [(8, "mark", "observation ended", None), (9 + offset_s, "exited", "JVM_Halt", 1)]
    made = [
        (f"phases.jsonl:{number}", Phase(at=at(second), state=state, text=text, pid=pid))
        for number, (second, state, text, pid) in enumerate(lines, 1)
    ]
    assert (
        Phases([see(ref, line, offset_s * 1000) for ref, line in made]).exit_after(at(7), timedelta(seconds=5)) is None
    )
    assert Phases([see(ref, line, offset_s * 1000) for ref, line in made[1:]]).exit_after(
        at(7), timedelta(seconds=5)
    ) == (at(9), "phases.jsonl:2")


def test_whether_anybody_saw_the_app_at_all():
    assert not phases([(1, "started"), (2, "screen_on")]).shown
    assert phases([(1, "started"), (2, "foreground")]).shown


@pytest.mark.parametrize(
    ("lines", "last", "settled"),
    [
        ([], 5, True),
        ([(1, "started"), (2, "foreground")], 5, True),
        ([(1, "started")], 5, True),  # the observer began it, or came to it while it ran
        ([(1, "started"), (1, "mark", SERVICE)], 5, False),
        ([(1, "started"), (1, "mark", SERVICE)], 15, True),
        ([(1, "started"), (1, "mark", SERVICE), (4, "foreground")], 5, True),
        ([(1, "started"), (2, "foreground"), (3, "exited"), (4, "started")], 5, False),
        ([(1, "started"), (2, "foreground"), (3, "exited"), (4, "started")], 50, True),
    ],
)
def test_it_is_known_whether_a_longer_run_may_change_what_is_said(lines, last, settled):
    assert phases(lines, last=last).settled == settled
    later = [phases(lines, last=each).at(at(3600)) for each in (last, last + 3600)]
    assert (later[0] == later[1]) == settled
