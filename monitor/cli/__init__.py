"""The command line: one thin function a verb, in rooms by what the verbs are for."""

from monitor.cli import comparing, devices, exchanging, gating, hooking, judging, listing, marking, observing
from monitor.cli.base import EXIT_CODES, main

__all__ = [
    "EXIT_CODES",
    "comparing",
    "devices",
    "exchanging",
    "gating",
    "hooking",
    "judging",
    "listing",
    "main",
    "marking",
    "observing",
]
