"""The index of recordings in a database: can be rebuilt from the recordings at any time, and is the only package
that uses SQL."""

from appwitness.store.database import set_aside
from appwitness.store.index import Store

__all__ = ["Store", "set_aside"]
