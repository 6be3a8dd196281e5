"""One module for each way to find a value in the leaves of an upload."""
