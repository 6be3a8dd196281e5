"""Finds the values known in an upload, and says who read what was sent; knows no consent, rule, recipient or law."""
