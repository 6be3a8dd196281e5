"""The index in a browser, read-only and for this machine alone."""
