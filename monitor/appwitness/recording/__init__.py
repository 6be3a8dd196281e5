"""A recording on disk, in the folder layout of the recording contract: append, read, follow, store bodies, stamp,
verify.

Durability: the operating system has an appended line before `append` returns, so killing any process at any moment
(kill -9, out of memory, a crash) loses no acknowledged line. A power cut or a kernel crash may lose what came after the
last stamp: before it writes a stamp, appwitness waits until the disk has confirmed (fsync) the lines and bodies that
the stamp covers.
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
