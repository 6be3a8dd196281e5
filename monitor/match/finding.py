"""What is looked for in the uploads of one recording, and every way in which one may hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from monitor.events import Ref, Transform, Value
from monitor.match.belief.support import without_parts
from monitor.match.decode import Decoded, Leaf
from monitor.match.finders.salts import Salts
from monitor.match.finders.sets import Key, Sets
from monitor.match.finders.texts import Hit, Index, root_of
from monitor.match.transforms import Transforms
from monitor.match.transforms.sent import as_sent


class Sought:
    """Values, and what the app turned into what."""

    def __init__(self, bodies: Callable[[str], bytes | None] | None = None) -> None:
        """`bodies` reads a stored body by its digest: what transforms took in and gave out, where it is long."""
        self._transforms = Transforms(bodies)
        self._index = Index(self._transforms.outputs)
        self._sets = Sets()
        self._salts = Salts()
        self.narrow = self._sets.narrowed(self._index.narrow)
        """For `decode.leaves`: which parts of a large text may hold anything that is known by now."""
        self._transforms.narrow = self.narrow

    def add(self, key: Key, *, alone: bool) -> None:
        """Find a value from now on; whether it was read alone, not in a row."""
        self._index.add(key, Value(type=key[0], text=key[1]))
        self._sets.add(key)
        self._salts.add(key, alone=alone)

    def add_transform(self, ref: Ref, transform: Transform, at: datetime) -> None:
        """Learn of one call of the app's; `at` is its time on the host's clock."""
        self._transforms.add(ref, transform, at)

    def find(self, decoded: Decoded, at: datetime, apps: Iterable[str], wanted: Callable[[Key], bool]) -> list[Hit]:
        """Hits in the leaves of an upload, in what the app's own transforms turned into it by then, and of what was
        hashed with other parts of it. `apps`: whose it may be; `wanted`: whether a value may be in it at all."""
        hits = self._found(decoded, at, wanted)
        return hits + self._salts.find(decoded.leaves, hits, apps, wanted)

    def _found(self, decoded: Decoded, at: datetime, wanted: Callable[[Key], bool]) -> list[Hit]:
        hits = self._index.find(decoded.leaves, decoded.passed_over)
        hits += self._sets.find(decoded.leaves, wanted)
        hits = self._sets.together(without_parts(hits, decoded.leaves), decoded.leaves)
        inner = list(self._transforms.follow(decoded.leaves, at))
        if not inner:
            return hits
        spots = {_spot(one.leaf): one for one in reversed(inner)}
        own = {id(one.leaf): one for one in inner}
        plain = {(hit.key, root_of(hit.leaf.path), hit.start, hit.end) for hit in hits}
        for hit in self._index.find([one.leaf for one in inner]):
            # a form inside base64 at an odd place is in a leaf of its own, one step further in
            near = (spots.get(_spot(hit.leaf, further)) for further in range(3))
            one = own.get(id(hit.leaf)) or next(filter(None, near), None)
            if one is None or (one.cut and one.leaf is hit.leaf and hit.variant.unchecked):
                continue
            if (hit.key, root_of(hit.leaf.path), hit.start, hit.end) not in plain:
                why = f"{hit.why}; {' and '.join(one.refs)}: the app turned it into what it sent"
                form = as_sent(hit, one.forms, whole=one.whole)
                hits.append(hit._replace(why=why, evidence=one.refs, form=form))
        return hits


def _spot(leaf: Leaf, further: int = 0) -> tuple[str, int, int, tuple[str, ...]]:
    """Where a leaf is, without the last steps."""
    return leaf.path, leaf.start, leaf.end, leaf.decoding[: len(leaf.decoding) - further]
