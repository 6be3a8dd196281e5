"""A hook stays, whatever ART does to the method's class; where one was taken away, that is mended and told."""

from __future__ import annotations

import time
from collections import Counter

import frida
import pytest

from appwitness.agent.agent import Agent
from appwitness.agent.sources import Source
from tests.art.conftest import Run
from tests.art.programs import FIRST_USED
from tests.art.rig.vm import SLOWNESS, Held

pytestmark = pytest.mark.timeout(240)

THREADS, ROUNDS = 8, 5
METHODS = ("fixed", "own", "shut")


def source(cls: str, method: str, *, reads: bool = True) -> Source:
    values = [{"from": "return"}] if reads else []
    return Source(name=f"{cls}.{method}", cls=cls, method=method, data="phone_number", values=values)


def test_the_first_use_of_a_class_by_many_threads_loses_no_hook(play: Run) -> None:
    sources = [source(f"kept.First{n}", method) for n in range(FIRST_USED) for method in METHODS]
    played = play("kept", sources, "storm", stack=False)
    calls = FIRST_USED * THREADS * ROUNDS * len(METHODS)
    assert (played.printed, played.code) == (f"{calls}\n", 0), played.log[-3000:]
    seen: Counter[str] = Counter()
    for access in played.accesses:
        seen[access.source] += access.count
    assert sum(seen.values()) == calls
    assert set(seen.values()) == {THREADS * ROUNDS}
    assert [gap for gap in played.gaps if gap.why in ("hook_lost", "hook_error")] == []


def test_a_default_method_is_hooked_in_the_classes_that_do_not_override_it(play: Run) -> None:
    sources = [source("kept.Given", "given"), source("java.util.Collection", "removeIf", reads=False)]
    played = play("kept", sources, "kinds")
    assert (played.printed, played.code) == (f"{4 * ROUNDS + 1}\n", 0)
    seen: Counter[str] = Counter()
    for access in played.accesses:
        seen[access.values[0].text if access.values else access.source] += access.count
    assert seen == {
        **{f"given {name} x": ROUNDS for name in ("early", "lambda", "later", "own")},
        "java.util.Collection.removeIf": 1,  # HashSet was there long before
    }


def test_a_method_that_is_a_source_and_a_check_of_certificates_is_both(play: Run) -> None:
    played = play("kept", [source("okhttp3.CertificatePinner", "check", reads=False)], "twice", unpin=True)
    assert (played.printed, played.code) == (f"{ROUNDS}\n", 0)
    assert played.agent.unpinned["okhttp3.CertificatePinner.check"] == "met"
    assert sum(access.count for access in played.accesses) == ROUNDS
    assert {access.outcome for access in played.accesses} == {"returned"}


UNDO = """
const jvms = Memory.alloc(8), env = Memory.alloc(8);
const art = Process.getModuleByName("libart.so");
const jni = (table, index, returns, takes) =>
    new NativeFunction(table.readPointer().add(8 * index).readPointer(), returns, ["pointer", ...takes]);
new NativeFunction(art.getExportByName("JNI_GetCreatedJavaVMs"), "int", ["pointer", "int", "pointer"])(jvms, 1, env);
const vm = jvms.readPointer();
jni(vm, 4, "int", ["pointer", "pointer"])(vm, env, NULL);
const own = env.readPointer();
const find = (cls, method, types) => {
    const found = jni(own, 6, "pointer", ["pointer"])(own, Memory.allocUtf8String(cls));
    return jni(own, 113, "pointer", ["pointer", "pointer", "pointer"])(
        own, found, Memory.allocUtf8String(method), Memory.allocUtf8String(types));
};
const ENTRY = 32, FLAGS = 4, FAST = 0x40000000;
const hooked = find("kept/Undone", "value", "(I)Ljava/lang/String;"), other = find("kept/Main", "undone", "()V");
const [ours, its] = [hooked, other].map((method) => method.add(ENTRY).readPointer());
hooked.add(ENTRY).writePointer(its);
hooked.add(FLAGS).writeU32(hooked.add(FLAGS).readU32() | FAST);
send(!ours.equals(its));
"""
"""What ART 10 does to a method that nobody watches: its own entry point, and the flag for its interpreter. The thread
is the agent's too, and stays attached."""


def test_a_hook_that_was_undone_is_mended_and_told(play: Run) -> None:
    said: list[object] = []

    def undo(agent: Agent, _: Held) -> None:
        time.sleep(1)
        assert agent.pid is not None
        session = frida.attach(agent.pid)
        script = session.create_script(UNDO)
        script.on("message", lambda message, _: said.append(message.get("payload", message)))
        script.load()
        session.detach()

    played = play("kept", [source("kept.Undone", "value")], "undone", during=undo)
    assert said == [True], said
    assert (played.printed, played.code) == ("500\n", 0)
    (gap,) = [gap for gap in played.gaps if gap.why == "hook_lost"]
    assert gap.subject == "kept.Undone.value"
    assert gap.until is not None
    seen = {int(access.values[0].text.split()[1]): access.at for access in played.accesses}
    lost = set(range(500)) - set(seen)
    assert lost or SLOWNESS > 1  # where the processor is emulated, the hook may be back before the next call
    if lost:
        assert lost == set(range(min(lost), max(lost) + 1))
        assert gap.at <= seen[max(lost) + 1]
        assert seen[min(lost) - 1] <= gap.until <= seen[max(lost) + 1]


def test_the_agent_checks_itself_and_sees_every_call(play: Run) -> None:
    played = play("kept", [], "twice")
    probe = played.agent.probe
    assert probe is not None
    assert (probe.hooked, probe.called, probe.seen, probe.missed, probe.problem) == (4, 8, 8, (), None)
