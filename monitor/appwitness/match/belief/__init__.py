"""Which hits to believe, and why."""
