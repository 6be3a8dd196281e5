"""Decoders that guess: a match in what they yield is never proof."""
