from datetime import timedelta

import pytest

from appwitness.events import Access, Upload
from appwitness.events.packed_lines import PackedLines
from appwitness.findings.mask import masked
from appwitness.reports import timeline
from appwitness.reports.timeline import (
    GUTTER,
    LANES,
    LINKS,
    RIGHT,
    TOGETHER,
    WIDTH,
    _DrawnFlow,
    _thinned,
    _ticks,
    minutes,
)
from appwitness.reports.words import Words
from tests.reports import sample

EN = Words("en")


def picture(report, words):
    drawn = timeline.picture(report, words)
    assert drawn is not None
    return drawn


def lanes(drawn, kind):
    return [lane for lane in drawn.lanes if lane.kind == kind]


def test_reads_consent_and_uploads_stand_in_lanes_in_order():
    drawn = picture(sample.report(), EN)
    assert [lane.kind for lane in drawn.lanes] == ["read"] * 5 + ["consent", "front"] + ["sent"] * 4 + ["gap"]
    assert [lane.label for lane in lanes(drawn, "read")] == [
        "address book", "Android ID", "location", "phone number", "IMEI",
    ]  # fmt: skip
    assert [lane.level for lane in lanes(drawn, "sent")] == ["high", "high", "medium", ""]
    assert lanes(drawn, "sent")[-1].label == "other uploads"
    ys = [lane.y for lane in drawn.lanes]
    assert ys == sorted(ys)
    assert max(ys) < drawn.bottom < drawn.height


def test_every_mark_is_inside_and_time_runs_to_the_right():
    drawn = picture(sample.report(), EN)
    xs = [mark.x for lane in drawn.lanes for mark in lane.marks]
    assert all(GUTTER <= x <= WIDTH - RIGHT for x in xs)
    read = {lane.label: lane.marks[0].x for lane in lanes(drawn, "read")}
    assert read["Android ID"] < read["address book"] < read["location"] < read["phone number"]


def test_a_stretch_has_only_what_was_in_it_and_names_the_line_of_each_mark():
    report = sample.report()
    whole = [mark for lane in picture(report, EN).lanes for mark in lane.marks]
    seconds = sorted((seen.at - report.run.started).total_seconds() for seen in report.uploads)
    only = (seconds[0] - 0.001, seconds[0] + 0.001)
    drawn = timeline.picture(report, EN, only=only)
    assert drawn is not None
    assert (drawn.low, drawn.high) == only
    refs = {mark.ref for lane in lanes(drawn, "sent") for mark in lane.marks}
    assert refs == {seen.ref for seen in report.uploads if (seen.at - report.run.started).total_seconds() == seconds[0]}
    assert refs < {mark.ref for mark in whole}
    empty = timeline.picture(report, EN, only=(9_000.0, 9_001.0))
    assert empty is not None
    assert not any(lane.marks for lane in empty.lanes)
    assert empty.about == EN("timeline_about", accesses="0", consents="0", uploads="0", seconds="1.0")


def test_reads_and_uploads_as_columns_make_the_same_picture():
    report = sample.report()
    packed = report.model_copy(
        update={"accesses": PackedLines(Access, report.accesses), "uploads": PackedLines(Upload, report.uploads)}
    )
    some = {seen.ref for seen in report.accesses[::2]} | {seen.ref for seen in report.uploads[::2]}
    cards = dict.fromkeys(some, 3)
    seconds = sorted((seen.at - report.run.started).total_seconds() for seen in report.uploads)
    for chosen in ({"cards": cards}, {"only": (seconds[0], seconds[-1])}, {"only": (0.0, 0.5)}):
        for shown, same in ((report, packed), (masked(report), masked(packed))):
            assert timeline.picture(same, EN, **chosen) == timeline.picture(shown, EN, **chosen)
    for shown, same in ((report, packed), (masked(report), masked(packed))):
        assert timeline.PartPictures(same, EN).of(some) == timeline.PartPictures(shown, EN).of(some)


def test_of_some_lines_there_are_only_they_and_what_was_asked():
    report = sample.report()
    flow = next(each for each in report.flows if each.access)
    drawn = timeline.PartPictures(report, EN).of({str(flow.access), flow.upload})
    assert drawn is not None
    assert [mark.ref for lane in lanes(drawn, "read") for mark in lane.marks] == [flow.access]
    assert [mark.ref for lane in lanes(drawn, "sent") for mark in lane.marks] == [flow.upload]
    assert [band.name for band in drawn.bands] == [band.name for band in picture(report, EN).bands]
    assert all(line.startswith(f"{flow.id}:") for _, title in drawn.links for line in title.splitlines())


def test_what_carried_is_filled_and_joined():
    drawn = picture(sample.report(), EN)
    carried = {lane.label: lane.marks[0].carried for lane in lanes(drawn, "read")}
    assert carried == {
        "Android ID": True, "address book": True, "location": True, "phone number": False, "IMEI": False,
    }  # fmt: skip
    assert len(drawn.links) == 5
    assert any("f2: address book > sync.friendgraph.test" in title for _, title in drawn.links)


def test_consent_is_a_band_that_changes_when_the_answer_does():
    drawn = picture(sample.report(), EN)
    assert [band.name for band in drawn.bands] == ["not_shown", "requested", "refused"]
    assert drawn.bands[0].x == GUTTER
    for before, after in zip(drawn.bands, drawn.bands[1:], strict=False):
        assert abs(before.x + before.width - after.x) < 0.2
    assert "(consents.jsonl:2)" in drawn.bands[2].title


def test_the_foreground_has_a_lane_and_ends_where_the_app_leaves_it():
    (front,) = picture(sample.report(), EN).fronts
    assert front.title == "App in front: 0.8–20.0 s"


