"""What holds between the languages: event.ts is current, the schema is a schema, the catalog's names exist."""

import json
from pathlib import Path

import jsonschema
import pytest

from monitor import catalog, events
from monitor.correlate import knowledge
from monitor.findings import report_schema
from monitor.observe.sources import load
from monitor.typescript import typescript
from tests.test_events import AT, LINES

ROOT = Path(__file__).parent.parent


def test_event_ts_is_current():
    assert (ROOT / "hooks/event.ts").read_text("utf-8") == typescript(), "run: make fix"


def test_the_schema_accepts_every_kind_and_no_other():
    validator = jsonschema.Draft202012Validator(events.schema())
    validator.check_schema(events.schema())
    for line in LINES:
        validator.validate(json.loads(events.dump(events.parse(json.dumps({"at": AT, **line})))))
    assert not validator.is_valid({"v": 1, "kind": "session", "at": AT})


def test_the_report_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_data_types_that_sources_and_rules_name_exist():
    types = {item["code"] for item in catalog.tree(next(catalog.files("data_types.yml")))["items"]}
    named = {source.data for source in load()}
    for rule in knowledge().rules:
        named |= set(rule.when.data or ())
    assert named
    assert named <= types


@pytest.mark.parametrize("name", ["rules", "sources", "recipients.yml", "consent.yml", "data_types.yml"])
def test_the_catalog_is_there(name):
    assert list(catalog.files(name))
