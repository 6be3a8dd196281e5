"""Decoders that guess: tried last, and no proof by themselves."""
