"""Decoders of text in other character sets, and of bytes written as text."""
