"""Tests whose runs were judged, as JUnit XML: a case for each test, with the files that belong to it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import NamedTuple

from appwitness.support.escape import field, xml


class Tested(NamedTuple):
    """One test."""

    suite: str
    """Module and class: `tests.test_circle.TestRefuse`."""
    name: str
    seconds: float
    failure: str | None
    """What counts against it; None: nothing does."""
    attached: Sequence[str]
    """Files, relative to the root of the project."""


def _file(name: str) -> str:
    """A file's name that ends neither the line nor the mark that it stands in."""
    return field(name.replace("]", "_"))


def render(tests: Sequence[Tested]) -> str:
    """One suite, its cases in this order. Jenkins and GitLab find attachments by their line of system-out."""
    numbers = {
        "tests": str(len(tests)),
        "failures": str(sum(test.failure is not None for test in tests)),
        "skipped": "0",
        "errors": "0",
        "time": f"{sum(test.seconds for test in tests):.3f}",
    }
    root = ET.Element("testsuites", {"name": "appwitness"})
    suite = ET.SubElement(root, "testsuite", {"name": "appwitness", **numbers})
    for test in tests:
        names = {"classname": xml(test.suite), "name": xml(test.name), "time": f"{test.seconds:.3f}"}
        case = ET.SubElement(suite, "testcase", names)
        if test.failure is not None:
            first = next(iter(test.failure.splitlines()), "")
            ET.SubElement(case, "failure", {"type": "appwitness", "message": xml(first)}).text = xml(test.failure)
        if test.attached:
            out = ET.SubElement(case, "system-out")
            out.text = "\n".join(f"[[ATTACHMENT|{xml(_file(file))}]]" for file in test.attached)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
