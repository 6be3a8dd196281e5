"""Reasons as a report says them, for tests that ask what a reader is told."""

from appwitness.reports.phrases import all_said
from appwitness.reports.words import Words


def words(found):
    """The reasons of a hit or match, in English."""
    return all_said(found.reasons, Words("en"))
