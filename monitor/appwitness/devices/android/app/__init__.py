"""The app under test: its files, what they declare, and how it is installed and removed."""
