"""Finds positions in the leaves of an upload."""
