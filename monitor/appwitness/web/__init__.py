"""Recordings in a browser, also while they are being made; start runs, import files, and mark consent there."""
