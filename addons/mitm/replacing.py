"""Replaces private parts of mitmproxy by name, and only if all of them exist; the other files here list them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import ModuleType


def replace(pieces: Sequence[tuple[ModuleType, str, object]], otherwise: str) -> None:
    """For all proxies of this process, replace the named attribute of each module with ours.

    If a name is missing, nothing is replaced, and an error is logged that states the consequence: `otherwise`.
    """
    if not all(hasattr(module, name) for module, name, _ in pieces):
        logging.error(f"This version of mitmproxy is not supported: {otherwise}")
        return
    for module, name, ours in pieces:
        setattr(module, name, ours)
