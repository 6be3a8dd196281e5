"""The person whose data is on a device during a run: planted for real, asked back, and removed again."""
