"""Parses a uiautomator hierarchy: the elements of each window that can be read and tapped; pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat  # DOCTYPE is refused, so no entities; size, depth and number are limited

from appwitness.catalog.labels import LONGEST_LABEL
from appwitness.events import Check, Window

MOST_BYTES = 8 << 20
MOST_NODES = 5000
MOST_DEPTH = 250
MOST_CHARACTERS = 4000
"""Maximum number of characters of one text; the rest is cut off."""
MOST_BESIDE = 1000
"""Maximum number of characters of the text beside a box; the rest is cut off."""
SYSTEM_UI = "com.android.systemui"
_BOUNDS = re.compile(r"\[(-?\d{1,6}),(-?\d{1,6})\]\[(-?\d{1,6}),(-?\d{1,6})\]")


class BadTree(ValueError):
    """A text that is not a hierarchy, or too large to be a screen's."""


@dataclass(frozen=True)
class Node:
    """One element of a screen."""

    number: int
    parent: int | None
    text: str
    description: str
    id: str
    """The part of its resource ID after `:id/`; for an element of a web page, the whole ID."""
    cls: str
    package: str
    bounds: tuple[int, int, int, int]
    clickable: bool
    enabled: bool
    checkable: bool
    checked: bool

    @property
    def label(self) -> str:
        """Its own text, else its description."""
        return self.text or self.description

    @property
    def at(self) -> tuple[int, int]:
        """Its centre, in pixels."""
        left, top, right, bottom = self.bounds
        return (left + right) // 2, (top + bottom) // 2

    @property
    def area(self) -> int:
        """Its area in square pixels; 0 if it is not on the screen."""
        left, top, right, bottom = self.bounds
        return max(0, right - left) * max(0, bottom - top)


@dataclass(frozen=True)
class Tree:
    """The elements of a screen, parents before children, and each one's children."""

    nodes: tuple[Node, ...]
    children: tuple[tuple[int, ...], ...] = field(repr=False, compare=False)

    @property
    def roots(self) -> tuple[Node, ...]:
        """The root elements, one for each window."""
        return tuple(node for node in self.nodes if node.parent is None)

    def under(self, number: int) -> Iterator[Node]:
        """An element's descendants, in order."""
        below = list(reversed(self.children[number]))
        while below:
            at = below.pop()
            yield self.nodes[at]
            below.extend(reversed(self.children[at]))

    def window(self, root: Node) -> tuple[Node, ...]:
        """The elements of one window that are on the screen."""
        return tuple(node for node in (root, *self.under(root.number)) if node.area)


@dataclass(frozen=True)
class Button:
    """An element that can be tapped, with its label."""

    label: str
    node: Node


@dataclass(frozen=True)
class SeenWindow:
    """The content of one window."""

    package: str
    texts: tuple[str, ...]
    buttons: tuple[Button, ...]
    boxes: tuple[Button, ...]
    """Checkboxes and switches."""
    small: bool
    """Whether it leaves more than a fifth of the display uncovered."""
    ids: frozenset[str]

    @functools.cached_property
    def signature(self) -> tuple[object, ...]:
        """Identifies the window's content, wherever the window is on the display."""
        return (self.question, tuple(box.node.checked for box in self.boxes))

    @functools.cached_property
    def question(self) -> tuple[object, ...]:
        """Identifies what is asked, whatever is ticked."""
        return (self.package, self.texts, *(each.label for each in (*self.buttons, *self.boxes)))

    @functools.cached_property
    def window(self) -> Window:
        """The window as it is recorded."""
        return Window(
            package=self.package or None,
            texts=self.texts,
            labels=tuple(button.label for button in self.buttons),
            checks=tuple(Check(text=box.label, checked=box.node.checked) for box in self.boxes),
            ids=tuple(sorted(self.ids)),
        )


