"""Benchmarks: each figure is a ratio against a named yardstick in the same run. `make bench` runs them all."""
