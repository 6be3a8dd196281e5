"""Decides which hits to believe, and why."""
