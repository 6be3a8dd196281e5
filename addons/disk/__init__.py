"""Writes to disk: records pass through shared memory to a writer process that imports only the standard library."""
