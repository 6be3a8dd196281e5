"""What the system counted beyond the recording is said in both languages, with its size, in every format."""

import json
from typing import get_args, get_type_hints

import pytest

from appwitness.findings import Counted, ReportedGap
from appwitness.reports import render
from appwitness.reports.phrases import besides, named_gap
from appwitness.reports.words import Words
from tests.reports import sample

TOLD = {
    "reads": (
        "location: the system counted 14 uses (FINE_LOCATION, by AppOps), hooks saw 12 of them",
        "精准位置：系统计数 14 次使用（AppOps，FINE_LOCATION），钩子观测到其中 12 次",
    ),
    "bytes": (
        "the system counted 14 bytes sent, 12 were recorded: at least 2 bytes unseen",
        "系统计数已发送 14 字节，已录制 12 字节：至少 2 字节未被观测",
    ),
    "host": (
        "FINE_LOCATION was contacted only in the run without hooks: 14 bytes",
        "仅在无钩子的运行中被联系：14 字节",
    ),
    "less": ("14 bytes were sent in the run without hooks, 12 in this one", "无钩子的运行中发送 14 字节"),
    "seconds": ("ended 12 s after it started; in the run without hooks it ran for 14 s", "启动 12 秒后结束"),
}


def choices(field):
    return get_args(get_type_hints(Counted)[field])


def gap(what, by="appops"):
    counted = Counted(by=by, what=what, subject="FINE_LOCATION", data="location", counted=14, recorded=12)
    detail = "in English, for the JSON report"
    return ReportedGap(at=sample.at(5), where="hook", subject="x", why="missed", detail=detail, counted=counted)


@pytest.mark.parametrize("what", choices("what"))
def test_each_count_has_a_sentence_with_its_size(what):
    english, chinese = TOLD[what]
    assert english in named_gap(gap(what), Words("en"))
    assert chinese in named_gap(gap(what), Words("zh"))
    assert besides(gap(what), Words("en")) is None


@pytest.mark.parametrize("by", choices("by"))
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_whoever_counts_has_a_name(by, lang):
    assert named_gap(gap("reads", by), Words(lang))


def test_another_gap_is_named_by_its_subject():
    other = ReportedGap(at=sample.at(5), where="proxy", subject="a.test", why="tls_refused", detail="unknown ca")
    assert (named_gap(other, Words("en")), besides(other, Words("en"))) == ("a.test", "unknown ca")


@pytest.mark.parametrize("format_", ["text", "html", "sarif", "junit"])
@pytest.mark.parametrize(("lang", "number"), [("en", 0), ("zh", 1)])
def test_each_format_says_it(format_, lang, number):
    report = sample.report().model_copy(update={"gaps": (gap("reads"),)})
    said = " ".join(render(report, format_, lang=lang).split())
    said = said.encode().decode("unicode_escape").encode("latin-1").decode() if "\\u" in said else said
    assert TOLD["reads"][number].replace(" ", "") in said.replace(" ", "")


def test_json_has_the_numbers():
    report = sample.report().model_copy(update={"gaps": (gap("reads"),)})
    (told,) = json.loads(render(report, "json"))["gaps"]
    assert told["counted"] == {
        "by": "appops",
        "what": "reads",
        "subject": "FINE_LOCATION",
        "data": "location",
        "counted": 14,
        "recorded": 12,
        "allowed": 0,
    }


def test_what_a_recording_says_of_a_gap_is_said_in_the_readers_language():
    told = "the app was observed for 1.9 s: what it does later was not"
    one = ReportedGap(at=sample.at(5), where="device", subject="run", why="not_observed", detail=told)
    assert besides(one, Words("en")) == told
    assert "1.9 秒" in str(besides(one, Words("zh")))
