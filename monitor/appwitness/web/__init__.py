"""Recordings in a browser, also while they are being made; runs can be started, files imported, and consent marked
there."""
