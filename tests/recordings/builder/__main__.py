"""`python -m tests.recordings.builder` writes every recording, and says where."""

from __future__ import annotations

from tests.recordings.written import RECORDINGS

print(RECORDINGS)
