"""The person whose data is on a device during a run: planted, read back, and removed again."""
