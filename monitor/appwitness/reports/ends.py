"""Both ends of a finding in one line: read here, by this code of that SDK; sent there, by that code of that SDK."""

from __future__ import annotations

from appwitness.findings import Code, Finding
from appwitness.reports.words import Words, plain


def ends(finding: Finding, words: Words) -> str:
    """Who read it and who sent it, as far as the stacks tell; empty where neither does."""
    said = []
    if finding.read_by:
        said.append(words("read_by", code=code(finding.read_by, words)))
    if finding.sent_by:
        said.append(words("sent_by", code=code(finding.sent_by, words)))
    return words("comma").join(said)


def code(of: Code, words: Words) -> str:
    """Code by its name, with whose it is."""
    name = plain(of.code)
    return words("code_of", code=name, owner=plain(of.owner)) if of.owner else name
