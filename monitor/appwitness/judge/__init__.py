"""Judgement in pure functions: no device, database, network, clock or file access."""
