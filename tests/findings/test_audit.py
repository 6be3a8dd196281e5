"""What the monitor itself changed and caused: as far as the recording says so, and "not recorded" where it does not."""

import json

import pytest

from appwitness.events import Change, Endpoint, OwnRequest, Probe, Screen, Touch
from appwitness.events.seen import Seen
from appwitness.findings import Counted
from appwitness.findings.audit import SHORT, audit
from appwitness.findings.mask import masked
from appwitness.reports import render
from appwitness.reports.phrases import said
from appwitness.reports.words import Words
from tests.reports import sample

MADE = Change(at=sample.at(-9), what="set global http_proxy", before=":0", undone=sample.at(40))
LEFT = Change(at=sample.at(-8), what="frida-server in /data/local/tmp/.a1", undone=None)
COUNTED = Counted(by="control", what="host", subject="log.tracker.test", counted=900, recorded=0)


def codes(coverage=None, screens=(), gaps=(), **of_run):
    return [each.code for each in audit(report(coverage, screens, gaps, **of_run))]


def report(coverage=None, screens=(), gaps=(), **of_run):
    return sample.report(run=sample.run(**of_run), coverage=coverage or {}, screens=screens, gaps=gaps)


def test_an_early_recording_says_what_it_does_not_record():
    assert codes() == [
        "probe_unrecorded", "unpin_unrecorded", "planted", "changes_unrecorded", "requests_unrecorded", "no_control",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("of_run", "expected"),
    [
        ({"hooks": {"a.B.c": "installed", "a.B.d": "waiting"}}, {"wrapped"}),
        ({"unhooked": "hooks were switched off"}, {"unhooked"}),
        ({"probe": Probe(hooked=4, called=8, seen=8)}, {"probe_passed"}),
        ({"probe": Probe(hooked=4, called=8, seen=7)}, {"probe_failed"}),
        ({"probe": Probe(hooked=0, called=0, seen=0)}, set()),
        ({"tried": "no"}, {"untried"}),
        ({"tried": "yes"}, set()),
        ({"tried": None}, set()),
        ({"tried": "no", "unhooked": "hooks were switched off"}, {"unhooked"}),  # no agent was there to miss anything
        ({"unpin": False}, {"not_unpinned"}),
        ({"unpin": True, "unpinned": {"okhttp3.CertificatePinner.check": "met"}}, {"unpinned"}),
        ({"proxy": Endpoint(ip="127.0.0.1", port=8080)}, {"proxied"}),
        ({"proxy": Endpoint(ip="127.0.0.1", port=8080), "mode": "redirect"}, {"proxied", "redirected"}),
        ({"changes": ()}, {"unchanged"}),
        ({"changes": (MADE,)}, {"all_undone"}),
        ({"changes": (MADE, LEFT)}, {"not_undone"}),
        ({"changes": (MADE, LEFT), "ended": None}, {"changes_so_far"}),
        ({"requests": ()}, {"no_requests"}),
        ({"requests": (OwnRequest(what="time_stamp", to="tsa.test"), OwnRequest(what="frida_build", to="github.com"),
                       OwnRequest(what="proxy_reached", to="10.0.2.2:8080"))},
         {"asked_time", "fetched_frida", "tried_proxy"}),
        ({"persona": ()}, set()),
    ],
)  # fmt: skip
def test_what_is_recorded_is_said(of_run, expected):
    assert set(codes(**of_run)) - set(codes()) == expected


def test_an_import_says_that_nothing_of_it_is_recorded():
    observers = {"hooks": True, "proxy": True, "stamped": "at_import"}
    assert codes(observers=observers, hooks={"a.B.c": "installed"}) == ["audit_imported"]


def test_a_control_run_that_was_compared_is_said_with_what_differed():
    assert codes({"control": 3})[-1] == "control_agrees"
    gap = sample.report().gaps[0].model_copy(update={"counted": COUNTED, "subject": COUNTED.subject})
    told = audit(report({"control": 3}, gaps=(gap,)))[-1]
    assert told.model_extra == {"count": 1, "names": ["log.tracker.test"]}


def test_touches_of_the_plan_are_counted_and_those_of_a_person_are_not():
    screens = tuple(
        Seen(f"screens.jsonl:{number}", number, sample.at(number),
             Screen(at=sample.at(number), what="touch", why="plan", by="host", touched=touch))
        for number, touch in enumerate((Touch(label="OK", by="plan"), Touch(label="OK", by="user")), 1)
    )  # fmt: skip
    assert next(each for each in audit(report(screens=screens)) if each.code == "played").model_extra == {"count": 1}


def test_masking_hides_values_in_changes_and_does_not_make_them_recorded():
    value = sample.OWN.text
    one = masked(report(changes=(MADE.model_copy(update={"what": f"plant {value}", "before": value}),), notes=(value,)))
    assert value not in one.model_dump_json()
    assert [each.code for each in audit(masked(report()))] == codes()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_format_says_it_in_its_length(lang):
    one = report(changes=(MADE, LEFT), notes=("backups were switched off",), tried="no")
    words = Words(lang)
    sentences = {each.code: said(each, words) for each in audit(one)}
    assert [each["code"] for each in json.loads(render(one, "json"))["audit"]] == list(sentences)
    page = render(one, "html", lang=lang)
    assert "set global http_proxy" in page
    assert "backups were switched off" in page
    letter, short, whole = (
        "".join(render(one, name, lang=lang, verbose=verbose).split())
        for name, verbose in (("complaint", False), ("text", False), ("text", True))
    )
    assert words("audit").replace(" ", "") in letter
    for code, sentence in sentences.items():
        begin = "".join(sentence.split())[2:20]
        assert sentence[1:20] in page
        assert begin in letter
        assert (begin in short) == (code in SHORT)
    assert words("audit_changes") in page
    assert "".join(words("audit").split())[:4] in whole
