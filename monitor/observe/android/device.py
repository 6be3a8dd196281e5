"""One Android device for one run: its parts put together, each change written down before it is made, all taken back."""

from __future__ import annotations
