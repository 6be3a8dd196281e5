"""The OpenAPI document: valid, served, and what it says of each address is what is answered there."""

import json
import re
from fnmatch import fnmatch

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from appwitness.api.browsing import Browsing
from appwitness.api.judging import judging
from appwitness.cli.verbs import main
from appwitness.web.query import Site
from appwitness.web.routes import PAGES, WORK, app
from tests.recordings.written import RECORDINGS
from tests.web.serving import visitor

TOKEN = "of-a-test"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    by = judging(db=str(tmp_path_factory.mktemp("index") / "db"))
    by.correlate(RECORDINGS / "sent-before-consent")
    return visitor(app(Site(Browsing(by.store, by.known), TOKEN)))


def test_it_is_valid_and_the_same_everywhere(pages):
    told = pages.get("/openapi.json").json()
    validate(told)
    assert json.loads(CliRunner().invoke(main, ["list", "schema", "--of", "web"]).stdout) == told
    operations = [each["get"]["operationId"] for each in told["paths"].values()]
    assert len(set(operations)) == len(operations) == len(PAGES) + len(WORK) + 1


def test_each_address_answers_as_it_says(pages):
    told = pages.get("/openapi.json").json()
    here = {"recording": "sent-before-consent", "number": "1", "host": "api.shop.test", "rule": "sent-before-consent"}
    answered = set()
    for path, item in told["paths"].items():
        address = re.sub(r"\{(\w+)\}", lambda found: here.get(found[1], "none"), path)
        found = pages.get(address, params={"format": "json"}, follow_redirects=False)
        kinds = item["get"]["responses"].get(str(found.status_code))
        assert kinds, (path, found.status_code, found.text[:200])
        type_, media = next(iter(kinds["content"].items()))
        assert fnmatch(found.headers["content-type"].partition(";")[0], type_), path
        if "json" in type_:
            schema = {**media["schema"], "components": told["components"]}
            Draft202012Validator(schema).validate(found.json())
        if found.status_code == 200:
            answered.add(path)
    assert {"/", "/recordings/{recording}", "/recordings/{recording}/findings", "/rules", "/healthz"} <= answered
