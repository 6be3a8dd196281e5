"""A ranking in words: what its rows stand for, and how many apps and runs it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from appwitness.catalog import editions, yaml_files
from appwitness.findings.mask import Mask
from appwitness.findings.places import Way, subject
from appwitness.reports.words import Words
from appwitness.support import vocabulary


@cache
def _known_sdks() -> frozenset[str]:
    tree = yaml_files.tree(editions.file("recipients.yml"))
    return frozenset(each["name"] for each in (*tree["recipients"], *tree.get("lab", ())))


def _sdk(said: str, hide: vocabulary.Hide) -> str:
    """The name of an SDK, shown if it is in the catalog or has a harmless form; any other may be a person's name."""
    return said if said in _known_sdks() else subject(said, hide)


WAYS: Mapping[str, Way] = {
    **dict.fromkeys(("recipient", "host"), vocabulary.host),
    "sdk": _sdk,
    "data": vocabulary.sifted,
    **dict.fromkeys(("note", "reason"), vocabulary.told),
}
"""Column that holds text from recordings -> how that text may be shown."""


def basis(words: Words, able: tuple[int, int], gaps: int, left: Mapping[str, int]) -> str:
    """How far a ranking can be trusted. `able`: apps and runs that could have shown it; `gaps`: how many of these
    runs have gaps; `left`: the runs that could not, by reason."""
    apps, runs = able
    said = [words("ranked_able", apps=words.count("ranked_apps", apps), runs=words.count("ranked_runs", runs))]
    if gaps:
        said.append(words.count("ranked_gaps", gaps))
    if left:
        reasons = (words.count(f"ranked_{reason}", count) for reason, count in left.items())
        said.append(words("ranked_left", reasons=words("semicolon").join(reasons)))
    return words("space").join(said)


def masked(column: str, value: str | None) -> str | None:
    """A value of a column as it may be shown when the values to mask are not known: only names of a harmless form and
    our own words are kept."""
    return Mask(()).by(WAYS[column], value) if value and column in WAYS else value


def named(
    words: Words, column: str, value: str | None, titles: Mapping[str, dict[str, str]], who: Callable[[str], str | None]
) -> str:
    """The name of a value in a column. `titles`: rule -> its title; `who`: names the recipient behind a domain."""
    if value is None:
        return words("ranked_unknown")
    if column == "data":
        return words.data(value)
    if column == "rule":
        return words.of(titles.get(value, {})) or value
    if column == "recipient":
        name = who(value)
        return words("ranked_addresses") if value == "ip" else f"{name} ({value})" if name else value
    return value
