"""A table of apps becomes runs, each once; what does not fit is an error with its line."""

import hashlib
import json

import pytest

from appwitness.fleet.plan import Campaign
from appwitness.support.errors import FileError, UserError


def table(tmp_path, text):
    path = tmp_path / "apps.csv"
    path.write_text(text, "utf-8")
    return path


def test_each_app_under_each_plan(tmp_path):
    (tmp_path / "shop.apk").write_bytes(b"an app")
    apps = table(tmp_path, "app,needs,first_party\nshop.apk,rooted,shop.example\ncom.example.chat,,\nlab:circle,,\n")
    runs = list(Campaign("night", ["accept", "refuse"], needs="api>=30", seconds=90).runs(apps))
    assert len({run.id for run in runs}) == 6
    shop, _, chat, _, lab, _ = runs
    digest = hashlib.sha256(b"an app").hexdigest()
    assert (shop.app, shop.package, shop.apk) == (digest, "shop", str(tmp_path / "shop.apk"))
    assert json.loads(shop.options) == {"first_party": "shop.example", "seconds": "90"}
    assert [each.pool for each in (shop, chat, lab)] == [
        "api>=30 and kind!=lab and rooted",
        "api>=30 and kind!=lab",
        "api>=30 and kind=lab",
    ]
    assert (chat.app, chat.apk, lab.app) == ("com.example.chat", None, "lab:circle")


def test_an_app_is_known_by_its_bytes(tmp_path):
    for name in ("one.apk", "two.apk"):
        (tmp_path / name).write_bytes(b"an app")
    one, two = Campaign("night", ["accept"]).runs(table(tmp_path, "app\none.apk\ntwo.apk\n"))
    assert one.app == two.app


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("package\ncom.example.app\n", 1),
        ("app,colour\ncom.example.app,red\n", 1),
        ("app\ncom.example.app\nmissing.apk\n", 3),
        ("app\nnot an app\n", 2),
        ("app,needs\ncom.example.app,api>=\n", 2),
        ("app,needs\ncom.example.app\n", 2),
        ("app\ncom.example.app,more\n", 2),
        ("", 1),
    ],
)
def test_what_does_not_fit_names_its_line(tmp_path, text, line):
    with pytest.raises(FileError) as raised:
        list(Campaign("night", ["accept"]).runs(table(tmp_path, text)))
    assert raised.value.line == line


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 61, "-x"])
def test_a_campaign_has_a_name_that_files_can_have(name):
    with pytest.raises(UserError):
        Campaign(name, ["accept"])
