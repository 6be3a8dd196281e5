"""A table of apps becomes runs, each once; what does not fit is an error with its line."""

import hashlib
import json
import os

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
        ("app\n\0\n", 2),
        ("app\n" + "x" * 200_000 + "\n", 2),
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


@pytest.fixture
def theirs(tmp_path):
    """A folder beside which there is an app."""
    folder = tmp_path / "theirs"
    (folder / "splits").mkdir(parents=True)
    (tmp_path / "mine.apk").write_bytes(b"an app")
    (tmp_path / "mine.yml").write_bytes(b"device_name: A\n")
    (folder / "it.apk").write_bytes(b"an app")
    (folder / "link.apk").symlink_to("../mine.apk")
    (folder / "zero.apk").symlink_to("/dev/zero")
    (folder / "up").symlink_to("..")
    (folder / "splits/base.apk").symlink_to("../../mine.apk")
    os.mkfifo(folder / "pipe.apk")
    return folder


@pytest.mark.parametrize(
    "row",
    [
        "../mine.apk,",
        "{above}/mine.apk,",
        "link.apk,",
        "zero.apk,",
        "up/mine.apk,",
        "up,",
        "pipe.apk,",
        "splits,",
        "it.apk,../mine.yml",
        "it.apk,{above}/mine.yml",
        "it.apk,up/mine.yml",
        "it.apk,pipe.apk",
    ],
)
def test_files_that_a_table_names_lie_beside_it(theirs, row):
    apps = table(theirs, f"app,persona\n{row.format(above=theirs.parent)}\n")
    with pytest.raises(FileError) as raised:
        list(Campaign("night", ["accept"]).runs(apps))
    assert raised.value.line == 2


def test_the_operator_may_say_that_they_lie_elsewhere(theirs):
    apps = table(theirs, "app,persona\n../mine.apk,../mine.yml\nlink.apk,\n")
    one, two = Campaign("night", ["accept"], elsewhere=True).runs(apps)
    assert one.apk == two.apk == str(theirs.parent / "mine.apk")
    assert one.persona == str(theirs.parent / "mine.yml")


@pytest.mark.parametrize("hostile", ["pipe", "zero", "text"])
def test_a_table_that_is_none_is_an_error_of_the_file(tmp_path, hostile):
    path = tmp_path / "apps.csv"
    if hostile == "pipe":
        os.mkfifo(path)
    elif hostile == "zero":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"app\n\xff\n")
    with pytest.raises(FileError):
        list(Campaign("night", ["accept"]).runs(path))
