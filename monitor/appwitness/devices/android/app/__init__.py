"""The app under test: its files, what they say of it, and how it comes onto a device and leaves again."""
