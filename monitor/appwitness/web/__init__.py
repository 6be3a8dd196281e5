"""Recordings in a browser, also while they are being made; marks of consent can be made there."""
