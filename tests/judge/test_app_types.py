"""The types of app: that they are those of the provisions, and that a name finds its type."""

import re
from pathlib import Path

import pytest
import yaml

from appwitness.catalog import yaml_files
from appwitness.judge.app_types import AppTypes
from appwitness.judge.data_types import DataTypes
from appwitness.support.errors import UserError

TYPES = yaml_files.parse(yaml_files.HERE / "app_types.yml", AppTypes)
DATA = yaml_files.parse(yaml_files.HERE / "data_types.yml", DataTypes)
FACTS = yaml.safe_load((Path(__file__).parent / "facts/app_types.yml").read_text("utf-8"))


def test_the_types_are_those_of_the_provisions():
    assert FACTS["location_types"] == [each.number for each in TYPES.types if each.covers("location")]
    for number, (theirs, ours) in enumerate(zip(FACTS["types"], TYPES.types, strict=True), 1):
        assert (ours.number, ours.code) == (number, theirs["code"])
        assert (ours.en, ours.zh, ours.checked) == (theirs["en"], theirs["zh"], theirs["checked"])
        for code in FACTS["never_necessary"]:
            assert not ours.covers(code), (ours.number, code)


def test_the_items_keep_their_words_and_stand_for_the_kinds_of_the_taxonomy():
    typed = {"trip_origin", "trip_destination", "travel_destination", "travel_time"}
    for theirs, ours in zip(FACTS["types"], TYPES.types, strict=True):
        for needed, need in zip(theirs["needs"], ours.needs, strict=True):
            item = needed.removesuffix("?")
            words, kind = FACTS["items"][item]
            assert words in need.zh
            assert need.data == (kind if kind in DATA.codes and item not in typed else None)
            assert (need.when is not None) == needed.endswith("?")


def test_thirteen_of_thirty_nine_need_nothing():
    assert len(TYPES.types) == 39
    assert sum(not each.necessary for each in TYPES.types) == 13


def test_every_kind_that_is_named_exists():
    named = {data for each in TYPES.types for data in each.necessary}
    named |= {*TYPES.not_judged, *TYPES.includes, *(data for many in TYPES.includes.values() for data in many)}
    assert named <= DATA.codes


NUMERALS = dict(zip(range(1, 40), "一 二 三 四 五 六 七 八 九 十".split(), strict=False))  # noqa: SIM905


@pytest.mark.parametrize("each", TYPES.types, ids=lambda each: each.code)
def test_a_type_cites_its_item(each):
    tens, ones = divmod(each.number, 10)
    numeral = ("" if tens < 2 else NUMERALS[tens]) + ("十" if tens else "") + (NUMERALS[ones] if ones else "")
    assert each.article.citation["zh"].endswith(f"（国信办秘字〔2021〕14号）第五条第（{numeral}）项")
    assert each.article.citation["en"].endswith(f"(2021 No. 14), art. 5({each.number})")
    assert each.article.verify == (each.checked != "source")
    if not each.needs:
        assert "no personal information" in each.article.says["en"]
        assert "无须个人信息" in each.article.says["zh"]


COVERS = [
    (3, "phone_number", True),
    (3, "im_contact_list", True),
    (3, "device_contacts", False),
    (3, "location", False),
    (1, "location", True),
    (1, "location_coarse", True),
    (2, "movement_track", True),
    (9, "location", False),
    (6, "address", True),
    (6, "location", False),
    (21, "phone_number", False),
    (21, "sex_life_cycle", False),
    (21, "ip_address", True),
    (24, "id_copy", True),
    (12, "sms_content", False),
    (39, "android_id", False),
]


@pytest.mark.parametrize(("number", "data", "covered"), COVERS)
def test_what_a_type_covers(number, data, covered):
    assert TYPES.of(number).covers(data) is covered


NAMES = [
    (21, 21),
    ("21", 21),
    (" 3 ", 3),
    ("３", 3),
    ("即时通信", 3),
    ("即时通信类", 3),
    ("instant messaging", 3),
    ("Instant-Messaging", 3),
    ("instant_messaging", 3),
    ("INSTANT", 3),
    ("女性健康", 21),
    ("women's health", 21),
    ("womens health", 21),
    ("short video", 29),
    ("短视频", 29),
    ("browser", 32),
    ("浏览器类", 32),
    ("maps & navigation", 1),
    ("e-books", 35),
]


@pytest.mark.parametrize(("name", "number"), NAMES)
def test_a_type_by_number_or_name(name, number):
    assert TYPES.of(name).number == number


@pytest.mark.parametrize("each", TYPES.types, ids=lambda each: each.code)
def test_every_type_is_found_by_all_its_names(each):
    for name in (each.number, each.en, each.zh, each.code, each.zh.removesuffix("类"), each.en.upper()):
        assert TYPES.of(name) is each


UNKNOWN = [
    ("online", "several", ["4 Online communities (网络社区类)", "6 Online shopping (网上购物类)"]),
    ("网络", "several", ["2 Online ride hailing (网络约车类)", "27 Live streaming (网络直播类)"]),
    ("0", "no type", ["1 Maps and navigation", "39 Performance ticketing"]),
    ("40", "no type", ["39 Performance ticketing"]),
    ("casino", "no type", ["1 Maps and navigation"]),
    ("", "no type", ["1 Maps and navigation"]),
    ("类", "no type", ["1 Maps and navigation"]),
]


@pytest.mark.parametrize(("name", "said", "candidates"), UNKNOWN)
def test_an_unknown_or_ambiguous_name_is_answered_with_the_candidates(name, said, candidates):
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        TYPES.of(name)
    assert isinstance(refused.value, UserError)
    assert all(candidate in refused.value.next_step for candidate in candidates)
