"""The index of recordings in a database: rebuilt from them at any time, the only place that knows SQL."""

from appwitness.store.database import set_aside
from appwitness.store.index import Store

__all__ = ["Store", "set_aside"]
