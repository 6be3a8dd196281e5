"""The walk from the bytes of an upload to its leaves."""
