"""Shows recordings in a browser, even while they are being made; runs can be started, files imported, and consent
marked there."""
