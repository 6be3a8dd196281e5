"""`python -m tests.recordings.builder` writes every recording anew."""

from __future__ import annotations

from pathlib import Path

from tests.recordings.builder import cases
from tests.recordings.builder.case import write

write(cases(), Path(__file__).parents[1])
