"""A recording on disk, the folder of the recording contract: append, read, follow, bodies, stamps, verify.

What survives: an appended line is with the operating system before `append` returns, so killing any process at any
moment (kill -9, out of memory, a crash) loses no acknowledged line. A power cut or a crash of the kernel may lose what
came after the last stamp: a stamp first has the disk confirm (fsync) the lines and bodies that it covers.
"""

from appwitness.recording.folder import Recording
from appwitness.recording.lines import START, Position, ReadLine
from appwitness.recording.seal import Forgotten
from appwitness.recording.verification import Late, Outcome, Problem, Verification, verify

__all__ = [
    "START",
    "Forgotten",
    "Late",
    "Outcome",
    "Position",
    "Problem",
    "ReadLine",
    "Recording",
    "Verification",
    "verify",
]
