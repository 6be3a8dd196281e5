"""The compiled search, and the only modules that use it."""
