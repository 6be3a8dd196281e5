"""Coordinate systems and grids of the earth: pure geometry."""
