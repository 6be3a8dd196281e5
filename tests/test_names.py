"""Names say of what: within the package no two files and no two classes share one, and no file names one machine."""

import re
from collections import defaultdict
from pathlib import Path

from tests import checkout

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "monitor/appwitness"
BY_PYTHON = ("__init__.py", "__main__.py")
"""Names that Python gives."""


def shared(names: list[tuple[str, Path]]) -> dict[str, list[str]]:
    """Names that are used more than once, with the files that use them."""
    places = defaultdict(list)
    for name, path in names:
        places[name].append(path.relative_to(PACKAGE).as_posix())
    return {name: where for name, where in places.items() if len(where) > 1}


def test_each_file_name_is_used_once():
    assert not shared([(path.name, path) for path in PACKAGE.rglob("*.py") if path.name not in BY_PYTHON])


def test_each_class_name_is_used_once():
    classes = [
        (name, path)
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in re.findall(r"^ *class (\w+)[:(\[]", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert not shared(classes)


HOMES = re.compile(r"(?<![\w.$}:/])/(?:work|home|Users)/(?!somebody)\w")
"""Where people and build servers keep a checkout; `/home/somebody` stands for any of them."""


def test_no_file_names_a_path_of_one_machine():
    texts = ((name, ROOT / name) for name in checkout.files())
    files = ((name, path) for name, path in texts if path.is_file() and path != Path(__file__))
    assert not [name for name, path in files if HOMES.search(path.read_text("utf-8", "replace"))]
