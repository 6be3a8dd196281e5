"""What grows, as YAML, and what its files are read as."""
