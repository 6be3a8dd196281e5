"""ARCHITECTURE.md is the house as it is: every path that it names is there, and every room is on its tree."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "monitor/appwitness"
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
LINE = re.compile(r"^((?:    )+)(\S+?)(?: {2,}(\S.*))?$")
LEAVES = ("bodies", "java", "locale", "node_modules", "__pycache__")
"""Folders with a structure of their own, or none."""


def tree() -> dict[str, str]:
    """Path -> the sentence that the tree says of it."""
    lines = PAGE.partition("## The tree\n")[2].partition("\nWho may import whom")[0].splitlines()
    found: dict[str, str] = {}
    above: list[str] = []
    for line in filter(None, lines):
        indent, name, sentence = re.findall(LINE, line)[0]
        del above[len(indent) // 4 - 1 :]
        above.append(name.rstrip("/"))
        found["/".join(above) + "/" * name.endswith("/")] = sentence
    return found


TREE = tree()
NAMED = sorted({path for path in re.findall(r"`([\w./-]+)`", PAGE) if "/" in path})


def test_each_path_is_there():
    """From the repository, or below the package."""
    for path in (*TREE, *NAMED):
        top = ROOT if (ROOT / path.split("/")[0]).exists() else PACKAGE
        assert (top / path).exists(), path
        assert (top / path).is_dir() or not path.endswith("/"), path


def test_each_room_has_its_sentence():
    assert not [path for path, sentence in TREE.items() if not sentence]


def test_each_room_is_on_the_tree():
    rooms = {
        path.relative_to(ROOT).as_posix() + "/"
        for top in ("monitor", "hooks", "addons")
        for path in (ROOT / top).rglob("*")
        if path.is_dir() and not set(path.relative_to(ROOT).parts[:-1]) & set(LEAVES) and path.name not in LEAVES[-2:]
    }
    languages = {"monitor/appwitness/reports/templates/complaint/"}
    assert rooms - languages <= set(TREE)


def test_the_order_of_imports_is_the_one_that_is_checked():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = {one["containers"][0]: one["layers"] for one in contracts if one["type"] == "layers"}
    for container, name in (
        ("appwitness.match", "match"),
        ("appwitness.match.decode", "decode"),
        ("appwitness.observe", "observe"),
        ("appwitness.devices", "devices"),
        ("appwitness.devices.android", "devices.android"),
        ("appwitness.agent", "agent"),
        ("addons", "addons"),
    ):
        (told,) = re.findall(rf"^    {re.escape(name)}: +(.*)$", PAGE, re.MULTILINE)
        optional = re.compile(r" \| \(\w+\)")
        assert told == " / ".join(optional.sub("", layer) for layer in layers[container])


def test_the_order_of_the_rooms_is_the_one_that_is_checked():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one.get("containers") == ["appwitness"])
    there = {path.stem for path in PACKAGE.iterdir()}
    order = [" | ".join(room for room in re.findall(r"\w+", layer) if room in there) for layer in layers]
    block = PAGE.partition("\nWho may import whom")[2].split("\n\n")[1]
    assert [re.split(r" {3,}", line.strip())[0] for line in block.splitlines()] == order


def test_every_task_names_its_first_file():
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.*?) \|$", PAGE.partition("## How a newcomer adds")[2], re.MULTILINE)
    tasks = [row for row in rows if row[0] != "task" and not row[0].startswith("---")]
    assert len(tasks) >= 7
    assert all(re.match(r"`[\w./-]+`", first) for _, first, _ in tasks)
