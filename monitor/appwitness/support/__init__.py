"""What every room may use: the error that a user sees, foreign text made harmless, files for their owner alone."""
