"""The command line: one thin function a verb, in modules by what the verbs are for, imported when one is called."""

from appwitness.cli.base import EXIT_CODES, VERBS, main

__all__ = ["EXIT_CODES", "VERBS", "main"]
