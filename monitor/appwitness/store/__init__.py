"""The index of recordings in a database: rebuilt from them at any time, the only place that knows SQL."""

from monitor.store.database import set_aside
from monitor.store.index import Store

__all__ = ["Store", "set_aside"]
