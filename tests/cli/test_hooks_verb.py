"""The verb `list sources`: the list, the page of one, the coverage."""

import json

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main

NUMBER = "android.telephony.TelephonyManager.getLine1Number"


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["list", "sources", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_alone_it_lists():
    lines = run().splitlines()
    assert lines[0].split() == ["data", "source", "permission"]
    assert ["phone_number", NUMBER, "android.permission.READ_PHONE_NUMBERS"] in [line.split() for line in lines]
    assert ["mac_address", "libc.so!getifaddrs"] in [line.split() for line in lines]
    assert ["clipboard", "android.os.BinderProxy.transactNative"] in [line.split() for line in lines]
    assert NUMBER in {each.get("name") for each in json.loads(run("--format", "json"))}


@pytest.mark.parametrize("name", [NUMBER, "TelephonyManager.getLine1Number"])
def test_a_page_says_what_and_why(name):
    page = run(name)
    assert page.splitlines()[0] == NUMBER
    for text in (
        "phone_number",
        "names the user everywhere",
        "READ_PHONE_NUMBERS",
        "every overload",
        "what it returns",
    ):
        assert text in page


def test_a_page_of_a_route_below_the_api():
    page = run("libc.so!__system_property_get")
    assert "device_id_serial: " in page
    assert "read as      property\n" in page


def test_a_page_names_the_apis_that_lean_on_it():
    page = run("ApplicationPackageManager.getInstalledPackages")
    assert "also covers  android.content.pm.PackageManager.getInstalledPackages (must, app_list)" in page
    assert page.count("because") == 1


@pytest.mark.parametrize(
    ("name", "state", "by"),
    [
        (
            "content.pm.PackageManager.getInstalledPackages",
            "lower layer",
            "ApplicationPackageManager.getInstalledPackages",
        ),
        ("Build.SERIAL", "not here", "without a call"),
    ],
)
def test_an_api_that_is_no_source_says_what_sees_it_or_why_nothing_does(name, state, by):
    page = run(name)
    assert state in page
    assert by in page
    [told] = json.loads(run(name, "--format", "json"))
    assert told["state"] == state.replace(" ", "_")
    assert told["why"] in page


def test_pages_as_json():
    [page] = json.loads(run(NUMBER, "--format", "json"))
    assert page["name"] == NUMBER
    assert page["entries"][0]["why"]


def test_an_additional_file_is_listed_too(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(
        "data: account_id\nwhy: it names the user\nsources: [{class: com.example.Login, methods: [user]}]\n", "utf-8"
    )
    assert "com.example.Login.user" in run("--sources", str(path))


def test_coverage_counts_by_level_and_category():
    counted = json.loads(run("--coverage", "--format", "json"))
    assert set(counted) == {"levels", "categories", "missing"}
    assert list(counted["levels"]) == ["must", "full", "wide", "gaps"]
    for counts in (*counted["levels"].values(), *counted["categories"].values()):
        assert list(counts) == ["total", "hooked", "lower_layer", "not_here", "missing"]
    text = run("--coverage")
    assert text.splitlines()[0].split() == [
        "level", "total", "hooked", "lower_layer", "not_here", "missing", "covered",
    ]  # fmt: skip
    assert f"{counted['levels']['must']['total']}" in text.splitlines()[1]
