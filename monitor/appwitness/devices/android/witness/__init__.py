"""What Android itself counts and records of an app while it runs."""
