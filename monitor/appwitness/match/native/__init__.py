"""The compiled part, and the only door to it."""
