"""Recordings in a browser, also while they are being made; runs are started there, files taken in, consent marked."""
