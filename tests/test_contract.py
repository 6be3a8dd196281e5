"""What holds between the languages: event.ts is current, the schema is a schema, the catalog's names exist."""

import json
import re
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import jsonschema
import msgspec
import pytest
from pydantic import BaseModel

from appwitness import events
from appwitness.agent.sources import load
from appwitness.catalog import yaml_files
from appwitness.correlate import knowledge
from appwitness.findings import report_schema
from appwitness.recording import seal, signing
from hooks.typescript import typescript
from tests.events.test_events import AT, LINES

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
    types = {item["code"] for item in yaml_files.tree(next(yaml_files.files("data_types.yml")))["items"]}
    named = {source.data for source in load()}
    for rule in knowledge().rules:
        named |= set(rule.when.data or ())
    assert named
    assert named <= types


@pytest.mark.parametrize("name", ["rules", "sources", "recipients.yml", "consent.yml", "data_types.yml"])
def test_the_catalog_is_there(name):
    assert list(yaml_files.files(name))


PAGE = (ROOT / "docs/contract.md").read_text("utf-8")
DESCRIBED: dict[str, type[BaseModel | msgspec.Struct]] = {
    "Every line": events.Line,
    "value": events.Value,
    "blob": events.Blob,
    "endpoint": events.Endpoint,
    "tls": events.Tls,
    "window": events.Window,
    "check": events.Check,
    "touch": events.Touch,
    "run.json": events.Run,
    "observers": events.Observers,
    "probe": events.Probe,
    "shared copy": events.SharedCopy,
    "source file": events.SourceFile,
    "app": events.AppIdentity,
    "device": events.DeviceIdentity,
    "clock reading": events.ClockReading,
    "change": events.Change,
    "own request": events.OwnRequest,
    "stamp": seal.Stamp,
    "file stamp": seal.FileStamp,
    "forgotten": seal.Forgotten,
    "run stamp": seal.RunStamp,
    "binds": seal.Binds,
    "signature": signing.Signature,
    **{events.kind_of(kind): kind for kind in events.KINDS},
}
OF_EVERY_LINE = {*events.Line.__struct_fields__, "kind"}


def table(heading):
    """The fields of a table of the page, each with its meaning."""
    section = re.search(rf"^##+ {re.escape(heading)}$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, heading
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section[1], re.MULTILINE))


def choices(annotation):
    """The words of a closed choice, wherever it stands in a type."""
    if get_origin(annotation) is Literal:
        return set(map(str, get_args(annotation)))
    return set().union(*map(choices, get_args(annotation)))


@pytest.mark.parametrize("heading", DESCRIBED)
def test_the_page_on_the_format_names_each_field_and_each_word(heading):
    model = DESCRIBED[heading]
    hints = get_type_hints(model)
    if issubclass(model, BaseModel):
        fields = {name: hints[name] for name in model.model_fields}
    else:
        fields = {
            key: hints[name] for name, key in zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True)
        }
    if heading == "Every line":
        fields["kind"] = Literal["access"]
    elif issubclass(model, events.Line):
        fields = {name: field for name, field in fields.items() if name not in OF_EVERY_LINE}
    described = table(heading)
    assert set(described) == set(fields)
    for name, meaning in described.items():
        if name != "kind":
            assert choices(fields[name]) <= set(re.findall(r"`([^`]+)`", meaning)), name


def test_the_page_on_the_format_has_no_other_table_and_names_each_file():
    assert len(re.findall(r"^\| field \| meaning \|$", PAGE, re.MULTILINE)) == len(DESCRIBED)
    assert all(name in PAGE for name in events.FILES.values())