def test_marks_lead_to_the_card_that_tells_of_them_and_one_of_each_card_is_led_back_to():
    drawn = timeline.picture(sample.report(), EN, {"uploads.jsonl:2": 1, "uploads.jsonl:6": 1, "accesses.jsonl:1": 2})
    assert drawn is not None
    marks = [mark for lane in drawn.lanes for mark in lane.marks if mark.card]
    assert [(mark.card, mark.target) for mark in marks] == [(2, True), (1, True), (1, False)]
    assert drawn.cards == {1, 2}


def test_a_gap_that_says_until_when_is_a_stretch():
    report = sample.report()
    gap = report.gaps[2].model_copy(update={"until": report.gaps[2].at + timedelta(seconds=4)})
    (band,) = picture(sample.report(gaps=(gap,)), EN).gaps
    assert "TLS handshake with the proxy failed" in band.title
    assert band.width > 40


def test_two_thousand_uploads_are_bars_that_say_how_many():
    upload = sample.report().uploads[1].event
    many = tuple(
        (f"uploads.jsonl:{number}", upload.model_copy(update={"at": sample.at(number**1.5 / 3000)}))
        for number in range(1, 2001)
    )
    drawn = picture(sample.clean(uploads=many), EN)
    (lane,) = lanes(drawn, "sent")
    assert sum(mark.count for mark in lane.marks) == 2000
    heights = {mark.count: mark.height for mark in lane.marks}
    assert all(0 < height < timeline.LANE for height in heights.values())
    assert [heights[count] for count in sorted(heights)] == sorted(heights.values())


def test_a_gap_that_is_about_an_upload_leads_to_its_card():
    report = sample.report()
    upload = report.flows[0].upload
    gap = report.gaps[0].model_copy(update={"ref": upload, "until": None})
    drawn = timeline.picture(report.model_copy(update={"gaps": (gap,)}), EN, {upload: 2})
    assert drawn is not None
    (mark,) = lanes(drawn, "gap")[0].marks
    assert (mark.ref, mark.card, mark.carried, mark.target) == (upload, 2, False, False)
    assert lanes(drawn, "gap")[0].level == ""


def test_nothing_happened():
    assert timeline.picture(sample.clean(accesses=(), uploads=(), consents=()), EN) is None


def test_one_event_alone_has_an_axis():
    report = sample.report()
    drawn = picture(sample.clean(accesses=report.accesses[:1], uploads=(), consents=(), phases=()), EN)
    assert len(drawn.ticks) > 1


def test_ten_thousand_lines_stay_a_small_picture():
    access = sample.Sample().accesses["accesses.jsonl:3"]
    many = tuple(
        (
            f"accesses.jsonl:{number}",
            access.model_copy(
                update={"at": access.at + timedelta(milliseconds=3 * number), "data": f"kind_{number % 30}"}
            ),
        )
        for number in range(1, 10_001)
    )
    flow = sample.report().flows[2]
    flows = tuple(flow.model_copy(update={"id": f"f{ref}", "access": ref}) for ref, _ in many[:2000])
    drawn = picture(sample.report(accesses=many, flows=flows), EN)
    assert len(lanes(drawn, "read")) == LANES + 1
    assert all(len(lane.marks) <= WIDTH / TOGETHER for lane in drawn.lanes)
    assert sum(mark.count for lane in lanes(drawn, "read") for mark in lane.marks) == 10_000
    assert len(drawn.links) <= LINKS


def test_links_of_the_worst_findings_are_drawn_first_and_the_rest_over_the_whole_time():
    links = [_DrawnFlow(3, f"M{number}", "") for number in range(600)] + [_DrawnFlow(0, "worst", "")]
    drawn = [path for path, _ in _thinned(links)]
    assert len(drawn) == LINKS
    assert drawn[0] == "worst"
    assert drawn[-1] > "M58"
    assert [path for path, _ in _thinned(links[:5])] == [f"M{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("seconds", "step", "said"),
    [
        (0, 1, "0:00"),
        (59.9996, 0.001, "1:00.000"),
        (65, 5, "1:05"),
        (65.25, 0.05, "1:05.25"),
        (-0.5, 0.5, "-0:00.5"),
        (3725, 60, "1:02:05"),
        (1800, 300, "30:00"),
    ],
)
def test_moments_are_minutes_and_seconds(seconds, step, said):
    assert minutes(seconds, step) == said


@pytest.mark.parametrize("length", [0.001, 0.02, 1, 7, 59, 61, 1800, 4000, 90_000, 10_000_000])
def test_ticks_are_few_and_round(length):
    ticks = _ticks(0.0, float(length))
    assert 2 <= len(ticks.at) <= 12
    assert ticks.step < 1 or ticks.step == int(ticks.step)


def test_a_lane_says_what_it_is_in_the_room_there_is():
    report = sample.report()
    host = "a-very-long-name-of-a-host.with.many.parts.example"
    flows = tuple(
        flow.model_copy(update={"recipient": flow.recipient.model_copy(update={"host": host})}) for flow in report.flows
    )
    lane = lanes(picture(sample.report(flows=flows), EN), "sent")[0]
    assert lane.label.endswith("…")
    assert lane.full == host


def test_a_denied_read_says_so():
    access = Access(at=sample.at(3), source="a.b.C.d", data="location", outcome="denied", stack=(), values=())
    (lane, *_) = picture(sample.clean(accesses=(("accesses.jsonl:1", access),)), EN).lanes
    assert "denied by the system" in lane.marks[0].title


def test_the_label_of_an_answer_stands_between_the_marks():
    refused = picture(sample.report(), EN).bands[2]
    permission = lanes(picture(sample.report(), EN), "consent")[0].marks[2]
    assert refused.label == "refused"
    assert permission.x <= refused.label_x < refused.x + refused.width
