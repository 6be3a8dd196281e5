"""Shared by all packages: the user-facing error, escaping of foreign text, and private files."""
