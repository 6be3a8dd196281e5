"""One module for each way in which a value may be found in the leaves of an upload."""