def parse(xml: str | bytes) -> Tree:
    """Parse a hierarchy. Raises BadTree if it is not XML, contains declarations, or exceeds the limits."""
    data = xml.encode("utf-8", "replace") if isinstance(xml, str) else xml
    if len(data) > MOST_BYTES:
        raise BadTree(f"a hierarchy of {len(data)} bytes")
    nodes: list[Node] = []
    children: list[list[int]] = []
    open_: list[int | None] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_) > MOST_DEPTH or len(nodes) >= MOST_NODES:
            raise BadTree("a hierarchy that is too deep or has too many elements")
        if name == "hierarchy" or not attributes:
            open_.append(None)
            return
        parent = next((number for number in reversed(open_) if number is not None), None)
        node = _node(len(nodes), parent, attributes)
        nodes.append(node)
        children.append([])
        if parent is not None:
            children[parent].append(node.number)
        open_.append(node.number)

    def forbidden(*_: object) -> None:
        raise BadTree("a hierarchy with declarations of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: open_.pop()
    parser.StartDoctypeDeclHandler = forbidden
    parser.EntityDeclHandler = forbidden
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadTree(f"no XML: {error}") from None
    return Tree(tuple(nodes), tuple(map(tuple, children)))


def _node(number: int, parent: int | None, attributes: dict[str, str]) -> Node:
    get = attributes.get
    found = _BOUNDS.fullmatch(get("bounds", ""))
    shown = get("visible-to-user", "true") != "false"
    return Node(
        number=number,
        parent=parent,
        text=get("text", "")[:MOST_CHARACTERS].strip(),
        description=get("content-desc", "")[:MOST_CHARACTERS].strip(),
        id=get("resource-id", "").rpartition(":id/")[2],
        cls=get("class", ""),
        package=get("package", ""),
        bounds=(int(found[1]), int(found[2]), int(found[3]), int(found[4])) if found and shown else (0, 0, 0, 0),
        clickable=get("clickable") == "true",
        enabled=get("enabled", "true") == "true",
        checkable=get("checkable") == "true",
        checked=get("checked") == "true",
    )


def windows(tree: Tree, display: tuple[int, int] | None = None) -> tuple[SeenWindow, ...]:
    """What each window shows, smaller windows first, as their order in a hierarchy means nothing. The system's frame of
    the display (status bar, navigation) is left out.

    `display` in pixels; None: as large as the largest window.
    """
    all_of_it = display[0] * display[1] if display else max((root.area for root in tree.roots), default=0)
    roots = [root for root in tree.roots if root.area and (root.package != SYSTEM_UI or len(tree.roots) == 1)]
    roots.sort(key=lambda root: root.area)
    return tuple(_seen(tree, root, small=root.area * 10 < all_of_it * 8) for root in roots)


def _seen(tree: Tree, root: Node, *, small: bool) -> SeenWindow:
    texts: list[str] = []
    buttons: list[Button] = []
    boxes: list[Button] = []
    rows: dict[int | None, str] = {}
    """Parent of a box -> the text in it."""
    read: set[int] = set()
    """Elements whose text is part of a button's label."""
    for node in tree.window(root):
        if node.number in read:
            continue
        label = node.label
        if node.checkable:
            if not label and node.parent not in rows:
                rows[node.parent] = _beside(tree, node)
            boxes.append(Button(label or rows[node.parent], node))
        elif (node.clickable or node.cls.endswith("Button")) and node.enabled:
            below = [each for each in tree.under(node.number) if each.area]
            if not any(each.clickable or each.checkable for each in below):
                inside = " ".join(each.label for each in below if each.label)
                if label or 0 < len(inside) <= 2 * LONGEST_LABEL:
                    read |= {each.number for each in below}
                    buttons.append(Button(label or inside, node))
                continue
            if label:
                texts.append(label)
        elif label:
            texts.extend(line for line in label.splitlines() if line.strip())
    ids = frozenset(node.id for node in tree.window(root) if node.id)
    return SeenWindow(root.package, tuple(texts), tuple(buttons), tuple(boxes), small, ids)


def _beside(tree: Tree, node: Node) -> str:
    """The text in the row of a box that has no label of its own."""
    if node.parent is None:
        return ""
    texts = (each.label for each in tree.under(node.parent) if each.label and not each.clickable)
    return " ".join(texts)[:MOST_BESIDE]
