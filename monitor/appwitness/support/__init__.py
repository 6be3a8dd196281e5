"""Shared by all packages: the user-facing errors, escaping of foreign text, private files, and translation."""
