"""Benchmarks: figures against named yardsticks in the same run, held against goals.yml. `make bench` runs them all."""
